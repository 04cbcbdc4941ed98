"""A Trainer whose batches are cut into shards, which the processes of a run share: the same bytes
for any number of them.

    --parallel data       each process computes its shards through the whole network
    --parallel hybrid     one weird trick (Krizhevsky 2014): its shards through the convolutions,
                          then its units for all pictures

    conv1 … pool5     5 % of the weights, 95 % of the arithmetic   trunk: by shards of the batch
    fc6, fc7, fc8    95 % of the weights,  5 % of the arithmetic   head: by output units, for the
                                                                   whole batch

In both, what the trunk makes of everybody's pictures is gathered, so that every process has the
loss of the whole batch; with data alone there is no head. A layer's units are cut into the run's K
groups; a process has the groups with its shards' numbers. Only the trunk's gradients travel. This
is scheme (a) of the paper's section 4. Order, crops and dropout of a picture follow from (seed,
epoch, its row of the batch), not from who computes it.

A batch's gradient is the sum of its shards', added along one fixed tree, whoever computed them:

    batch of B pictures → K shards, each with its own gradient     g0  g1  g2  g3  g4  g5
    s and s + 1, then s and s + 2, then s and s + 4 …              g0+g1   g2+g3   g4+g5
                                                                   (g0+g1)+(g2+g3)
                                                                   ((g0+g1)+(g2+g3))+(g4+g5)

Floating-point sums depend on their order, and here the order depends on K alone. So 1, 2 or K
processes end with the same bytes. Between N processes a sum is made in pieces: each process gets
its N-th part of everybody's partial sums (all-to-all), adds them along the tree, and gives the
result to all (all-gather). See Krizhevsky 2014, section 4, for what this costs.
"""

import time
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import models, nn, optim
from ..device import array_module, to_numpy
from ..errors import require
from ..evaluation.metrics import Tally
from ..fast.buffers import empty
from ..fast.linear import matmul
from ..random import parts_of_batch
from ..tensor import Function, Tensor, _reverse_order
from ..watching import watching
from .callbacks import Callback
from .loop import Diverged, Trainer, share_of
from .ranks import BUSY, Ranks

COMPARE_EVERY = 50  # steps between two comparisons of everybody's weights

# ----------------------------------------------------------------------------------------- the sums


