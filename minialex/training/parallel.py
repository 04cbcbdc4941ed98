"""A Trainer whose batches are cut into shards, which the processes of a run share: the same bytes for any number of them.

Order, crops and dropout of a picture follow from (seed, epoch, its row of the batch), not from who computes it. Losses are
added up in the order of the shards, gradients along one tree (see shards.py). After its gradients each step has one small
exchange, in which all learn of each other's losses, of Ctrl-C in one of them, of NaN in one of them.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import numpy as np

from .. import functional as F
from ..device import to_numpy
from ..errors import UserError
from ..evaluation.metrics import Tally
from ..random import parts_of_batch
from ..tensor import Tensor, no_grad
from . import finetune
from .hybrid import Hybrid
from .loop import Diverged, Interrupted, Trainer
from .ranks import Ranks
from .saving import Checkpoints
from .setup import part_size, validation_loader, validation_pictures
from .shards import GradientSum, shard_rows

COMPARE_EVERY = 50  # steps between two comparisons of everybody's weights


class SharedTrainer(Trainer):
    """See Trainer. `ranks` are the processes; of a batch this one reads the rows of its own shards."""

    def __init__(self, *arguments: Any, ranks: Ranks) -> None:
        super().__init__(*arguments)
        self.ranks, self.all_stop, self.hybrid, self.sum = ranks, False, None, None
        self.rows = shard_rows(self.pictures_per_step, ranks.shards)
        self.own = slice(self.rows[ranks.mine[0]].start, self.rows[ranks.mine[-1]].stop)
        if not self.experiment.views:  # features that are kept are computed by every process
            self.loader.share = lambda batches: [batch[self.own] for batch in batches]

    def _share_network(self):
        """At the first step: a run that goes on has its weights then."""
        learner = self.experiment.learner
        if self.config.parallel == "hybrid":
            self.hybrid = Hybrid(learner, self.optimizer, self.ranks)
            learner = self.hybrid.trunk
        self.sum = GradientSum([p for p in learner.parameters() if p.requires_grad], self.ranks)
        if self.ranks.lifeline:
            self.ranks.lifeline.impatient = True

    # a step

    def step(self, images: Any, labels: Any) -> None:
        """One step on a batch, of which `images` and `labels` are the rows of this process (or all, of kept features)."""
        if len(labels) > self.own.stop - self.own.start:
            images, labels = images[self.own], labels[self.own]
        self._settle(images)
        if self.sum is None:
            self._share_network()
        self.problem, self.tallies = None, []
        (self.hybrid or self.optimizer).zero_grad()
        (self._hybrid_pass if self.hybrid else self._data_pass)(images, labels)
        self.sum.finish()
        self._agree()
        self.tell("on_gradients")
        (self.hybrid or self.optimizer).step()

    def _settle(self, images):
        """Process 0 has the first rows, by which a new layer is scaled; the others take what it makes of them."""
        if self.epoch == self.batch == 0 and self.experiment.fresh:
            if self.ranks.speaks:
                finetune.settle(self.experiment.learner, self.experiment.fresh, *self.on_device(images[: part_size(self.config)]))
            for parameter in self.experiment.learner.parameters():
                self.ranks.broadcast(parameter.data)
            self.experiment.fresh = frozenset()

    def _parts(self, images, labels) -> Iterator:
        """(shard, is it its last part?, rows of the batch, images, labels) of everything that this process computes."""
        size = part_size(self.config)
        parts = [(shard, slice(start, min(start + size, rows.stop))) for shard in self.ranks.mine for rows in [self.rows[shard]]
                 for start in range(rows.start, rows.stop, size)]
        for (shard, part), _ in zip(parts, parts_of_batch([part for _, part in parts])):
            here = slice(part.start - self.own.start, part.stop - self.own.start)
            yield shard, part.stop == self.rows[shard].stop, part, *self.on_device(images[here], labels[here])

    def _data_pass(self, images, labels):
        weight = self._weight_of_all(labels)
        for shard, is_last, part, some, their_labels in self._parts(images, labels):
            logits = self.experiment.learner(Tensor(some))
            loss = self._loss(logits, their_labels, some)
            share = (part.stop - part.start) / self.pictures_per_step
            if weight is not None:
                share = float(self.class_weights[their_labels].sum()) / weight
            if is_last:
                with self.sum.taking(shard, loss):
                    (loss * share).backward()
            else:
                (loss * share).backward()

    def _weight_of_all(self, labels):
        """The sum of the class weights over the batch, added in the order of the shards; None without class weights."""
        if self.class_weights is None:
            return None
        start = self.own.start
        each = [labels[rows.start - start : rows.stop - start] for rows in (self.rows[shard] for shard in self.ranks.mine)]
        mine = [float(self.class_weights[some].sum()) for some in self.on_device(*each)]
        return sum(chain.from_iterable(self.ranks.gather(mine)))

    def _hybrid_pass(self, images, labels):
        """The trunk by shards, the head for the whole batch in every process, then both backward."""
        outputs = [(shard, self.hybrid.trunk(Tensor(some))) for shard, _, _, some, _ in self._parts(images, labels)]
        counts = [self.rows[share[-1]].stop - self.rows[share[0]].start for share in self.ranks.shares]
        features = Tensor(self.hybrid.features([output.data for _, output in outputs], counts), requires_grad=True)
        all_labels, = self.on_device(np.concatenate(self.ranks.gather(to_numpy(labels))))
        self._loss(self.hybrid.head(features), all_labels, None).backward()
        for shard, output in outputs:
            with self.sum.taking(shard, output):
                output.backward(features.grad[self.rows[shard]])

    def _loss(self, logits, labels, images):
        """The mean loss of some pictures. Notes it, and what is wrong with it, for all to learn of."""
        loss = F.cross_entropy(logits, labels, self.class_weights)
        if self.epoch or self.batch or not self.tallies:  # what is said of the first loss is said once
            try:
                self.tell("on_loss", loss, images, labels)
            except Diverged as error:
                self.problem = self.problem or str(error)
        told = loss if self.class_weights is None else F.cross_entropy(logits.data, labels)
        tally = Tally()
        tally.add(told.data, logits.data, labels)
        self.tallies.append(tally)
        return loss

    def _agree(self):
        """Everybody's losses, and whether anybody stops. Raises Diverged, in all processes, when one has seen NaN."""
        due = self.batch % COMPARE_EVERY == COMPARE_EVERY - 1 and not self.hybrid
        check = sum(zlib.crc32(to_numpy(p.data)) for p in self.model.parameters()) if due and self.ranks.size > 1 else None
        tallies = [tally.state() for tally in self.tallies]
        found = self.ranks.gather((self.problem, self.stopping, check, tallies))
        for rank, (problem, stops, theirs, _) in enumerate(found):
            self.all_stop |= stops
            if problem:
                raise self.ranks.agreed(Diverged(problem))
            if theirs != check:
                raise self.ranks.agreed(Diverged(f"after step {self.batch} of epoch {self.epoch + 1} the weights of "
                                                 f"{self.ranks.name(rank)} are not those of the others: go on from the last "
                                                 "checkpoint, and look at that machine's memory if it comes again."))
        for state in found[0][3] if self.hybrid else chain.from_iterable(states for *_, states in found):
            self.tally.merge(state)

    # the rest of an epoch

    def _validate(self):
        """See Trainer. Process r of N computes every N-th batch from the r-th on."""
        self.gather_network()
        if self.experiment.views:
            return super()._validate()
        self.model.eval()
        loader = self.validation
        if not self.is_complete(self.epoch):
            loader = validation_loader(self.experiment, validation_pictures(self.experiment, complete=False))
        loader.share = lambda batches: batches[self.ranks.rank :: self.ranks.size]
        tally, size, images, labels = Tally(), self.ranks.size, None, None
        with no_grad(), self.progress.phase("validation", len(loader.pictures)) as bar:
            batches = iter(loader)
            for _ in range(-(-len(loader) // size)):
                mine = None
                for images, labels in [self.on_device(*batch) for batch in [next(batches, None)] if batch is not None]:
                    logits = self.experiment.learner(Tensor(images))
                    mine = Tally()
                    mine.add(F.cross_entropy(logits, labels).data, logits.data, labels)
                for stops, state in self.ranks.gather((self.stopping, mine and mine.state())):
                    self.all_stop |= stops
                    if state:
                        tally.merge(state)
                        bar.step(state["count"])
                self._stop_if_asked()
        with self._agreed():
            self._check_validated(tally, loader, images, labels)
        return tally.fetch(), tally.count

    @contextmanager
    def _agreed(self):
        """Around what ends in the same way in every process."""
        try:
            yield
        except (Interrupted, Diverged, UserError) as error:
            raise self.ranks.agreed(error) from None

    def gather_network(self) -> None:
        """Bring together what the processes have learnt of a network that they share."""
        if self.hybrid:
            self.hybrid.gather()

    def _stop_if_asked(self):
        if self.all_stop:
            self.stopping = True
            self.gather_network()
            with self._agreed():
                super()._stop_if_asked()


class SharedCheckpoints(Checkpoints):
    """All processes decide together when to save, because a shared network is brought together before; process 0 writes."""

    def __init__(self, save_every: str, ranks: Ranks) -> None:
        super().__init__(save_every)
        self.ranks = ranks

    def is_due(self, trainer):
        due = self.ranks.gather(super().is_due(trainer))[0]
        if due:
            trainer.gather_network()
        return due

    def save(self, trainer):
        if self.ranks.speaks:
            with self.ranks.busy():
                super().save(trainer)
