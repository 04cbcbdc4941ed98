"""What happens beside the loop: a Callback is told each event of a run, with the Trainer and what belongs to the event.

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

A callback may look at everything of the Trainer, and set `trainer.stopping`; what it changes, it changes in the run.
"""

import math
import signal
import threading
import time
from typing import Any

from .. import functional as F
from ..anomaly import detect_anomaly
from ..device import array_module, memory_used
from ..evaluation import report
from ..tensor import Tensor
from ..utils.files import NotWritten
from ..utils.progress import duration
from . import checkpoint, memory_estimate, plots, say
from .config import save_interval
from .loop import Diverged, Epoch, Timing, Trainer


class Callback:
    """One method for each event; each does nothing unless a callback says otherwise."""

    def on_begin(self, trainer: Trainer) -> None:
        """The first step is about to be made."""

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """An epoch's steps, or those left of it, are about to be made."""

    def on_loss(self, trainer: Trainer, loss: Tensor, images: Any, labels: Any) -> None:
        """The loss of a part of a batch is known, its gradients are not yet; all on the trainer's device."""

    def on_gradients(self, trainer: Trainer) -> None:
        """The gradients of a whole batch are ready, the optimiser has not yet made its step."""

    def on_step(self, trainer: Trainer, images: Any, labels: Any) -> None:
        """A step has been made, on this batch as the loader gave it."""

    def on_validation(self, trainer: Trainer, loss: float, images: Any, labels: Any) -> None:
        """A validation has been made, with this mean loss; images and labels: its last batch."""

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        """An epoch with its validation is over."""

    def on_stop(self, trainer: Trainer) -> None:
        """Somebody has set trainer.stopping: the run leaves the loop after this."""

    def on_close(self, trainer: Trainer) -> None:
        """The loop has been left, however it ended."""

    def on_end(self, trainer: Trainer) -> None:
        """All epochs are over."""


class Interrupt(Callback):
    """Ctrl-C while training: the first one asks, and the step is finished and saved; the second one leaves at once.

    What a shared machine sends before it takes a program down, and a terminal when it is closed, is heard like the first.
    """

    HEARD = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP

    def __init__(self) -> None:
        self.before: dict[int, Any] = {}

    def on_begin(self, trainer: Trainer) -> None:
        def handle(number: int, frame: Any) -> None:
            if trainer.stopping:
                raise KeyboardInterrupt
            trainer.stopping = True
            try:
                trainer.progress.line("stopping after this step; once more to leave at once")
            except RuntimeError:  # the signal came while the program was printing, and its output takes one line at a time
                pass

        if threading.current_thread() is threading.main_thread():  # Python lets no other thread handle signals
            for number in (getattr(signal, name) for name in self.HEARD if hasattr(signal, name)):
                if signal.getsignal(number) != signal.SIG_IGN:  # nohup, and shells for what runs in the background, do that
                    self.before[number] = signal.signal(number, handle) or signal.SIG_DFL

    def on_close(self, trainer: Trainer) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)


class Schedule(Callback):
    """Let the learning rate rise from 0 over the first `warmup` steps of a run, and follow its schedule after each epoch."""

    def on_gradients(self, trainer: Trainer) -> None:
        if trainer.epoch == 0 and trainer.batch < trainer.config.warmup:
            for group in trainer.optimizer.param_groups:
                group["lr"] = group["initial_lr"] * (trainer.batch + 1) / trainer.config.warmup

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        trainer.schedule.step(*([1 - row.val_top1] if trainer.config.schedule == "plateau" else []))


# ------------------------------------------------------------------------------------------------ when training goes wrong


