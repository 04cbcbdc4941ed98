"""The training loop: epochs of steps, each followed by a validation.

    loss = cross-entropy(network(images), labels)       forward
    dloss/dw for every weight w                         backward
    w ← w + v                                           the optimiser's step (see optim)

Every number in it depends on (seed, epoch, step) and never on the clock: the same run gives the
same bytes. What else a run does (saving, tables, the schedule, the time left, Ctrl-C) is done by
callbacks, which the loop tells what has happened.
"""

import math
import shlex
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import functional as F
from ..device import device_of, to_device
from ..errors import Ended, UserError
from ..evaluation.metrics import Tally
from ..fast.buffers import release_memory
from ..random import manual_seed, parts_of_batch
from ..tensor import Tensor, no_grad
from ..utils.interrupt import INTERRUPTED
from ..utils.progress import Progress
from . import finetune
from .run_dir import Epoch, RunFolder, Timing
from .setup import Experiment


class Interrupted(Ended):
    """Training was asked to stop, and has saved where it is."""

    status = INTERRUPTED


class Diverged(Ended):
    """The loss or the weights are no longer finite: the message names the layer and what to try."""


class Trainer:
    """A run on its way. `epoch` epochs are complete, `batch` steps of the next one are done.

    folder: the RunFolder in which its files are; callbacks: who is told what happens (see
    callbacks), in this order. A callback that sets `stopping` ends the run after the step: it is
    saved, and can go on later.
    """

    def __init__(self, experiment: Experiment, folder: RunFolder, progress: Progress,
                 callbacks: Iterable[Any] = ()) -> None:
        self.experiment, self.config = experiment, experiment.config
        self.folder, self.progress, self.callbacks = folder, progress, list(callbacks)
        self.model, self.optimizer = experiment.model, experiment.optimizer
        self.learner, self.schedule = experiment.learner, experiment.schedule
        self.parts = self.config.parts(self.pictures_per_step)
        self.device, weights = self.model.parameters()[0].device, experiment.class_weights
        self.class_weights = None if weights is None else to_device(weights, self.device)
        self.loader, self.validation, self.sample = experiment.loaders(progress.phase)
        self.epoch, self.batch, self.tally = 0, 0, Tally()
        self.history: list[Epoch] = []
        self.timing: list[Timing] = []
        self.best: tuple[float, float, int] | None = None  # (top-1, −loss, epoch) of the best
        self.saved: tuple[int, int] | None = None  # (epoch, steps) of the last checkpoint
        self.costs: dict[str, float] = {}  # seconds a picture or a save, see say.seconds_left
        self.stopping = False
        self.judged: Sequence[Any] = (None, None)  # the last batch of a validation

    def tell(self, event: str, *what: Any) -> None:
        """Call this method of every callback, with this Trainer and what belongs to the event."""
        for callback in self.callbacks:
            getattr(callback, event)(self, *what)

    def warn(self, text: str) -> None:
        """Say what went wrong while the run goes on."""
        self.progress.line(f"warning  {text}")

    def fit(self) -> None:
        """Train to the last epoch. Raises Interrupted after Ctrl-C, Diverged when a loss is NaN."""
        self.tell("on_begin")
        try:
            with warnings.catch_warnings():
                # An overflow is reported once, with its layer, when the loss shows it.
                warnings.filterwarnings("ignore", ".* encountered in", RuntimeWarning)
                while self.epoch < self.config.epochs:
                    self.fit_epoch()
        finally:
            self.tell("on_close")
        self._give_back_memory()
        self.tell("on_end")

    def fit_epoch(self) -> None:
        """The rest of this epoch's steps, its validation, and what the callbacks make of it."""
        feature_seconds = self._prepare(self.loader, self.epoch)
        start = time.perf_counter()
        self._train()
        train_seconds = time.perf_counter() - start
        release_memory()  # validation has batches of another size: both sizes' arrays would stay
        feature_seconds += self._prepare(self.validation, 0)
        start = time.perf_counter()
        validation, val_images = self._validate()
        val_seconds = time.perf_counter() - start
        release_memory()
        train_loss, train_top1, _ = self.tally.fetch()
        self.history.append(Epoch(self.epoch + 1, self.lr, train_loss, train_top1, *validation))
        self.timing.append(Timing(self.epoch + 1, train_seconds, self.tally.count / train_seconds,
                                  val_seconds, val_images, feature_seconds))
        self.epoch, self.batch, self.tally = self.epoch + 1, 0, Tally()
        self.tell("on_epoch", self.history[-1])

    def _train(self) -> None:
        if self.batch == 0:
            # Dropout's masks follow from the epoch, as the loader's crops do: going on needs no
            # earlier random numbers.
            sequence = np.random.SeedSequence([self.config.seed, self.epoch])
            manual_seed(int(sequence.generate_state(1)[0]))
        self._stop_if_asked()
        self.model.train()
        if self.experiment.trunk is not None:
            self.experiment.trunk.eval()  # frozen layers drop nothing
        self.loader.start(self.epoch, self.batch)
        size = self.pictures_per_step
        total, done = len(self.loader) * size, self.batch * size
        with self.progress.phase(f"epoch {self.epoch + 1}", total, done) as bar:
            self.tell("on_epoch_begin")
            for images, labels in self.loader:
                self.step(images, labels)
                self.batch += 1
                bar.step(size, self.tally.fetch)
                self.tell("on_step", images, labels)
                self._stop_if_asked()

    def step(self, images: Any, labels: Any) -> None:
        """One step of gradient descent on one batch, images (N, C, H, W) and labels (N,).

        The batch is worked on in parts, whose gradients add up to those of the whole.
        """
        self.optimizer.zero_grad()
        for x, y, share in self._parts(images, labels):
            self._backward(x, y, share)
        self.tell("on_gradients")
        self.optimizer.step()

    def _parts(self, images: Any, labels: Any) -> Iterator[tuple[Any, Any, float]]:
        """(images, labels, what they count) of each part of a batch, on the device."""
        for part in parts_of_batch(self.config.parts(len(labels))):  # kept features: some may miss
            share = share_of(part, labels, self.class_weights)
            yield *self.on_device(images[part], labels[part]), share

    def _backward(self, images: Any, labels: Any, share: float) -> None:
        """Add the gradients of a part of a batch, which counts for this share of it."""
        if self.epoch == self.batch == 0 and self.experiment.fresh:
            self._settle(images)
            self.experiment.fresh = frozenset()
        logits = self.learner(Tensor(images))
        loss = F.cross_entropy(logits, labels, self.class_weights)  # a mean over these pictures
        self.tell("on_loss", loss, images, labels)
        (loss if share == 1 else loss * share).backward()
        if self.class_weights is not None:  # what is told is the plain mean, as of the validation
            loss = F.cross_entropy(logits.data, labels)
        self.tally.add(loss.data, logits.data, labels)

    def _settle(self, images: Any) -> None:
        """Scale a layer that starts anew by what comes into it, before the first step."""
        finetune.settle(self.experiment.learner, self.experiment.fresh, images)

    def _validate(self) -> tuple[tuple[float, ...], int]:
        """((loss, top-1, top-5), number of pictures), without dropout."""
        self.model.eval()
        loader = self.validation if self.is_complete(self.epoch) else self.sample
        tally = Tally()
        with no_grad(), self.progress.phase("validation", len(loader.pictures)) as bar:
            for judged in self._judge(loader):
                tally.merge(vars(judged))
                bar.step(judged.count)
                self._stop_if_asked()
        if tally.count == 0:
            raise UserError(f"none of the {len(loader.pictures)} pictures for validation can be "
                            "read: check the files.")
        self.tell("on_validation", tally.fetch()[0], *self.judged)
        return tally.fetch(), tally.count

    def _judge(self, loader: Any) -> Iterator[Tally]:
        """What the network says of each batch; `judged`: images and labels of the last one."""
        for batch in loader:
            self.judged = images, labels = self.on_device(*batch)
            logits, judged = self.learner(Tensor(images)), Tally()
            judged.add(F.cross_entropy(logits, labels).data, logits.data, labels)
            yield judged

    def _prepare(self, loader: Any, epoch: int) -> float:
        """Compute the frozen layers' features of an epoch, where they are kept. Returns seconds."""
        if not self.experiment.views:
            return 0.0
        start = time.perf_counter()
        loader.start(epoch)
        count, seconds = loader.prepare(), time.perf_counter() - start
        if count:
            self.costs["features"] = seconds / count
        return seconds if count else 0.0

    def _give_back_memory(self) -> None:
        """After the last step: what is drawn then needs neither gradients nor kept features."""
        self.optimizer.zero_grad()
        for loader in (self.loader, self.validation) if self.experiment.views else ():
            loader.forget()
        release_memory()

    @property
    def pictures_per_step(self) -> int:
        """Pictures in each batch, of which a last one that is not full is left out."""
        return min(self.config.batch_size, len(self.experiment.train))

    def is_complete(self, epoch: int) -> bool:
        """Does the validation after this epoch (from 0) see all pictures? The last tenth's do."""
        all_are = self.config.val_images == len(self.experiment.val)
        return all_are or epoch >= self.config.epochs - math.ceil(self.config.epochs / 10)

    @property
    def lr(self) -> float:
        """The learning rate of the next step, without the first convolution's factor."""
        group = self.optimizer.param_groups[-1]
        return group["lr"] * (self.config.lr / group["initial_lr"])

    def on_device(self, *arrays: Any) -> list[Any]:
        """The arrays where the network is."""
        return [to_device(array, self.device) for array in arrays]

    def agree(self, wanted: bool) -> bool:
        """Is what this process wants to be done? Where several share the run, all come to this."""
        return wanted

    def _stop_if_asked(self) -> None:
        if self.agree(self.stopping):
            self.stopping = True
            self.tell("on_stop")
            folder = shlex.quote(str(self.folder))
            raise Interrupted(f"stopped and saved after epoch {self.epoch} and {self.batch} steps; "
                              f"to go on: python -m minialex.train --resume {folder}")


def share_of(part: slice, labels: Any, class_weights: Any) -> float:
    """What a part of a batch counts in it: as its pictures do, or their classes' weights."""
    if class_weights is None or part.stop - part.start == len(labels):
        return (part.stop - part.start) / len(labels)
    weights = class_weights[to_device(labels, device_of(class_weights))]
    return float(weights[part].sum() / weights.sum())
