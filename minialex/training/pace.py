"""How long the rest of a run will take, and the table of epochs that grows while it does."""

import time

from ..device import memory_used
from . import estimate
from .progress import duration

FIRST_STEPS = 5  # measured for the first estimate; the very first, slower than the others, is not counted
VALIDATION_COST = 1 / 3  # of a picture in training: forward only


class Pace:
    """Tells how a Trainer gets on."""

    def __init__(self, trainer):
        self.trainer, self.say = trainer, trainer.progress.line
        self.steps, self.images, self.start, self.told_heading = 0, 0, None, False
        self.estimated = None  # seconds, after the first steps

    def step(self, count):
        """One more step of `count` pictures; after the first few, says how long everything will take."""
        self.steps += 1
        self.images += count if self.steps > 1 else 0
        if self.steps == 1:
            self.start = time.perf_counter()
        elif self.steps == FIRST_STEPS:
            rate = self.images / (time.perf_counter() - self.start)
            self.estimated = self.seconds_left(rate)
            used = memory_used(self.trainer.device)
            memory = f"; memory so far {estimate.gigabytes(used)}" if used else ""
            self.say(f"time     about {duration(self.estimated)}, at the {rate:.1f} images/s of the first steps{memory}")
            self.say()

    def in_the_end(self):
        """What the time and the memory were, beside what they were said to be. None for a run of very few steps."""
        if self.estimated is None:
            return None
        said = f"{duration(time.perf_counter() - self.start)}, estimated {duration(self.estimated)}"
        used = memory_used(self.trainer.device)
        needed = estimate.gigabytes(estimate.memory(self.trainer.experiment))
        return said + (f"; at most {estimate.gigabytes(used)} of memory, estimated {needed}" if used else "")

    def seconds_left(self, rate):
        """How long the rest of the run takes at so many training pictures per second."""
        trainer = self.trainer
        total = trainer.config.epochs
        steps = (total - trainer.epoch) * len(trainer.loader) - trainer.batch
        validated = sum(map(self._validated, range(trainer.epoch, total)))
        return (steps * trainer.config.batch_size + VALIDATION_COST * validated) / rate

    def _validated(self, epoch):
        trainer = self.trainer
        return len(trainer.experiment.val) if trainer.is_complete(epoch) else trainer.config.val_images

    def epoch(self, row, complete, seconds):
        """An epoch of so many seconds is over: its line of the table."""
        epoch, lr, train_loss, train_top1, val_loss, val_top1, val_top5 = row
        if not self.told_heading:
            self.say("  epoch       lr   training loss   top-1    validation loss   top-1    top-5     time, left")
            self.told_heading = True
        remaining = self.trainer.config.epochs - epoch
        left = f"{duration(seconds)}, {duration(seconds * remaining)}" if remaining else duration(seconds)
        mark = " " if complete else "*"
        self.say(f"{epoch:3}/{self.trainer.config.epochs:<3} {lr:8.2g} {train_loss:15.3f} {train_top1:7.1%} "
                 f"{val_loss:18.3f} {val_top1:7.1%}{mark} {val_top5:7.1%}{mark}    {left}")
