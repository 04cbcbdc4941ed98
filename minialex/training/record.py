"""What a run remembers: the results of its epochs, its checkpoints, and how to go on from one."""

import time

from .. import backend
from ..errors import UserError
from . import checkpoint
from .metrics import Tally

SAVING_SHARE = 0.02  # at most this part of the time goes into saving between the first epoch and the last tenth


class Record:
    """The history of a Trainer, in memory and in its run folder."""

    def __init__(self, trainer, folder):
        self.trainer, self.folder = trainer, folder
        self.history, self.timing = [], []  # rows of metrics.csv and timing.csv
        self.best = None  # (top-1, −loss, epoch) of the best complete validation
        self.saved_epoch, self.saved_at, self.save_seconds = None, -float("inf"), 0.0

    def epoch(self, row, complete, times):
        """An epoch is over: keep its row of metrics and its times, and save if it is time to.

        Only complete validations can make an epoch the best: samples of different luck are not compared.
        """
        epoch, *_, val_loss, val_top1, _ = row
        self.history.append(row)
        mark = (val_top1, -val_loss, epoch)
        is_best = complete and (self.best is None or mark[:2] > tuple(self.best[:2]))
        self.best = mark if is_best else self.best
        self.timing.append((epoch, *times))
        if is_best or self._is_time_to_save() or epoch == self.trainer.config.epochs:
            self.save()
        if is_best:
            checkpoint.keep_as(self.folder.last, self.folder.best)
        self.write_tables()
        self.trainer.pace.epoch(row, complete, sum(times[::2]))

    def write_tables(self):
        """Write metrics.csv and timing.csv."""
        self.folder.write_metrics(self.history)
        self.folder.write_timing(self.timing)

    def _is_time_to_save(self):
        return time.perf_counter() - self.saved_at > self.save_seconds / SAVING_SHARE

    def save(self):
        """Write checkpoint-last.npz. Raises UserError when it cannot be written; the one before then stays."""
        start = time.perf_counter()
        trainer, statistics = self.trainer, self.trainer.experiment.statistics
        names = [name for name, _ in trainer.model.named_parameters()]
        optimizer = trainer.optimizer.state_dict()
        velocity = {name: array for name, array in zip(names, optimizer["velocity"]) if array is not None}
        checkpoint.save(self.folder.last, trainer.model.state_dict(), velocity, statistics.mean, {
            "variant": trainer.config.variant,
            "input_shape": list(trainer.model.input_shape),
            "classes": trainer.experiment.train.classes,
            "std": statistics.std,
            "pixels": trainer.config.pixels,
            "epoch": trainer.epoch,
            "batch": trainer.batch,
            "tally": trainer.tally.state(),
            "history": self.history,
            "timing": self.timing,
            "best": self.best,
            "groups": optimizer["groups"],
            "schedule": trainer.schedule.state_dict(),
            "random": backend.random_state(),
        }, trainer.experiment.first_kernels)
        self.saved_epoch, self.saved_at = trainer.epoch, time.perf_counter()
        self.save_seconds = self.saved_at - start

    def what_is_kept(self):
        """The end of a sentence about a run that cannot go on."""
        return "" if self.saved_epoch is None else f" {self.folder.last} has the network after epoch {self.saved_epoch}."

    def restore(self, weights, velocity, state):
        """Put the Trainer where `save` was called. Raises UserError when the checkpoint belongs to another run."""
        trainer = self.trainer
        names = [name for name, _ in trainer.model.named_parameters()]
        try:
            trainer.model.load_state_dict(weights)
            trainer.optimizer.load_state_dict({"velocity": [velocity.get(name) for name in names], "groups": state["groups"]})
            trainer.schedule.load_state_dict(state["schedule"])
            backend.set_random_state(state["random"])
            trainer.epoch, trainer.batch, trainer.tally = state["epoch"], state["batch"], Tally(**state["tally"])
            self.history, self.timing, self.best = state["history"], state["timing"], state["best"]
            self.saved_epoch = trainer.epoch
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{self.folder.last} does not belong to this run: {error}") from error
        self.write_tables()
