"""What happens beside the loop: a Callback is told each event of a run.

It gets the Trainer and what belongs to the event.

A callback of your own takes the events that it needs, and `run` takes the callback:

    class Norms(Callback):
        '''Write the length of the whole gradient at every step.'''

        def on_begin(self, trainer):
            self.file = open(trainer.folder.path / "norms.txt", "a")

        def on_gradients(self, trainer):
            squares = sum(float((p.grad ** 2).sum()) for p in trainer.model.parameters())
            print(trainer.epoch, trainer.batch, squares ** 0.5, file=self.file)

        def on_close(self, trainer):
            self.file.close()

    run({"subset": "", "variant": "lenet5"}, callbacks=[Norms()])

A callback may look at everything of the Trainer, and set `trainer.stopping`; what it changes, it
changes in the run.
"""

import math
import signal
import threading
import time
from contextlib import suppress
from typing import Any

import numpy as np

from .. import own_model
from ..anomaly import explain, first_broken_parameter
from ..evaluation import figures, report
from ..tensor import Tensor
from ..utils.files import NotWritten, keep_as
from . import checkpoint
from .config import INITIALISATIONS
from .loop import Diverged, Trainer
from .run_dir import Epoch, Timing


class Callback:
    """One method for each event; each does nothing unless a callback says otherwise."""

    def on_begin(self, trainer: Trainer) -> None:
        """The first step is about to be made."""

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """An epoch's steps, or those left of it, are about to be made."""

    def on_loss(self, trainer: Trainer, loss: Tensor, images: Any, labels: Any) -> None:
        """The loss of a part of a batch is known, its gradients are not yet; all on the device."""

    def on_gradients(self, trainer: Trainer) -> None:
        """The gradients of a whole batch are ready, the optimiser has not yet made its step."""

    def on_step(self, trainer: Trainer, images: Any, labels: Any) -> None:
        """A step has been made, on this batch as the loader gave it."""

    def on_validation(self, trainer: Trainer, loss: float, images: Any, labels: Any) -> None:
        """A validation has been made, with this mean loss; images, labels: its last batch."""

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        """An epoch with its validation is over."""

    def on_stop(self, trainer: Trainer) -> None:
        """Somebody has set trainer.stopping: the run leaves the loop after this."""

    def on_close(self, trainer: Trainer) -> None:
        """The loop has been left, however it ended."""

    def on_end(self, trainer: Trainer) -> None:
        """All epochs are over."""


class Interrupt(Callback):
    """Ctrl-C while training: the first one asks, and the step is finished and saved; the second one
    leaves at once.

    What a shared machine sends before it takes a program down, and a terminal when it is closed, is
    heard like the first.
    """

    HEARD = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP

    def __init__(self) -> None:
        self.before: dict[int, Any] = {}

    def on_begin(self, trainer: Trainer) -> None:
        def handle(number: int, frame: Any) -> None:
            if trainer.stopping:
                raise KeyboardInterrupt
            trainer.stopping = True
            with suppress(RuntimeError):  # in the middle of a line, which the output ends first
                trainer.progress.line("stopping after this step; once more to leave at once")

        if threading.current_thread() is not threading.main_thread():
            return  # Python lets no other thread handle signals
        for number in (getattr(signal, name) for name in self.HEARD if hasattr(signal, name)):
            if signal.getsignal(number) != signal.SIG_IGN:  # as nohup and shells' jobs have it
                self.before[number] = signal.signal(number, handle) or signal.SIG_DFL

    def on_close(self, trainer: Trainer) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)


class Schedule(Callback):
    """Let the learning rate rise over the first `warmup` steps, then follow its schedule."""

    def on_gradients(self, trainer: Trainer) -> None:
        if trainer.epoch == 0 and trainer.batch < trainer.config.warmup:
            for group in trainer.optimizer.param_groups:
                group["lr"] = group["initial_lr"] * (trainer.batch + 1) / trainer.config.warmup

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        trainer.schedule.step(*([1 - row.val_top1] if trainer.config.schedule == "plateau" else []))