class Anomaly(Callback):
    """Is the first loss what it should be, and is every loss finite? Raises Diverged."""

    ASK_EVERY = 20  # steps between two looks at the loss on a GPU, where looking means waiting

    def on_loss(self, trainer: Trainer, loss: Tensor, images: Any, labels: Any) -> None:
        first = trainer.epoch == trainer.batch == trainer.tally.count == 0
        if trainer.device != "cpu" and not first and trainer.batch % self.ASK_EVERY:
            return
        value = loss.item()
        if not math.isfinite(value):
            give_up(trainer, images, labels)
        known = bool(trainer.experiment.notes)  # weights from a file
        warning = about_first_loss(value, len(trainer.experiment.train.classes), known) if first else None
        if warning:
            trainer.progress.line(f"warning  {warning}")

    def on_validation(self, trainer: Trainer, loss: float, images: Any, labels: Any) -> None:
        if not math.isfinite(loss):
            give_up(trainer, images, labels)
        check_weights(trainer, images, labels)

    def on_stop(self, trainer: Trainer) -> None:
        broken = first_broken_parameter(trainer.model)
        if broken:
            raise Diverged(f"{broken} holds NaN or infinity, which is not saved.{_what_is_kept(trainer)}")


def check_weights(trainer: Trainer, images: Any, labels: Any) -> None:
    """What is saved must be good to go on from. Raises Diverged."""
    if first_broken_parameter(trainer.model):
        give_up(trainer, *trainer.on_device(images, labels))


def give_up(trainer: Trainer, images: Any, labels: Any) -> None:
    """Raise Diverged, which says where, why and what is kept."""
    where = f"epoch {trainer.epoch + 1}, step {trainer.batch + 1}: "
    raise Diverged(where + explain_divergence(trainer.experiment.learner, images, labels, trainer.lr) + _what_is_kept(trainer))


def _what_is_kept(trainer: Trainer) -> str:
    if trainer.saved is None or trainer.saved == (0, 0):
        return ""
    epoch, steps = trainer.saved
    return f" {trainer.folder.last} has the network after epoch {epoch}" + (f" and {steps} steps." if steps else ".")


def about_first_loss(loss: float, num_classes: int, pretrained: bool = False) -> str | None:
    """A warning about a first loss far from ln K, or None.

    A network that knows nothing gives each of K classes the probability 1/K, and −ln(1/K) = ln K. Logits that spread
    around 0 with variance v put about v/2 on top of that.
    """
    guess = math.log(num_classes)
    said = f"the first loss is {loss:.2f}, guessing among {num_classes} classes gives ln {num_classes} = {guess:.2f}"
    if loss > guess + 1.5:
        return (f"{said}: the network starts out sure of wrong answers, since its outputs are too large; initial weights that "
                "are too wide (--init) or pixels that are not scaled (--pixels unit) do that.")
    if loss < 0.5 * guess and not pretrained:
        return f"{said}: a network that knows nothing cannot be this good; look whether the labels can be seen in the pictures."
    return None


def first_broken_parameter(model: Any) -> str | None:
    """The name of the first parameter with NaN or infinity in it, or None."""
    for name, parameter in model.named_parameters():
        if not array_module(parameter.data).isfinite(parameter.data).all():
            return name
    return None


def explain_divergence(model: Any, images: Any, labels: Any, lr: float) -> str:
    """One sentence for a batch whose loss is not finite: the first layer that gives NaN or infinity for it."""
    said, advice = "the loss is no longer finite", f"Try a smaller learning rate than {lr:g} (--lr)."
    broken = first_broken_parameter(model)
    if broken:
        layer = broken.rpartition(".")[0]
        return f"{said}: layer {layer} is the first with NaN or infinity in its parameters ({broken}). {advice}"
    try:
        with detect_anomaly():
            F.cross_entropy(model(Tensor(images)), labels).backward()
    except FloatingPointError as error:
        return f"{said}: {str(error).rstrip('.')}. {advice}"
    last = list(model.named_parameters())[-1][0].rpartition(".")[0]
    return f"{said}, though no layer up to {last} gives NaN or infinity for the same batch again. {advice}"


# ------------------------------------------------------------------------------------------------ what is said


