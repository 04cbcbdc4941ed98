"""The training loop: epochs of steps, each followed by a validation and a checkpoint."""

import math
import time
import warnings

from .. import backend
from .. import functional as F
from ..tensor import Tensor, no_grad
from . import checkpoint
from .experiment import training_loader, validation_loader
from .interrupt import Interrupt, Interrupted
from .metrics import Tally
from .progress import duration
from .trouble import Diverged, about_first_loss, explain_divergence, first_broken_parameter

ASK_EVERY = 20  # steps between two looks at the loss on a GPU, where looking means waiting


class Trainer:
    """A run on its way. `epoch` epochs are complete, `batch` steps of the next one are done."""

    def __init__(self, experiment, folder, progress):
        self.experiment, self.folder, self.progress = experiment, folder, progress
        self.config, self.model, self.optimizer = experiment.config, experiment.model, experiment.optimizer
        self.device = self.model.parameters()[0].device
        self.loader = training_loader(experiment)
        self.epoch, self.batch, self.tally = 0, 0, Tally()
        self.history, self.timing, self.best = [], [], None
        self.pace = Pace(self)

    def fit(self):
        """Train to the last epoch. Raises Interrupted after Ctrl-C, Diverged when the loss is no longer finite."""
        with Interrupt(self.progress.line) as self.interrupt, warnings.catch_warnings():
            # An overflow is reported once, with its layer, when the loss shows it.
            warnings.filterwarnings("ignore", "(overflow|invalid value|divide by zero) encountered", RuntimeWarning)
            while self.epoch < self.config.epochs:
                start = time.perf_counter()
                self._train()
                trained = time.perf_counter()
                seen = self._validate()
                self._finish_epoch(trained - start, time.perf_counter() - trained, seen)

    # one epoch

    def _train(self):
        """The rest of this epoch's steps."""
        self.model.train()
        self.loader.start(self.epoch, self.batch)
        size, steps = self.config.batch_size, len(self.loader)
        with self.progress.phase(f"epoch {self.epoch + 1}", min(steps * size, len(self.experiment.train)),
                                 self.batch * size) as bar:
            for images, labels in self.loader:
                self._step(images, labels)
                self.batch += 1
                bar.step(len(labels), self.tally.fetch)
                self.pace.step(len(labels))
                self._stop_if_asked()

    def _step(self, images, labels):
        """One step of gradient descent on one batch."""
        images, labels = backend.to_device(images, self.device), backend.to_device(labels, self.device)
        logits = self.model(Tensor(images))
        loss = F.cross_entropy(logits, labels)
        self._check_loss(loss, images, labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.tally.add(loss.data, logits.data, labels)

    def _check_loss(self, loss, images, labels):
        first = self.epoch == self.batch == 0
        if self.device != "cpu" and not first and self.batch % ASK_EVERY:
            return
        value = loss.item()
        if not math.isfinite(value):
            raise Diverged(self._where() + explain_divergence(self.model, images, labels, self._lr()))
        if first:
            from_file = bool(self.experiment.notes)
            warning = about_first_loss(value, len(self.experiment.train.classes), from_file)
            if warning:
                self.progress.line(f"warning: {warning}")

    def _validate(self):
        """Measure `self.validation` = (loss, top-1, top-5, is it complete?); returns the number of pictures."""
        self.model.eval()
        complete = self.is_complete(self.epoch)
        count = len(self.experiment.val) if complete else self.config.val_images
        tally = Tally()
        with no_grad(), self.progress.phase("validation", count) as bar:
            for images, labels in validation_loader(self.experiment, count):
                images, labels = backend.to_device(images, self.device), backend.to_device(labels, self.device)
                logits = self.model(Tensor(images))
                tally.add(F.cross_entropy(logits, labels).data, logits.data, labels)
                bar.step(len(labels))
                self._stop_if_asked()
        self.validation = (*tally.fetch(), count == len(self.experiment.val))
        return tally.count

    def is_complete(self, epoch):
        """Does the validation after this epoch (counted from 0) look at all pictures? In the last tenth of a run."""
        return epoch >= self.config.epochs - math.ceil(self.config.epochs / 10)

    def _finish_epoch(self, train_seconds, val_seconds, val_images):
        """Note the epoch's results, let the schedule see them, save, tell."""
        train_loss, train_top1, _ = self.tally.fetch()
        val_loss, val_top1, val_top5, complete = self.validation
        if not math.isfinite(train_loss + val_loss) or first_broken_parameter(self.model):
            images, labels = next(iter(validation_loader(self.experiment, 1)))
            images, labels = backend.to_device(images, self.device), backend.to_device(labels, self.device)
            raise Diverged(self._where() + explain_divergence(self.model, images, labels, self._lr()))
        row = (self.epoch + 1, self._lr(), train_loss, train_top1, val_loss, val_top1, val_top5)
        trained = self.tally.count
        self.history.append(row)
        self.epoch, self.batch, self.tally = self.epoch + 1, 0, Tally()
        self.experiment.schedule.step(*([1 - val_top1] if self.config.schedule == "plateau" else []))
        mark = (complete, val_top1, -val_loss)
        is_best = self.best is None or mark > tuple(self.best)
        self.best = mark if is_best else self.best
        start = time.perf_counter()
        self.save()
        if is_best:
            checkpoint.keep_as(self.folder.last, self.folder.best)
        self.folder.write_metrics(self.history)
        save_seconds = time.perf_counter() - start
        self.timing.append((row[0], train_seconds, trained / train_seconds, val_seconds, val_images, save_seconds))
        self.folder.write_timing(self.timing)
        self.pace.epoch(train_seconds + val_seconds + save_seconds)
        self._tell(row, val_images, complete)

    def _tell(self, row, val_images, complete):
        epoch, lr, train_loss, train_top1, val_loss, val_top1, val_top5 = row
        sampled = "" if complete else f" ({val_images:,} of {len(self.experiment.val):,} pictures)"
        width = len(str(self.config.epochs))
        left = f", {duration(self.pace.left())} left" if self.epoch < self.config.epochs else ""
        self.progress.line(
            f"epoch {epoch:{width}}/{self.config.epochs}  train loss {train_loss:.3f} top-1 {train_top1:6.1%}   "
            f"val loss {val_loss:.3f} top-1 {val_top1:6.1%} top-5 {val_top5:6.1%}{sampled}   lr {lr:g}{left}")

    # stopping and going on

    def _stop_if_asked(self):
        if self.interrupt.requested:
            self.save()
            raise Interrupted

    def _where(self):
        return f"epoch {self.epoch + 1}, step {self.batch + 1}: "

    def _lr(self):
        return self.optimizer.param_groups[0]["lr"]

    def save(self):
        """Write checkpoint-last.npz. Raises UserError when it cannot be written."""
        names = [name for name, _ in self.model.named_parameters()]
        optimizer = self.optimizer.state_dict()
        velocity = {name: array for name, array in zip(names, optimizer["velocity"]) if array is not None}
        statistics = self.experiment.statistics
        checkpoint.save(self.folder.last, self.model.state_dict(), velocity, statistics.mean, {
            "variant": self.config.variant,
            "input_shape": list(self.model.input_shape),
            "classes": self.experiment.train.classes,
            "std": statistics.std,
            "pixels": self.config.pixels,
            "epoch": self.epoch,
            "batch": self.batch,
            "tally": self.tally.state(),
            "history": self.history,
            "timing": self.timing,
            "best": self.best,
            "groups": optimizer["groups"],
            "schedule": self.experiment.schedule.state_dict(),
            "random": backend.random_state(),
        })

    def restore(self, weights, velocity, state):
        """Go on from what `save` wrote. Raises ValueError when it belongs to another network."""
        self.model.load_state_dict(weights)
        names = [name for name, _ in self.model.named_parameters()]
        self.optimizer.load_state_dict({"velocity": [velocity.get(name) for name in names], "groups": state["groups"]})
        self.experiment.schedule.load_state_dict(state["schedule"])
        backend.set_random_state(state["random"])
        self.epoch, self.batch, self.tally = state["epoch"], state["batch"], Tally(**state["tally"])
        self.history, self.timing, self.best = state["history"], state["timing"], state["best"]


class Pace:
    """How long the rest will take: told once after the first steps, then from whole epochs."""

    FIRST_STEPS = 4  # of which the very first, slower than the others, is not counted

    def __init__(self, trainer):
        self.trainer, self.steps, self.images, self.start, self.seconds = trainer, 0, 0, None, None

    def step(self, count):
        self.steps += 1
        if self.steps == 1:
            self.start = time.perf_counter()
        elif self.steps <= self.FIRST_STEPS:
            self.images += count
        if self.steps == self.FIRST_STEPS:
            rate = self.images / (time.perf_counter() - self.start)
            self.trainer.progress.line(f"time     about {duration(self._work_left() / rate)}, "
                                       f"going by {rate:.1f} images/s in the first steps")

    def _work_left(self):
        """Pictures to train on, where a picture in validation, forward only, counts as a third."""
        trainer, config = self.trainer, self.trainer.config
        train = (config.epochs - trainer.epoch) * len(trainer.loader) * config.batch_size
        train -= trainer.batch * config.batch_size
        val = sum(len(trainer.experiment.val) if trainer.is_complete(epoch) else config.val_images
                  for epoch in range(trainer.epoch, config.epochs))
        return train + val / 3

    def epoch(self, seconds):
        self.seconds = seconds

    def left(self):
        """Seconds until the run is done, if all epochs take as long as the last one."""
        return self.seconds * (self.trainer.config.epochs - self.trainer.epoch)
