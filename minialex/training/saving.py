"""What a run writes, so that it can go on after anything: checkpoints and tables."""

import time
from typing import Any

from ..utils.files import NotWritten, keep_as
from . import checkpoint
from .callbacks import Callback
from .config import save_interval
from .divergence import require_finite_weights
from .loop import Trainer
from .run_dir import Epoch, Timing


class Checkpoints(Callback):
    """Save the run: at its beginning, within an epoch now and then, after an epoch where that is
    cheap, its best and its last.

    A disk that is full shows at the beginning, not hours later; one that is full for an hour does
    not end a week of training.
    """

    SHARE = 0.02  # at most this part of the time goes into saving before the last epoch is over

    def __init__(self, save_every: str) -> None:
        self.most_steps, self.most_seconds = save_interval(save_every)
        self.saved_at, self.steps = time.perf_counter(), 0

    def on_begin(self, trainer: Trainer) -> None:
        if trainer.saved is None:
            self.save(trainer)
        else:
            keep_best(trainer)  # which the run has not done if it was killed right after saving

    def on_step(self, trainer: Trainer, images: Any, labels: Any) -> None:
        self.steps += 1
        if trainer.agree(self.is_due(trainer)):
            require_finite_weights(trainer)
            try:
                self.save(trainer)
            except NotWritten as problem:
                later(trainer, problem)

    def is_due(self, trainer: Trainer) -> bool:
        """Is it time to save within the epoch?"""
        if self.most_seconds is None:
            return self.steps >= (self.most_steps or 1)
        return time.perf_counter() - self.saved_at >= self.most_seconds and self._is_cheap(trainer)

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        """Only complete validations make an epoch the best: samples may have had more luck."""
        before, mark = trainer.best, (row.val_top1, -row.val_loss, row.epoch)
        better = before is None or mark[:2] > tuple(before[:2])
        is_best = better and trainer.is_complete(row.epoch - 1)
        trainer.best = mark if is_best else before
        is_last = row.epoch == trainer.config.epochs
        try:
            if is_best or is_last or self._is_cheap(trainer):
                self.save(trainer)
            keep_best(trainer)
        except NotWritten as problem:
            trainer.best = before  # the network that was better is nowhere
            later(trainer, problem, is_last)

    def on_stop(self, trainer: Trainer) -> None:
        self.save(trainer)

    def _is_cheap(self, trainer: Trainer) -> bool:
        if trainer.saved == (0, 0):  # nothing learnt is kept yet
            return True
        return time.perf_counter() - self.saved_at > trainer.costs.get("save", 0.0) / self.SHARE

    def save(self, trainer: Trainer) -> None:
        """Write checkpoint-last.npz. Raises NotWritten when it cannot; the older one then stays."""
        start = time.perf_counter()
        try:
            checkpoint.save_run(trainer)
        finally:  # what has failed is tried again after the same time
            self.saved_at, self.steps = time.perf_counter(), 0
        trainer.saved, trainer.costs["save"] = (trainer.epoch, trainer.batch), self.saved_at - start


def keep_best(trainer: Trainer) -> None:
    """Give the checkpoint that was saved last its second name, if it is the best one."""
    if trainer.best is not None and trainer.saved == (trainer.best[2], 0):
        keep_as(trainer.folder.last, trainer.folder.best)


class Tables(Callback):
    """Write metrics.csv and timing.csv."""

    def on_begin(self, trainer: Trainer) -> None:
        metrics = ([row.epoch, f"{row.lr:.6g}", *(f"{number:.6f}" for number in row[2:])]
                   for row in trainer.history)
        timing = ([row.epoch, *(round(value, 3) for value in row[1:])] for row in trainer.timing)
        trainer.folder.write_table("metrics.csv", Epoch._fields, metrics)
        trainer.folder.write_table("timing.csv", Timing._fields, timing)

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        try:
            self.on_begin(trainer)
        except NotWritten as problem:
            later(trainer, problem, row.epoch == trainer.config.epochs)


def later(trainer: Trainer, problem: NotWritten, is_last: bool = False) -> None:
    """Say that a file could not be written and is tried again; raise `problem` the last time."""
    if is_last:
        raise problem
    trainer.warn(f"{problem} The run goes on and tries again later.")