def shard_rows(count: int, shards: int) -> list[slice]:
    """Which rows of a batch of `count` pictures each of its shards has: as many as the others, or
    one more."""
    return [slice(count * shard // shards, count * (shard + 1) // shards)
            for shard in range(shards)]


def process_rows(count: int, ranks: Ranks) -> list[slice]:
    """Which of `count` rows each process has: those of its shards."""
    return [slice(count * share.start // ranks.shards, count * share.stop // ranks.shards)
            for share in ranks.shares]


class TreeSum:
    """Sums [(first shard, end, array)] of what was put, in the shards' order; two are one as soon
    as the tree adds them."""

    def __init__(self, shards: int) -> None:
        self.shards, self.sums = shards, []

    def put(self, start: int, end: int, array: Any) -> None:
        """Take the sum of shards start … end − 1; later ones are added into `array`, which becomes
        ours."""
        # the left neighbour covers as many shards as this, up to the end of the batch
        step = start & -start
        while self.sums and self.sums[-1][0] == start - step and end == min(start + step,
                                                                            self.shards):
            start, _, left = self.sums.pop()
            left += array
            array, step = left, start & -start
        self.sums.append((start, end, array))


def partial_sums(share: range, shards: int) -> list[tuple[int, int]]:
    """[(start, end)] of the sums that the shards of a share leave: what a process that has them
    sends."""
    tree = TreeSum(shards)
    for shard in share:
        tree.put(shard, shard + 1, 0)
    return [(start, end) for start, end, _ in tree.sums]


def whole_sum(tree: TreeSum, ranks: Ranks) -> np.ndarray:
    """The sum over all shards of everybody's trees."""
    arrays = [array for _, _, array in tree.sums]
    if ranks.size == 1:
        return arrays[0]
    like, piece = arrays[0], -(-arrays[0].size // ranks.size)
    # of what each process has
    spans = [partial_sums(share, ranks.shards) for share in ranks.shares]
    # all send as many rows
    give = empty((max(map(len, spans)), ranks.size * piece), like.dtype, like)
    give[:, like.size :] = 0
    for row, array in zip(give, arrays):
        row[: like.size] = array.reshape(-1)
    got = ranks.all_to_all(give.reshape(len(give), ranks.size, piece).swapaxes(0, 1))
    whole = TreeSum(ranks.shards)
    for theirs, rows in zip(spans, got):
        for (start, end), row in zip(theirs, rows):
            whole.put(start, end, row)
    return ranks.all_gather(whole.sums[0][2]).reshape(-1)[: like.size].reshape(like.shape)


class GradientSum:
    """Adds the gradients of a batch's shards, this process's and the others', for the parameters
    that learn.

    Let `backward` make the pass of each shard, in order, then call `finish()`: every parameter's
    .grad is the whole batch's then. What the last pass finishes first (fc8) travels while the rest
    is computed.
    """

    def __init__(self, parameters: Sequence[Tensor], ranks: Ranks) -> None:
        self.ranks, self.parameters = ranks, parameters[::-1]  # as a backward pass reaches them
        # of a shard, before its last part
        self.parts: dict[tuple[Tensor, int], np.ndarray | None] = {}
        self.trees, self.sums = {}, {}

    def backward(self, shard: int, output: Tensor, gradient: np.ndarray,
                 is_last: bool = True) -> None:
        """From the gradient of a shard's output. is_last: of the parts in which the batch is worked
        on."""
        goes = self.ranks.size > 1 and is_last and shard == self.ranks.mine[-1]
        left = list(self.parameters)
        uses = Counter(source for function in _reverse_order(output.creator)
                       for source in function.sources)
        for parameter in left:
            parameter.grad = self.parts.pop((parameter, shard), None)

        def watch(direction, function, call):
            def watched(grad_output):
                grads = call(grad_output)
                new = dict(zip(function.sources,
                               grads if isinstance(grads, (tuple, list)) else (grads,)))
                while left and uses[left[0]] == 1 and getattr(new.get(left[0]), "dtype",
                                                              None) == left[0].dtype:
                    # is complete, and every process sends it next; it is only read while it travels
                    parameter = left.pop(0)
                    before = parameter.grad
                    self._put(parameter, shard,
                              new[parameter] if before is None else before + new[parameter])
                return grads
            return watched if goes and direction == "backward" else call

        with watching(watch):
            output.backward(gradient)
        for parameter in self.parameters:
            grad, parameter.grad = parameter.grad, None
            grad = array_module(parameter.data).zeros_like(parameter.data) if grad is None else grad
            if not is_last:
                self.parts[parameter, shard] = grad
            elif parameter in left:
                self._put(parameter, shard, grad)

    def _put(self, parameter, shard, grad):
        tree = self.trees.setdefault(parameter, TreeSum(self.ranks.shards))
        tree.put(shard, shard + 1, grad)
        if shard == self.ranks.mine[-1]:
            self.sums[parameter] = self.ranks.later(whole_sum, self.trees.pop(parameter),
                                                    self.ranks)

    def finish(self) -> None:
        """Wait for all sums and give every parameter its gradient."""
        for parameter in self.parameters:
            parameter.grad = self.sums.pop(parameter)()


# -------------------------------------------------------------------------------------- the network


class SplitLinear(nn.Module):
    """A fully connected layer of which this process computes some output units: x (N, in) → y (N,
    out), both whole everywhere.

    units: of each process; own: this one's, whose weights the layer has while it learns; rows: of
    each of its groups there.
    """

    def __init__(self, layer: nn.Linear, ranks: Ranks) -> None:
        self.layer, self.ranks = layer, ranks
        self.units = process_rows(layer.out_features, ranks)
        self.own, groups = self.units[ranks.rank], shard_rows(layer.out_features, ranks.shards)
        self.rows = [slice(groups[shard].start - self.own.start,
                           groups[shard].stop - self.own.start) for shard in ranks.mine]

    def forward(self, x: Tensor) -> Tensor:
        return _ByUnits(self)(x, *self.layer.parameters())


class _ByUnits(Function):
    """y[:, units] = x Wᵀ[units] + b[units] for each group here, then everybody's units; dx = Σ over
    all groups of g W."""

    fresh_gradients = True

    def __init__(self, split):
        self.split = split

    def forward(self, x, weight, *bias):
        self.save_for_backward(x, weight)
        # a unit is a row
        y = array_module(x).concatenate([matmul(x, weight[rows].T).T for rows in self.split.rows])
        for b in bias:
            y += b[:, None]
        return array_module(x).ascontiguousarray(self.split.ranks.gather_rows(y,
                                                                              self.split.units).T)

    def backward(self, g):
        x, weight = self.saved
        split, xp, mine = self.split, array_module(g), g[:, self.split.own]
        tree = TreeSum(split.ranks.shards)
        for shard, rows in zip(split.ranks.mine, split.rows if self.needs_input_grad[0] else ()):
            tree.put(shard, shard + 1, matmul(mine[:, rows], weight[rows]))
        return (whole_sum(tree, split.ranks) if tree.sums else None,
                xp.concatenate([matmul(mine[:, rows].T, x) for rows in split.rows]),
                *(xp.concatenate([mine[:, rows].sum(axis=0) for rows in split.rows])
                  for _ in self.needs_input_grad[2:]))


class SharedNetwork:
    """The learner, in whose place it stands: takes this process's pictures of a part of a batch,
    gives the logits of all.

    count: pictures in the part; None: not in a step, the learner sees what it is given. `optimizer`
    has the whole network's memory. Raises UserError where a network cannot be split.
    """

    def __init__(self, learner: nn.Module, optimizer: optim.SGD, ranks: Ranks,
                 hybrid: bool) -> None:
        self.learner, self.optimizer, self.ranks, self.count = learner, optimizer, ranks, None
        self.trunk, self.head, self.split = learner, nn.Sequential(), []
        if hybrid:
            layers = [layer
                      for _, layer in learner.named_children()] if models.is_chain(learner) else []
            first = next((n for n, layer in enumerate(layers) if isinstance(layer, nn.Linear)), 0)
            require(first, "--parallel hybrid needs convolutions and then fully connected layers: "
                    "train this network with --parallel data.")
            head = [SplitLinear(layer, ranks) if isinstance(layer, nn.Linear) else layer
                    for layer in layers[first:]]
            self.split = [layer for layer in head if isinstance(layer, SplitLinear)]
            fewest = min(split.layer.out_features for split in self.split)
            require(fewest >= ranks.shards, "--parallel hybrid cuts fully connected layers into "
                    f"{ranks.shards} groups of units, and one has {fewest}: "
                    f"give --shards {fewest} or fewer.")
            self.trunk, self.head = learner[:first], nn.Sequential(*head)
        self.sum = GradientSum([p for p in self.trunk.parameters() if p.requires_grad], ranks)
        # (split layer, parameter, its weights and velocity) of what is narrowed
        self.whole: list[tuple] = []

    def __call__(self, images: Tensor) -> Tensor:
        if self.count is None:
            return self.learner(images)
        self.narrow()
        everybodys, rows = process_rows(self.count, self.ranks), shard_rows(self.count,
                                                                            self.ranks.shards)
        first, self.rows = everybodys[self.ranks.rank].start, [rows[shard]
                                                               for shard in self.ranks.mine]
        self.outputs = [self.trunk(Tensor(images.data[part.start - first : part.stop - first]))
                        for part in parts_of_batch(self.rows)]
        mine = array_module(images.data).concatenate([output.data for output in self.outputs])
        self.features = Tensor(self.ranks.gather_rows(mine, everybodys),
                               requires_grad=self.outputs[0].requires_grad)
        return self.head(self.features)

    def backward(self, is_last: bool) -> None:
        """From the gradient of the gathered features through the trunk. is_last: of the batch's
        parts."""
        for shard, rows, output in zip(self.ranks.mine, self.rows,
                                       self.outputs if self.sum.parameters else ()):
            self.sum.backward(shard, output, self.features.grad[rows], is_last)
        self.outputs, self.features = [], None

    def narrow(self) -> None:
        """For a step, let the split layers have this process's units alone: what learns, learns in
        place."""
        for layer in self.split if not self.whole else ():
            for parameter in layer.layer.parameters():
                velocity = self.optimizer.velocity.setdefault(
                    parameter, array_module(parameter.data).zeros_like(parameter.data))
                self.whole.append((layer, parameter, (parameter.data, velocity)))
                parameter.data, self.optimizer.velocity[parameter] = (parameter.data[layer.own],
                                                                      velocity[layer.own])

    def widen(self) -> None:
        """Bring the whole network and the optimiser's whole memory into every process, to validate
        and to save."""
        for layer, parameter, arrays in self.whole:
            for array, own in zip(arrays, (parameter.data, self.optimizer.velocity[parameter])):
                array[...] = self.ranks.gather_rows(own, layer.units)
            parameter.data, self.optimizer.velocity[parameter] = arrays
        self.whole = []


# ----------------------------------------------------------------------------------------- the loop


class SharedTrainer(Trainer):
    """See Trainer. `ranks` are the processes; of a batch this one reads its own rows: of each part,
    those of its shards."""

    def __init__(self, *arguments: Any, ranks: Ranks) -> None:
        super().__init__(*arguments)
        self.ranks, last = ranks, self.parts[-1]
        self.learner = self.network = SharedNetwork(self.learner, self.optimizer, ranks,
                                                    self.config.parallel == "hybrid")
        require(last.stop - last.start >= ranks.shards, f"--shards {ranks.shards} cannot cut "
                f"{last.stop - last.start} pictures, the last part of a batch, "
                "into so many shards: give fewer shards (processes), or a smaller --accumulate.")
        # everybody's
        self.rows = [process_rows(part.stop - part.start, ranks) for part in self.parts]
        self.own = np.concatenate([np.arange(part.start, part.stop)[rows[ranks.rank]]
                                   for part, rows in zip(self.parts, self.rows)])
        self.mine = [slice(*np.searchsorted(self.own, (part.start, part.stop)))
                     for part in self.parts]
        self.loader.share = lambda batches: [batch[self.own] for batch in batches]
        for loader in (self.loader, self.validation) if self.experiment.views else ():
            loader.in_turns = ranks.in_turns

    def step(self, images: Any, labels: Any) -> None:
        """See Trainer; `images` and `labels` are the own rows of a batch."""
        began = time.monotonic()
        super().step(images, labels)
        self._compare()
        self.ranks.lifeline.expect(time.monotonic() - began)

    def _parts(self, images, labels):
        """See Trainer: the own images and all labels. Only who has read a picture knows whether it
        was replaced."""
        labels = array_module(labels).concatenate([
            self.ranks.gather_rows(labels[mine], rows) for mine, rows in zip(self.mine, self.rows)])
        for part, mine in zip(parts_of_batch(self.parts), self.mine):
            self.network.count = part.stop - part.start
            yield *self.on_device(images[mine], labels[part]), share_of(part, labels,
                                                                        self.class_weights)
            self.network.backward(is_last=mine is self.mine[-1])
        self.network.count = None
        self.network.sum.finish()

    def _settle(self, images):
        """See Trainer. Process 0 does it by the first shard, which it has; the others take what it
        makes of it."""
        if self.ranks.speaks:
            super()._settle(images[shard_rows(self.network.count, self.ranks.shards)[0]])
        self.network.learner.load_state_dict(self.ranks.from_first(self.network.learner.state_dict))

    def _compare(self):
        if self.batch % COMPARE_EVERY == COMPARE_EVERY - 1:
            check = sum(zlib.crc32(to_numpy(p.data)) for p in self.network.trunk.parameters())
            for said in self.ranks.differing("weights with the checksum", check):
                raise Diverged(f"epoch {self.epoch + 1}, step {self.batch + 1}: {said}. "
                               "Go on from the last checkpoint, "
                               "and look at that machine's memory if it comes again.")

    def _judge(self, loader):
        """See Trainer. The processes take turns."""
        self.network.widen()
        states = (judged.state() for judged in super()._judge(loader))
        return (Tally(**state) for state in self.ranks.in_turns(loader, states))

    def agree(self, wanted):
        """Does any process want it? Then all do, and have the whole network."""
        agreed = any(self.ranks.gather(wanted))
        if agreed:
            self.network.widen()
        return agreed

    def tell(self, event, *what):
        """See Trainer. What callbacks do may take its time, saving for example."""
        with self.ranks.lifeline.doing(BUSY):
            super().tell(event, *what)


class Followers(Callback):
    """What the other processes do when process 0 may save."""

    def on_step(self, trainer, images, labels):
        trainer.agree(False)
