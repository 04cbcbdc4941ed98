"""A Trainer whose batches are cut into shards, which the processes of a run share: the same bytes for any number of them.

    --parallel data       each process computes its shards through the whole network
    --parallel hybrid     one weird trick (Krizhevsky 2014): its shards through the convolutions, then its units for all pictures

    conv1 … pool5     5 % of the weights, 95 % of the arithmetic    trunk: by shards of the batch
    fc6, fc7, fc8    95 % of the weights,  5 % of the arithmetic    head: by output units, for the whole batch

In both, what the trunk makes of everybody's pictures is gathered, so that every process has the loss of the whole batch; with
data alone there is no head. A layer's units are cut into the run's K groups; a process has the groups with its shards' numbers.
Only the trunk's gradients travel (see shards.py). This is scheme (a) of the paper's section 4. Order, crops and dropout of a
picture follow from (seed, epoch, its row of the batch), not from who computes it.
"""

import time
import zlib
from typing import Any

import numpy as np

from .. import models, nn, optim
from ..device import array_module, to_device, to_numpy
from ..errors import require
from ..evaluation.metrics import Tally
from ..fast.linear import matmul
from ..random import parts_of_batch
from ..tensor import Function, Tensor
from . import finetune
from .callbacks import Callback
from .lifeline import BUSY
from .loop import Diverged, Trainer
from .ranks import Ranks
from .saving import Checkpoints
from .setup import part_size
from .shards import GradientSum, TreeSum, process_rows, shard_rows, whole_sum, zeros

COMPARE_EVERY = 50  # steps between two comparisons of everybody's weights

# ------------------------------------------------------------------------------------------------ the network


class SplitLinear(nn.Module):
    """A fully connected layer of which this process computes some output units: x (N, in) → y (N, out), both whole everywhere.

    units: of each process; own: this one's, whose weights the layer has while it learns; rows: of each of its groups there.
    """

    def __init__(self, layer: nn.Linear, ranks: Ranks) -> None:
        self.layer, self.ranks = layer, ranks
        self.units = process_rows(layer.out_features, ranks)
        self.own, groups = self.units[ranks.rank], shard_rows(layer.out_features, ranks.shards)
        self.rows = [slice(groups[shard].start - self.own.start, groups[shard].stop - self.own.start) for shard in ranks.mine]

    def forward(self, x: Tensor) -> Tensor:
        return _ByUnits(self)(x, *self.layer.parameters())


class _ByUnits(Function):
    """y[:, units] = x Wᵀ[units] + b[units] for each group here, then everybody's units; dx = Σ over all groups of g W."""

    fresh_gradients = True

    def __init__(self, split):
        self.split = split

    def forward(self, x, weight, *bias):
        self.save_for_backward(x, weight)
        y = array_module(x).concatenate([matmul(x, weight[rows].T).T for rows in self.split.rows])  # a unit is a row
        for b in bias:
            y += b[:, None]
        return array_module(x).ascontiguousarray(self.split.ranks.gather_rows(y, self.split.units).T)

    def backward(self, g):
        x, weight = self.saved
        split, xp, mine = self.split, array_module(g), g[:, self.split.own]
        tree = TreeSum(split.ranks.shards)
        for shard, rows in zip(split.ranks.mine, split.rows if self.needs_input_grad[0] else ()):
            tree.put(shard, shard + 1, matmul(mine[:, rows], weight[rows]))
        return (whole_sum(tree, split.ranks) if tree.nodes else None,
                xp.concatenate([matmul(mine[:, rows].T, x) for rows in split.rows]),
                *(xp.concatenate([mine[:, rows].sum(axis=0) for rows in split.rows]) for _ in self.needs_input_grad[2:]))


