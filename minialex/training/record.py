"""What a run remembers: the results of its epochs, its checkpoints, and how to go on from one."""

import dataclasses
import time

from ..data.names import differing
from ..errors import UserError
from ..random import random_state, set_random_state
from ..utils.files import NotWritten
from . import checkpoint, freezing
from .config import save_interval
from .metrics import Tally

SAVING_SHARE = 0.02  # at most this part of the time goes into saving before the last epoch is over


class Record:
    """The history of a Trainer, in memory and in its run folder."""

    def __init__(self, trainer, folder):
        self.trainer, self.folder = trainer, folder
        self.history, self.timing = [], []  # rows of metrics.csv and timing.csv
        self.best = None  # (top-1, −loss, epoch) of the best complete validation
        self.saved = None  # (epoch, steps) of the last checkpoint
        self.saved_at, self.save_seconds, self.steps = time.perf_counter(), 0.0, 0
        self.most_steps, self.most_seconds = save_interval(trainer.config.save_every)

    def begin(self):
        """Save a run that has no checkpoint-last.npz yet: a disk that is full or closed shows now, not hours later."""
        if self.saved is None:
            self.save()
            self.write_tables()

    def epoch(self, row, complete, times):
        """An epoch is over: keep its row of metrics and its times, and save if it is time to.

        Only complete validations can make an epoch the best: samples of different luck are not compared.
        """
        epoch, *_, val_loss, val_top1, _ = row
        self.history.append(row)
        mark = (val_top1, -val_loss, epoch)
        is_best = complete and (self.best is None or mark[:2] > tuple(self.best[:2]))
        best_before, self.best = self.best, mark if is_best else self.best
        self.timing.append((epoch, *times))
        self.trainer.pace.epoch(row, complete, times)
        is_last = epoch == self.trainer.config.epochs
        try:
            if is_best or is_last or self._is_cheap():
                self.save()
            self._keep_best()
            self.write_tables()
        except NotWritten as problem:
            self.best = best_before  # the network that was better is nowhere
            if is_last:
                raise
            self._try_later(problem)

    def _keep_best(self):
        """Give the checkpoint that was saved last its second name, if it is the best one."""
        if self._is_best_now():
            checkpoint.keep_as(self.folder.last, self.folder.best)

    def _is_best_now(self):
        """Is the network that was saved last the best so far?"""
        return self.best is not None and self.saved == (self.best[2], 0)

    def write_tables(self):
        """Write metrics.csv and timing.csv."""
        self.folder.write_metrics(self.history)
        self.folder.write_timing(self.timing)

    def step(self):
        """A step is over. Returns whether it is time to save in the middle of the epoch."""
        self.steps += 1
        if self.most_steps is not None:
            return self.steps >= self.most_steps
        return time.perf_counter() - self.saved_at >= self.most_seconds and self._is_cheap()

    def _is_cheap(self):
        if self.saved == (0, 0):  # nothing learnt is kept yet
            return True
        return time.perf_counter() - self.saved_at > self.save_seconds / SAVING_SHARE

    def save_or_warn(self):
        """Save in the middle of an epoch."""
        try:
            self.save()
        except NotWritten as problem:
            self._try_later(problem)

    def _try_later(self, problem):
        """A disk that is full for an hour does not end a week of training; what was saved before is still there."""
        self.steps, self.saved_at = 0, time.perf_counter()
        self.trainer.progress.line(f"warning  {problem} The run goes on and tries again later.")

    def save(self):
        """Write checkpoint-last.npz. Raises NotWritten when it cannot be written; the one before then stays."""
        start = time.perf_counter()
        trainer, statistics = self.trainer, self.trainer.experiment.statistics
        names = [name for name, _ in freezing.learning(trainer.model)]
        optimizer = trainer.optimizer.state_dict()
        velocity = {name: array for name, array in zip(names, optimizer["velocity"]) if array is not None}
        checkpoint.save(self.folder.last, trainer.model.state_dict(), velocity, statistics.mean, {
            "variant": trainer.config.variant,
            "input_shape": list(trainer.model.input_shape),
            "classes": trainer.experiment.train.classes,
            "class_names": differing(trainer.experiment.train.classes),
            "settings": dataclasses.asdict(trainer.config),
            "std": statistics.std,
            "components": None if statistics.components is None else statistics.components.tolist(),
            "pixels": trainer.config.pixels,
            "epoch": trainer.epoch,
            "batch": trainer.batch,
            "tally": trainer.tally.state(),
            "history": self.history,
            "timing": self.timing,
            "best": self.best,
            "groups": optimizer["groups"],
            "schedule": trainer.schedule.state_dict(),
            "random": random_state(),
        }, trainer.experiment.first_kernels)
        self.saved, self.saved_at, self.steps = (trainer.epoch, trainer.batch), time.perf_counter(), 0
        self.save_seconds = self.saved_at - start

    def what_is_kept(self):
        """The end of a sentence about a run that cannot go on."""
        if self.saved in (None, (0, 0)):
            return ""
        epoch, steps = self.saved
        return f" {self.folder.last} has the network after epoch {epoch}" + (f" and {steps} steps." if steps else ".")

    def restore(self, weights, velocity, state):
        """Put the Trainer where `save` was called. Raises UserError when the checkpoint belongs to another run."""
        trainer = self.trainer
        names = [name for name, _ in freezing.learning(trainer.model)]
        try:
            trainer.model.load_state_dict(weights)
            trainer.optimizer.load_state_dict({"velocity": [velocity.get(name) for name in names], "groups": state["groups"]})
            trainer.schedule.load_state_dict(state["schedule"])
            set_random_state(state["random"])
            trainer.epoch, trainer.batch, trainer.tally = state["epoch"], state["batch"], Tally(**state["tally"])
            self.history, self.timing, self.best = state["history"], state["timing"], state["best"]
            self.saved = (trainer.epoch, trainer.batch) if self.folder.source == self.folder.last else None
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{self.folder.source} does not belong to this run: {error}") from error
        self._keep_best()  # its second name, which it did not get if the run was killed right after saving
        self.write_tables()
