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

import signal
import threading
from contextlib import suppress
from typing import Any

from ..evaluation import figures, report
from ..tensor import Tensor
from .loop import Trainer
from .run_dir import Epoch


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


class Figures(Callback):
    """Draw the run's pictures, and write its page."""

    def on_end(self, trainer: Trainer) -> None:
        complete = [trainer.is_complete(row.epoch - 1) for row in trainer.history]
        figures.of_run(trainer.folder.path, trainer.experiment, trainer.history, complete,
                       trainer.warn)
        report.of_training(trainer.folder.path, trainer.experiment.val, trainer.device,
                           trainer.warn)