class Anomaly(Callback):
    """Is the first loss what it should be, and is every loss finite? Raises Diverged."""

    ASK_EVERY = 20  # steps between two looks at the loss on a GPU, where looking means waiting

    def on_loss(self, trainer: Trainer, loss: Tensor, images: Any, labels: Any) -> None:
        first = trainer.epoch == trainer.batch == trainer.tally.count == 0
        if trainer.device != "cpu" and not first and trainer.batch % self.ASK_EVERY:
            return
        value = loss.item()
        if not math.isfinite(value):
            raise diverged(trainer, images, labels)
        known = trainer.config.init not in INITIALISATIONS  # it has learnt something
        classes = trainer.experiment.train.classes
        warning = about_first_loss(value, len(classes), known) if first else None
        if warning:
            trainer.warn(warning)

    def on_validation(self, trainer: Trainer, loss: float, images: Any, labels: Any) -> None:
        if not math.isfinite(loss):
            raise diverged(trainer, images, labels)
        require_finite_weights(trainer)


def require_finite_weights(trainer: Trainer) -> None:
    """Raises Diverged where a weight holds NaN or infinity: it would be saved, and learn no
    more."""
    if first_broken_parameter(trainer.model):
        raise diverged(trainer)


def diverged(trainer: Trainer, images: Any = None, labels: Any = None) -> Diverged:
    """Where it has happened, why, and what is kept. images, labels: the batch that shows it."""
    return Diverged(f"epoch {trainer.epoch + 1}, step {trainer.batch + 1}: the loss is no longer "
                    f"finite: {explain(trainer.learner, images, labels)} Try a smaller learning "
                    f"rate than {trainer.lr:g} (--lr).{_what_is_kept(trainer)}")


def _what_is_kept(trainer: Trainer) -> str:
    epoch, steps = trainer.saved or (0, 0)
    if (epoch, steps) == (0, 0):
        return ""
    then = f" and {steps} steps" if steps else ""
    return f" {trainer.folder.last} has the network after epoch {epoch}{then}."


def about_first_loss(loss: float, num_classes: int, pretrained: bool = False) -> str | None:
    """A warning about a first loss far from ln K, or None.

    A network that knows nothing gives each of K classes the probability 1/K, and −ln(1/K) = ln K.
    Logits that spread around 0 with variance v put about v/2 on top of that.
    """
    guess = math.log(num_classes)
    said = (f"the first loss is {loss:.2f}, guessing among {num_classes} classes gives "
            f"ln {num_classes} = {guess:.2f}")
    if loss > guess + 1.5:
        return (f"{said}: the network starts out sure of wrong answers, since its outputs are too "
                "large; initial weights that are too wide (--init) or pixels that are not scaled "
                "(--pixels unit) do that.")
    if loss < 0.5 * guess and not pretrained:
        return (f"{said}: a network that knows nothing cannot be this good; look whether the "
                "labels can be seen in the pictures.")
    return None


class Checkpoints(Callback):
    """Save the run: at its beginning, within an epoch now and then, after an epoch where that is
    cheap, its best and its last.

    A disk that is full shows at the beginning, not hours later; one that is full for an hour does
    not end a week of training.
    """

    SHARE = 0.02  # at most this part of the time goes into saving before the last epoch is over

    def __init__(self, most_steps: int | None, most_seconds: float | None) -> None:
        # between two, one of them None
        self.most_steps, self.most_seconds = most_steps, most_seconds
        self.saved_at, self.steps = time.perf_counter(), 0

    def on_begin(self, trainer: Trainer) -> None:
        if trainer.saved is None:
            self.save(trainer)
        else:
            keep_best(trainer)  # which the run has not done if it was killed right after saving

    def on_step(self, trainer: Trainer, images: Any, labels: Any) -> None:
        self.steps += 1
        if trainer.agree(self.is_due(trainer)):
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
        require_finite_weights(trainer)
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


class Forgotten(Callback):
    """Warn once of an array in the user's own network that changes and that no checkpoint holds."""

    def on_begin(self, trainer: Trainer) -> None:
        self.before = own_model.arrays_beside(trainer.model)

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        now = self.before and own_model.arrays_beside(trainer.model)
        changed = [name for name, array in self.before.items()
                   if name not in now or not np.array_equal(array, now[name])]
        if changed:
            self.before = {}
            trainer.warn(f"{', '.join(changed)} of {trainer.config.variant} changes while it "
                         "trains, and checkpoints hold parameters alone: evaluate, predict and "
                         "--resume will use another network. Make it an nn.Parameter with "
                         "requires_grad = False, and change its .data.")


class Figures(Callback):
    """Draw the run's pictures, and write its page."""

    def on_end(self, trainer: Trainer) -> None:
        complete = [trainer.is_complete(row.epoch - 1) for row in trainer.history]
        figures.of_run(trainer.folder.path, trainer.experiment, trainer.history, complete,
                       trainer.warn)
        report.of_training(trainer.folder.path, trainer.experiment.val, trainer.device,
                           trainer.warn)
