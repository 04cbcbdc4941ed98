"""How long the rest of a run will take, and the table of epochs that grows while it does."""

import time

from .progress import duration

FIRST_STEPS = 5  # measured for the first estimate; the very first, slower than the others, is not counted
VALIDATION_COST = 1 / 3  # of a picture in training: forward only


class Pace:
    """Tells how a Trainer gets on."""

    def __init__(self, trainer):
        self.trainer, self.say = trainer, trainer.progress.line
        self.steps, self.images, self.start, self.told_heading = 0, 0, None, False

    def step(self, count):
        """One more step of `count` pictures; after the first few, says how long everything will take."""
        self.steps += 1
        self.images += count if self.steps > 1 else 0
        if self.steps == 1:
            self.start = time.perf_counter()
        elif self.steps == FIRST_STEPS:
            rate = self.images / (time.perf_counter() - self.start)
            self.say(f"time     about {duration(self._pictures_left() / rate)}, at the {rate:.1f} images/s of the first steps")
            self.say()

    def _pictures_left(self):
        trainer = self.trainer
        total = trainer.config.epochs
        steps = (total - trainer.epoch) * len(trainer.loader) - trainer.batch
        return steps * trainer.config.batch_size + VALIDATION_COST * sum(map(self._validated, range(trainer.epoch, total)))

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