class TimeLeft(Callback):
    """How long the run will take, from its first steps on, and the table of epochs that grows while it does."""

    FIRST_STEPS = 5  # measured for the first estimate; the very first, slower than the others, is not counted

    def __init__(self) -> None:
        self.steps, self.images, self.seconds, self.told_heading = 0, 0, 0.0, False
        self.began = self.last = time.perf_counter()
        self.estimated: float | None = None  # seconds for all, after the first steps

    def on_epoch_begin(self, trainer: Trainer) -> None:
        self.last = time.perf_counter()

    def on_step(self, trainer: Trainer, images: Any, labels: Any) -> None:
        now = time.perf_counter()
        self.steps += 1
        if self.steps > 1:
            self.images, self.seconds = self.images + trainer.pictures_per_step, self.seconds + now - self.last
        self.last = now
        if self.steps == self.FIRST_STEPS:
            trainer.costs["train"] = self.seconds / self.images
            left = seconds_left(trainer)
            self.estimated = now - self.began + left
            used = memory_used(trainer.device)
            memory = f"; memory so far {memory_estimate.gigabytes(used)}" if used else ""
            rate = f"{self.images / self.seconds:.1f} images/s"
            trainer.progress.line(f"time     about {duration(left)}, at the {rate} of the first steps{memory}")
            trainer.progress.line()

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        tell, epochs = trainer.progress.line, trainer.config.epochs
        if not self.told_heading:
            tell("  epoch       lr   training loss   top-1    validation loss   top-1    top-5     time, left")
            self.told_heading = True
        taken = duration(sum(trainer.timing[-1][1::2]))  # of training, validation and features
        left = f"{taken}, {duration(seconds_left(trainer))}" if row.epoch < epochs else taken
        mark = " " if trainer.is_complete(row.epoch - 1) else "*"
        tell(f"{row.epoch:3}/{epochs:<3} {row.lr:8.2g} {row.train_loss:15.3f} {row.train_top1:7.1%} "
             f"{row.val_loss:18.3f} {row.val_top1:7.1%}{mark} {row.val_top5:7.1%}{mark}    {left}")

    def on_end(self, trainer: Trainer) -> None:
        """After the pictures are drawn: what the run has reached, and what it took beside what was estimated."""
        took = None
        if self.estimated is not None:
            took = f"{duration(time.perf_counter() - self.began)}, estimated {duration(self.estimated)}"
            used = memory_used(trainer.device)
            needed = memory_estimate.gigabytes(memory_estimate.memory(trainer.experiment))
            took += f"; at most {memory_estimate.gigabytes(used)} of memory, estimated {needed}" if used else ""
        for line in say.ending(trainer, took):
            trainer.progress.line(line)


VALIDATION_COST = 1 / 3  # of a picture in training: forward only
DRAWING = 6  # seconds for the pictures and the page at the end, on one core


def seconds_left(trainer: Trainer) -> float:
    """How long the rest of a run takes, at what its parts have cost so far.

        pictures to train on · a + pictures to validate · b + pictures for the frozen layers · c
        + the last report's forward pass of all validation pictures + the saving of checkpoints + the drawing

    a, b, c: seconds per picture, each measured where it is spent. Until b is known it is a/3.
    """
    config, val, costs = trainer.config, len(trainer.experiment.val), trainer.costs
    epochs, train, features = range(trainer.epoch, config.epochs), costs.get("train", 0.0), costs.get("features", 0.0)
    validate = costs.get("val", VALIDATION_COST * train)
    steps = len(epochs) * len(trainer.loader) - trainer.batch
    complete = sum(map(trainer.is_complete, epochs))
    validated = complete * val + (len(epochs) - complete) * config.val_images
    kept = [trainer.loader, trainer.validation] if trainer.experiment.views else []
    uncomputed = sum(loader.uncomputed(epochs) for loader in kept)
    return (steps * config.batch_size * train + validated * validate + uncomputed * features
            + val * (validate + features * bool(kept)) + complete * costs.get("save", 0.0) + DRAWING)


# ------------------------------------------------------------------------------------------------ what is written


