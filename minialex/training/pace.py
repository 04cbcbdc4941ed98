"""How long the rest of a run will take, and the table of epochs that grows while it does.

    seconds left = pictures to train on · a + pictures to validate · b + pictures for the frozen layers · c
                   + the last report's forward pass of all validation pictures + the saving of checkpoints + the drawing

a, b, c: seconds per picture, each measured where it is spent. Until b is known it is a/3: forward only.
"""

import time

from ..device import memory_used
from ..utils.progress import duration
from . import estimate

FIRST_STEPS = 5  # measured for the first estimate; the very first, slower than the others, is not counted
VALIDATION_COST = 1 / 3  # of a picture in training
DRAWING = 6  # seconds for the pictures and the page at the end, on one core


class Pace:
    """Tells how a Trainer gets on."""

    def __init__(self, trainer):
        self.trainer, self.say = trainer, trainer.progress.line
        self.steps, self.images, self.seconds, self.told_heading = 0, 0, 0.0, False
        self.began = self.last = time.perf_counter()
        self.costs = {}  # "train", "val", "features": seconds per picture, as last measured
        self.estimated = None  # seconds for all, after the first steps

    def spent(self, what, seconds, pictures):
        """Note what so many pictures have taken."""
        if pictures:
            self.costs[what] = seconds / pictures

    def start(self):
        """An epoch's steps begin."""
        self.last = time.perf_counter()

    def step(self, count):
        """One more step of `count` pictures; after the first few, says how long everything will take."""
        now = time.perf_counter()
        self.steps += 1
        if self.steps > 1:
            self.images, self.seconds = self.images + count, self.seconds + now - self.last
        self.last = now
        if self.steps == FIRST_STEPS:
            self.spent("train", self.seconds, self.images)
            left = self.seconds_left()
            self.estimated = now - self.began + left
            used = memory_used(self.trainer.device)
            memory = f"; memory so far {estimate.gigabytes(used)}" if used else ""
            self.say(f"time     about {duration(left)}, at the {1 / self.costs['train']:.1f} images/s of the first steps{memory}")
            self.say()

    def in_the_end(self):
        """What the time and the memory were, beside what they were said to be. None for a run of very few steps."""
        if self.estimated is None:
            return None
        said = f"{duration(time.perf_counter() - self.began)}, estimated {duration(self.estimated)}"
        used = memory_used(self.trainer.device)
        needed = estimate.gigabytes(estimate.memory(self.trainer.experiment))
        return said + (f"; at most {estimate.gigabytes(used)} of memory, estimated {needed}" if used else "")

    def seconds_left(self):
        """How long the rest of the run takes, at what its parts have cost so far."""
        trainer = self.trainer
        config, val, total = trainer.config, len(trainer.experiment.val), trainer.config.epochs
        train = self.costs.get("train", 0.0)
        validate = self.costs.get("val", VALIDATION_COST * train)
        features = self.costs.get("features", 0.0)
        steps = (total - trainer.epoch) * len(trainer.loader) - trainer.batch
        validated = sum(map(self._validated, range(trainer.epoch, total)))
        saves = sum(map(trainer.is_complete, range(trainer.epoch, total)))
        report = validate + features if trainer.experiment.views else validate
        return (steps * config.batch_size * train + validated * validate + self._features_left() * features + val * report
                + saves * trainer.record.save_seconds + DRAWING)

    def _features_left(self):
        """Pictures that frozen layers must still see, where what they make of them is kept."""
        trainer = self.trainer
        if not trainer.experiment.views:
            return 0
        epochs = range(trainer.epoch, trainer.config.epochs)
        return trainer.loader.uncomputed(epochs) + trainer.validation.uncomputed(epochs)

    def _validated(self, epoch):
        trainer = self.trainer
        return len(trainer.experiment.val) if trainer.is_complete(epoch) else trainer.config.val_images

    def epoch(self, row, complete, seconds):
        """An epoch is over, with (seconds of training, images/s, seconds of validation, its pictures, seconds of features)."""
        epoch, lr, train_loss, train_top1, val_loss, val_top1, val_top5 = row
        self.spent("train", 1, seconds[1])
        if not self.told_heading:
            self.say("  epoch       lr   training loss   top-1    validation loss   top-1    top-5     time, left")
            self.told_heading = True
        taken = duration(sum(seconds[::2]))
        left = f"{taken}, {duration(self.seconds_left())}" if epoch < self.trainer.config.epochs else taken
        mark = " " if complete else "*"
        self.say(f"{epoch:3}/{self.trainer.config.epochs:<3} {lr:8.2g} {train_loss:15.3f} {train_top1:7.1%} "
                 f"{val_loss:18.3f} {val_top1:7.1%}{mark} {val_top5:7.1%}{mark}    {left}")
