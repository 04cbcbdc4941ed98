"""A Trainer whose batches the processes of a run share (parallel/). Order, crops and dropout of a
picture follow from (seed, epoch, its row of the batch), not from who computes it."""
import time
import zlib
from typing import Any

import numpy as np

from ..device import array_module, to_numpy
from ..errors import require
from ..evaluation.metrics import Tally
from ..parallel.network import SharedNetwork
from ..parallel.ranks import BUSY, Ranks
from ..parallel.sums import process_rows, shard_rows
from ..random import parts_of_batch
from .callbacks import Callback
from .loop import Diverged, Trainer, share_of

COMPARE_EVERY = 50  # steps between two comparisons of everybody's weights


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