class SharedNetwork:
    """The learner, in whose place it stands: takes this process's pictures of a part of a batch, gives the logits of all.

    count: pictures in the part; None: not in a step, the learner sees what it is given. `optimizer` has the whole network's
    memory. Raises UserError where a network cannot be split.
    """

    def __init__(self, learner: nn.Module, optimizer: optim.SGD, ranks: Ranks, hybrid: bool) -> None:
        self.learner, self.optimizer, self.ranks, self.count = learner, optimizer, ranks, None
        self.trunk, self.head, self.split = learner, nn.Sequential(), []
        if hybrid:
            layers = [layer for _, layer in learner.named_children()] if models.is_chain(learner) else []
            first = next((n for n, layer in enumerate(layers) if isinstance(layer, nn.Linear)), 0)
            require(first, "--parallel hybrid needs convolutions and then fully connected layers: train this network with "
                           "--parallel data.")
            head = [SplitLinear(layer, ranks) if isinstance(layer, nn.Linear) else layer for layer in layers[first:]]
            self.split = [layer for layer in head if isinstance(layer, SplitLinear)]
            fewest = min(split.layer.out_features for split in self.split)
            require(fewest >= ranks.shards, f"--parallel hybrid cuts fully connected layers into {ranks.shards} groups of units, "
                                            f"and one has {fewest}: give --shards {fewest} or fewer.")
            self.trunk, self.head = learner[:first], nn.Sequential(*head)
        self.sum = GradientSum([p for p in self.trunk.parameters() if p.requires_grad], ranks)
        self.whole: list[tuple] = []  # (split layer, parameter, its weights and velocity) of what is narrowed

    def __call__(self, images: Tensor) -> Tensor:
        if self.count is None:
            return self.learner(images)
        everybodys, rows = process_rows(self.count, self.ranks), shard_rows(self.count, self.ranks.shards)
        first, self.rows = everybodys[self.ranks.rank].start, [rows[shard] for shard in self.ranks.mine]
        self.outputs = [self.trunk(Tensor(images.data[part.start - first : part.stop - first]))
                        for part in parts_of_batch(self.rows)]
        mine = array_module(images.data).concatenate([output.data for output in self.outputs])
        self.features = Tensor(self.ranks.gather_rows(mine, everybodys), requires_grad=self.outputs[0].requires_grad)
        return self.head(self.features)

    def backward(self, is_last: bool) -> None:
        """From the gradient of the gathered features through the trunk. is_last: of the batch's parts."""
        for shard, rows, output in zip(self.ranks.mine, self.rows, self.outputs if self.sum.buckets else ()):
            with self.sum.taking(shard, output, is_last):
                output.backward(self.features.grad[rows])
        self.outputs, self.features = [], None

    def narrow(self) -> None:
        """Let the split layers have this process's units alone: what learns, learns in place."""
        for layer in self.split if not self.whole else ():
            for parameter in layer.layer.parameters():
                velocity = self.optimizer.velocity.setdefault(parameter, zeros(parameter))
                self.whole.append((layer, parameter, (parameter.data, velocity)))
                parameter.data, self.optimizer.velocity[parameter] = parameter.data[layer.own], velocity[layer.own]

    def widen(self) -> None:
        """Bring the whole network and the optimiser's whole memory into every process, to validate and to save."""
        for layer, parameter, arrays in self.whole:
            for array, own in zip(arrays, (parameter.data, self.optimizer.velocity[parameter])):
                array[...] = self.ranks.gather_rows(own, layer.units)
            parameter.data, self.optimizer.velocity[parameter] = arrays
        self.whole = []


# ------------------------------------------------------------------------------------------------ the loop


