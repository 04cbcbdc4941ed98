"""How long a run will take, and the table of epochs that grows while it does."""

import time
from typing import Any

from ..device import memory_used
from ..utils.progress import duration
from . import say
from .callbacks import Callback
from .loop import Trainer
from .memory_estimate import gigabytes, memory
from .run_dir import Epoch

HEADING = ("  epoch       lr   training loss   top-1    validation loss   top-1    top-5     "
           "time, left")
VALIDATION_COST = 1 / 3  # of a picture in training: forward only
DRAWING = 6  # seconds for the pictures and the page at the end, on one core


class TimeLeft(Callback):
    """Says how long the run will take, from its first steps on; a line for each epoch; the end."""

    FIRST_STEPS = 5  # measured for the first estimate, without the very first, which is slower

    def __init__(self) -> None:
        self.steps, self.seconds, self.told_heading = 0, 0.0, False
        self.began = self.last = time.perf_counter()
        self.estimated: float | None = None  # seconds for all, after the first steps

    def on_epoch_begin(self, trainer: Trainer) -> None:
        self.last = time.perf_counter()

    def on_step(self, trainer: Trainer, images: Any, labels: Any) -> None:
        now = time.perf_counter()
        self.steps += 1
        self.seconds += now - self.last if self.steps > 1 else 0
        self.last = now
        if self.steps == self.FIRST_STEPS:
            rate = (self.steps - 1) * trainer.pictures_per_step / self.seconds
            trainer.costs["train"] = 1 / rate
            left, used = seconds_left(trainer), memory_used(trainer.device)
            self.estimated = now - self.began + left
            so_far = f"; memory so far {gigabytes(used)}" if used else ""
            trainer.progress.line(f"time     about {duration(left)}, at the {rate:.1f} images/s of "
                                  f"the first steps{so_far}\n")

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        epochs, timing = trainer.config.epochs, trainer.timing[-1]
        trainer.costs["val"] = timing.val_seconds / timing.val_images
        if timing.train_images_per_second:
            trainer.costs["train"] = 1 / timing.train_images_per_second
        if not self.told_heading:
            trainer.progress.line(HEADING)
            self.told_heading = True
        taken = duration(timing.train_seconds + timing.val_seconds + timing.feature_seconds)
        left = f", {duration(seconds_left(trainer))}" if row.epoch < epochs else ""
        mark = " " if trainer.is_complete(row.epoch - 1) else "*"
        trainer.progress.line(
            f"{row.epoch:3}/{epochs:<3} {row.lr:8.2g} {row.train_loss:15.3f} {row.train_top1:7.1%} "
            f"{row.val_loss:18.3f} {row.val_top1:7.1%}{mark} {row.val_top5:7.1%}{mark}    "
            f"{taken}{left}")

    def on_end(self, trainer: Trainer) -> None:
        """After the drawing: what the run has reached, and what it took beside the estimates."""
        took = None
        if self.estimated is not None:
            took = (f"{duration(time.perf_counter() - self.began)}, estimated "
                    f"{duration(self.estimated)}")
            used, needed = memory_used(trainer.device), gigabytes(memory(trainer.experiment))
            took += f"; at most {gigabytes(used)} of memory, estimated {needed}" if used else ""
        for line in say.ending(trainer, took):
            trainer.progress.line(line)


def seconds_left(trainer: Trainer) -> float:
    """How long the rest of a run takes, at what its parts have cost so far.

        pictures to train on · a + pictures to validate · b + pictures for the frozen layers · c
        + the last report's forward pass of all validation pictures + saving + drawing

    a, b, c: seconds per picture, in trainer.costs as "train", "val", "features", beside "save".
    Until b is known it is a/3.
    """
    config, val, costs = trainer.config, len(trainer.experiment.val), trainer.costs
    epochs = range(trainer.epoch, config.epochs)
    train, features = costs.get("train", 0.0), costs.get("features", 0.0)
    validate = costs.get("val", VALIDATION_COST * train)
    steps = len(epochs) * len(trainer.loader) - trainer.batch
    complete = sum(map(trainer.is_complete, epochs))
    validated = complete * val + (len(epochs) - complete) * config.val_images
    kept = [trainer.loader, trainer.validation] if trainer.experiment.views else []
    uncomputed = sum(loader.uncomputed(epochs) for loader in kept)
    report = val * (validate + features * bool(kept))
    return (steps * config.batch_size * train + validated * validate + uncomputed * features
            + report + complete * costs.get("save", 0.0) + DRAWING)
