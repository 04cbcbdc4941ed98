"""The training loop: epochs of steps, each followed by a validation.

    loss = cross-entropy(network(images), labels)       forward
    dloss/dw for every weight w                         backward
    w ← w + v                                           the optimiser's step (see optim)

Every number in it depends on (seed, epoch, step) and never on the clock: the same run gives the same bytes.
"""

import math
import shlex
import time
import warnings
from contextlib import nullcontext

import numpy as np

from .. import functional as F
from ..device import to_device
from ..errors import UserError
from ..fast.buffers import release_memory
from ..random import manual_seed, parts_of_batch
from ..tensor import Tensor, no_grad
from . import features
from .experiment import class_weights, part_size, training_loader, validation_loader, validation_pictures
from .interrupt import Interrupt, Interrupted
from .metrics import Tally
from .pace import Pace
from .record import Record
from .trouble import Diverged, about_first_loss, explain_divergence, first_broken_parameter
from .weights import settle

ASK_EVERY = 20  # steps between two looks at the loss on a GPU, where looking means waiting


class Trainer:
    """A run on its way. `epoch` epochs are complete, `batch` steps of the next one are done."""

    def __init__(self, experiment, folder, progress):
        self.experiment, self.config, self.progress = experiment, experiment.config, progress
        self.model, self.optimizer, self.schedule = experiment.model, experiment.optimizer, experiment.schedule
        self.device = self.model.parameters()[0].device
        weights = class_weights(self.config, experiment.train)
        self.class_weights = None if weights is None else to_device(weights, self.device)
        self.loader = features.kept(experiment, training_loader(experiment), progress.phase)
        self.validation = features.kept(experiment, validation_loader(experiment, experiment.val), progress.phase)
        self.epoch, self.batch, self.tally = 0, 0, Tally()
        self.record = Record(self, folder)
        self.pace = Pace(self)
        self.interrupt = Interrupt(progress.line)
        self.profile = None  # or a Profile, which times the operations of training steps

    def fit(self):
        """Train to the last epoch. Raises Interrupted after Ctrl-C, Diverged when the loss is no longer finite."""
        self.record.begin()
        with self.interrupt, warnings.catch_warnings():
            # An overflow is reported once, with its layer, when the loss shows it.
            warnings.filterwarnings("ignore", ".* encountered in", RuntimeWarning)
            while self.epoch < self.config.epochs:
                features = self._prepare(self.loader, self.epoch)
                start = time.perf_counter()
                with self.profile.watching(self.optimizer) if self.profile else nullcontext():
                    self._train()
                train_seconds = time.perf_counter() - start
                release_memory()  # validation has batches of another size: without this both sizes' arrays would stay
                features += self._prepare(self.validation, 0)
                start = time.perf_counter()
                validation, seen = self._validate()
                val_seconds = time.perf_counter() - start
                release_memory()
                self._finish_epoch(validation, train_seconds, val_seconds, seen, features)

    def give_back_memory(self):
        """After the last step: gradients and kept features are not needed for what is drawn then."""
        self.optimizer.zero_grad()
        for loader in (self.loader, self.validation):
            if isinstance(loader, features.FeatureLoader):
                loader.forget()
        release_memory()

    def _prepare(self, loader, epoch):
        """Have the frozen layers' features of this epoch computed, where they are kept. Returns the seconds that it took."""
        if not isinstance(loader, features.FeatureLoader):
            return 0.0
        start = time.perf_counter()
        loader.start(epoch)
        count = loader.prepare()
        seconds = time.perf_counter() - start
        self.pace.spent("features", seconds, count)
        return seconds if count else 0.0

    def rehearse(self, steps):
        """The next few steps and nothing else. Returns images per second after the first, or None without any."""
        self.model.train()
        start, count = None, 0
        for _, (images, labels) in zip(range(steps), self._few(steps)):
            self._step(images, labels)
            self.tally.fetch()  # waits for a GPU
            count += len(labels) if start else 0
            start = start or time.perf_counter()
            self.batch += 1
        return count / (time.perf_counter() - start) if count else None

    def _few(self, steps):
        """Batches for some steps: of few pictures' features where all of them would first have to be computed."""
        if not isinstance(self.loader, features.FeatureLoader):
            self.loader.start(self.epoch, self.batch)
            yield from self.loader
            return
        size = self.config.batch_size
        found, labels, seconds = self.loader.sample(steps * size)
        self.pace.spent("features", seconds, 1)
        for start in range(0, len(labels), size):
            yield found[start : start + size], labels[start : start + size]

    def is_complete(self, epoch):
        """Does the validation after this epoch (counted from 0) look at all pictures? The last tenth of a run's do."""
        all_are = self.config.val_images == len(self.experiment.val)
        return all_are or epoch >= self.config.epochs - math.ceil(self.config.epochs / 10)

    @property
    def lr(self):
        """The learning rate of the next step."""
        return self.optimizer.param_groups[0]["lr"]

    def _train(self):
        """The rest of this epoch's steps."""
        if self.batch == 0:
            # Dropout's masks follow from the epoch, as the loader's crops do: going on needs no earlier random numbers.
            manual_seed(int(np.random.SeedSequence([self.config.seed, self.epoch]).generate_state(1)[0]))
        self._stop_if_asked()
        self.model.train()
        if self.experiment.trunk is not None:
            self.experiment.trunk.eval()  # frozen layers drop nothing
        self.loader.start(self.epoch, self.batch)
        size = self.config.batch_size
        total = min(len(self.loader) * size, len(self.experiment.train))
        with self.progress.phase(f"epoch {self.epoch + 1}", total, self.batch * size) as bar:
            self.pace.start()
            for images, labels in self.loader:
                self._step(images, labels)
                self.batch += 1
                bar.step(len(labels), self.tally.fetch)
                self.pace.step(len(labels))
                if self.record.step():
                    self._check_weights(images, labels)
                    self.record.save_or_warn()
                self._stop_if_asked()

    def _step(self, images, labels):
        """One step of gradient descent on one batch: the gradients of its parts add up to those of the whole."""
        self.optimizer.zero_grad()
        count, size = len(labels), part_size(self.config)
        for part in parts_of_batch([slice(start, min(start + size, count)) for start in range(0, count, size)]):
            self._part(*self._on_device(images[part], labels[part]), self._share(labels, part))
        self._warm_up()
        self.optimizer.step()

    def _share(self, labels, part):
        """What a part of a batch counts in it: as its pictures do, or their classes' weights. The loss of a part is a mean."""
        if self.class_weights is None or part.stop - part.start == len(labels):
            return (part.stop - part.start) / len(labels)
        weights = self.class_weights[self._on_device(labels)[0]]
        return float(weights[part].sum() / weights.sum())

    def _part(self, images, labels, share):
        """Add the gradients of a part of a batch, which counts for this share of it."""
        if self.epoch == self.batch == 0 and self.experiment.fresh:
            settle(self.experiment, images)
            self.experiment.fresh = frozenset()
        logits = self.experiment.learner(Tensor(images))
        loss = F.cross_entropy(logits, labels, self.class_weights)
        self._check_loss(loss, images, labels)
        (loss if share == 1 else loss * share).backward()
        if self.class_weights is not None:  # what is told is the plain mean, as of the validation
            loss = F.cross_entropy(logits.data, labels)
        self.tally.add(loss.data, logits.data, labels)

    def _warm_up(self):
        """Let the learning rate rise from 0 to its first value over the first `warmup` steps of a run."""
        if self.epoch == 0 and self.batch < self.config.warmup:
            for group in self.optimizer.param_groups:
                group["lr"] = group["initial_lr"] * (self.batch + 1) / self.config.warmup

    def _check_loss(self, loss, images, labels):
        first = self.epoch == self.batch == self.tally.count == 0
        if self.device != "cpu" and not first and self.batch % ASK_EVERY:
            return
        value = loss.item()
        if not math.isfinite(value):
            self._give_up(images, labels)
        if first:
            known = bool(self.experiment.notes)  # weights from a file
            warning = about_first_loss(value, len(self.experiment.train.classes), known)
            if warning:
                self.progress.line(f"warning  {warning}")

    def _check_weights(self, images, labels):
        """What is saved must be good to go on from."""
        if first_broken_parameter(self.model):
            self._give_up(*self._on_device(images, labels))

    def _give_up(self, images, labels):
        where = f"epoch {self.epoch + 1}, step {self.batch + 1}: "
        raise Diverged(where + explain_divergence(self.experiment.learner, images, labels, self.lr) + self.record.what_is_kept())

    def _validate(self):
        """((loss, top-1, top-5), number of pictures), without dropout."""
        self.model.eval()
        loader = self.validation
        if not self.is_complete(self.epoch):
            loader = validation_loader(self.experiment, validation_pictures(self.experiment, complete=False))
        tally = Tally()
        with no_grad(), self.progress.phase("validation", len(loader.pictures)) as bar:
            for images, labels in loader:
                images, labels = self._on_device(images, labels)
                logits = self.experiment.learner(Tensor(images))
                tally.add(F.cross_entropy(logits, labels).data, logits.data, labels)
                bar.step(len(labels))
                self._stop_if_asked()
        if tally.count == 0:
            raise UserError(f"none of the {len(loader.pictures)} pictures for validation can be read: check the files.")
        if not math.isfinite(tally.fetch()[0]):
            self._give_up(images, labels)
        self._check_weights(images, labels)
        return tally.fetch(), tally.count

    def _finish_epoch(self, validation, train_seconds, val_seconds, val_images, feature_seconds):
        """Note the epoch's results and let the schedule see them."""
        train_loss, train_top1, _ = self.tally.fetch()
        row = (self.epoch + 1, self.lr, train_loss, train_top1, *validation)
        rate = self.tally.count / train_seconds
        complete = self.is_complete(self.epoch)
        self.pace.spent("val", val_seconds, val_images)
        self.epoch, self.batch, self.tally = self.epoch + 1, 0, Tally()
        self.schedule.step(*([1 - validation[1]] if self.config.schedule == "plateau" else []))
        self.record.epoch(row, complete, [train_seconds, rate, val_seconds, val_images, feature_seconds])

    def _on_device(self, *arrays):
        return [to_device(array, self.device) for array in arrays]

    def _stop_if_asked(self):
        if self.interrupt.requested:
            broken = first_broken_parameter(self.model)
            if broken:
                raise Diverged(f"{broken} holds NaN or infinity, which is not saved.{self.record.what_is_kept()}")
            self.record.save()
            raise Interrupted(f"stopped and saved after epoch {self.epoch} and {self.batch} steps; to go on: "
                              f"python -m minialex.train --resume {shlex.quote(str(self.record.folder))}")