class Checkpoints(Callback):
    """Save the run: at its beginning, within an epoch now and then, after an epoch where that is cheap, its best and its last.

    A disk that is full shows at the beginning, not hours later; one that is full for an hour does not end a week of training.
    """

    SHARE = 0.02  # at most this part of the time goes into saving before the last epoch is over

    def __init__(self, save_every: str) -> None:
        self.most_steps, self.most_seconds = save_interval(save_every)
        self.saved_at, self.steps = time.perf_counter(), 0

    def on_begin(self, trainer: Trainer) -> None:
        if trainer.saved is None:
            self.save(trainer)
        else:
            keep_best(trainer)  # its second name, which it did not get if the run was killed right after saving

    def on_step(self, trainer: Trainer, images: Any, labels: Any) -> None:
        self.steps += 1
        if self.is_due(trainer):
            check_weights(trainer, images, labels)
            try:
                self.save(trainer)
            except NotWritten as problem:
                self._try_later(trainer, problem)

    def is_due(self, trainer: Trainer) -> bool:
        """Is it time to save within the epoch?"""
        if self.most_seconds is None:
            return self.steps >= (self.most_steps or 1)
        return time.perf_counter() - self.saved_at >= self.most_seconds and self._is_cheap(trainer)

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        """Only complete validations can make an epoch the best: samples of different luck are not compared."""
        before, mark = trainer.best, (row.val_top1, -row.val_loss, row.epoch)
        is_best = trainer.is_complete(row.epoch - 1) and (before is None or mark[:2] > tuple(before[:2]))
        trainer.best = mark if is_best else before
        is_last = row.epoch == trainer.config.epochs
        try:
            if is_best or is_last or self._is_cheap(trainer):
                self.save(trainer)
            keep_best(trainer)
        except NotWritten as problem:
            trainer.best = before  # the network that was better is nowhere
            if is_last:
                raise
            self._try_later(trainer, problem)

    def on_stop(self, trainer: Trainer) -> None:
        self.save(trainer)

    def _is_cheap(self, trainer: Trainer) -> bool:
        if trainer.saved == (0, 0):  # nothing learnt is kept yet
            return True
        return time.perf_counter() - self.saved_at > trainer.costs.get("save", 0.0) / self.SHARE

    def _try_later(self, trainer: Trainer, problem: NotWritten) -> None:
        self.steps, self.saved_at = 0, time.perf_counter()
        warn(trainer, f"{problem} The run goes on and tries again later.")

    def save(self, trainer: Trainer) -> None:
        """Write checkpoint-last.npz. Raises NotWritten when it cannot be written; the one before then stays."""
        start = time.perf_counter()
        checkpoint.save_run(trainer)
        trainer.saved, self.saved_at, self.steps = (trainer.epoch, trainer.batch), time.perf_counter(), 0
        trainer.costs["save"] = self.saved_at - start


def keep_best(trainer: Trainer) -> None:
    """Give the checkpoint that was saved last its second name, if it is the best one."""
    if trainer.best is not None and trainer.saved == (trainer.best[2], 0):
        checkpoint.keep_as(trainer.folder.last, trainer.folder.best)


class Tables(Callback):
    """Write metrics.csv and timing.csv."""

    def on_begin(self, trainer: Trainer) -> None:
        trainer.folder.write_table("metrics.csv", Epoch._fields, (
            [row.epoch, f"{row.lr:.6g}", *(f"{number:.6f}" for number in row[2:])] for row in trainer.history))
        trainer.folder.write_table("timing.csv", Timing._fields, (
            [row.epoch, *(round(value, 3) for value in row[1:])] for row in trainer.timing))

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        try:
            self.on_begin(trainer)
        except NotWritten as problem:
            if row.epoch == trainer.config.epochs:
                raise
            warn(trainer, f"{problem} The run goes on and tries again later.")


class Figures(Callback):
    """Draw the run's pictures, and write its page."""

    def on_end(self, trainer: Trainer) -> None:
        complete = [trainer.is_complete(row.epoch - 1) for row in trainer.history]
        folder = trainer.folder.path
        plots.of_run(folder, trainer.experiment, trainer.history, complete, lambda text: warn(trainer, text))
        report.of_training(folder, trainer.experiment.val, trainer.device, lambda text: warn(trainer, text))


def warn(trainer: Trainer, text: str) -> None:
    """Say what went wrong while the run goes on."""
    trainer.progress.line(f"warning  {text}")