class SharedTrainer(Trainer):
    """See Trainer. `ranks` are the processes; of a batch this one reads its own rows: of each part, those of its shards."""

    def __init__(self, *arguments: Any, ranks: Ranks) -> None:
        super().__init__(*arguments)
        self.ranks, count, size = ranks, self.pictures_per_step, part_size(self.config)
        self.network = SharedNetwork(self.experiment.learner, self.optimizer, ranks, self.config.parallel == "hybrid")
        self.experiment.shared = self.network
        self.parts = [slice(start, min(start + size, count)) for start in range(0, count, size)]
        fewest = self.parts[-1].stop - self.parts[-1].start
        require(fewest >= ranks.shards, f"--shards {ranks.shards} cannot cut {fewest} pictures, the last part of a batch, into "
                                        "so many shards: give fewer shards (processes), or a smaller --accumulate.")
        self.rows = [np.concatenate([np.arange(part.start, part.stop)[process_rows(part.stop - part.start, ranks)[rank]]
                                     for part in self.parts]) for rank in range(ranks.size)]
        self.own = self.rows[ranks.rank]
        if not self.experiment.views:  # features that are kept are computed by every process
            self.loader.share = lambda batches: [batch[self.own] for batch in batches]

    def step(self, images: Any, labels: Any) -> None:
        """One step on a batch, of which `images` and `labels` are the own rows (or all, of kept features)."""
        began = time.monotonic()
        if len(labels) > len(self.own):
            images, labels = images[self.own], labels[self.own]
        if self.epoch == self.batch == 0:
            self._settle(images)
        self.network.narrow()
        self.optimizer.zero_grad()
        labels = self._everybodys(labels)
        for part in parts_of_batch(self.parts):
            self.network.count, mine = part.stop - part.start, slice(*np.searchsorted(self.own, (part.start, part.stop)))
            self._backward(*self.on_device(images[mine], labels[part]), self._share(labels, part))
            self.network.backward(is_last=part is self.parts[-1])
        self.network.count = None
        self.network.sum.finish()
        self.tell("on_gradients")
        self.optimizer.step()
        self._compare()
        self.ranks.lifeline.expect(time.monotonic() - began)

    def _settle(self, images):
        """Process 0 scales a new layer by the first shard, which it has; the others take what it makes of it."""
        if self.experiment.fresh and self.ranks.speaks:
            rows = shard_rows(self.parts[0].stop, self.ranks.shards)[0]
            finetune.settle(self.network.learner, self.experiment.fresh, *self.on_device(images[rows]))
        for parameter in self.network.learner.parameters() if self.experiment.fresh else ():
            parameter.data[...] = to_device(self.ranks.from_first(lambda p=parameter: to_numpy(p.data)), self.device)
        self.experiment.fresh = frozenset()

    def _everybodys(self, labels):
        """The labels of the whole batch: only who has read a picture knows whether it was replaced."""
        whole = np.empty(self.pictures_per_step, np.int64)
        for rows, theirs in zip(self.rows, self.ranks.gather(to_numpy(labels))):
            whole[rows] = theirs
        return self.on_device(whole)[0]

    def _compare(self):
        if self.batch % COMPARE_EVERY == COMPARE_EVERY - 1:
            check = sum(zlib.crc32(to_numpy(p.data)) for p in self.network.trunk.parameters())
            for said in self.ranks.differing("weights with the checksum", check):
                raise Diverged(f"epoch {self.epoch + 1}, step {self.batch + 1}: {said}. Go on from the last checkpoint, and look "
                               "at that machine's memory if it comes again.")

    def _judge(self, loader):
        """See Trainer. Process r of N computes every N-th batch from the r-th on; kept features are judged by every process."""
        judging = super()._judge(loader)
        if self.experiment.views:
            yield from judging
            return
        loader.share = lambda batches: batches[self.ranks.rank :: self.ranks.size]
        images = labels = None
        for _ in range(-(-len(loader) // self.ranks.size)):
            judged, images, labels = next(judging, (None, images, labels))
            for state in self.ranks.gather(judged and judged.state()):
                if state:
                    yield Tally(**state), images, labels

    def _prepare(self, loader, epoch):
        with self.ranks.lifeline.doing(BUSY):
            return super()._prepare(loader, epoch)

    def _validate(self):
        self.network.widen()
        return super()._validate()

    def _stop_if_asked(self):
        if any(self.ranks.gather(self.stopping)):
            self.stopping = True
            self.network.widen()
            super()._stop_if_asked()


class SharedCheckpoints(Checkpoints):
    """Process 0 saves; all bring a split network together before."""

    def is_due(self, trainer):
        due = trainer.ranks.gather(super().is_due(trainer))[0]
        if due:
            trainer.network.widen()
        return due

    def save(self, trainer):
        with trainer.ranks.writing():
            super().save(trainer)


class Followers(Callback):
    """What the other processes do when process 0 may save."""

    def on_step(self, trainer, images, labels):
        if trainer.ranks.gather(False)[0]:
            trainer.network.widen()
