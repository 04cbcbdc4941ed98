"""When training goes wrong: a first loss that cannot be, losses and weights that are not finite."""

import math
from typing import Any

from ..anomaly import explain, first_broken_parameter
from ..tensor import Tensor
from .callbacks import Callback
from .config import INITIALISATIONS
from .loop import Diverged, Trainer


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

    def on_stop(self, trainer: Trainer) -> None:
        broken = first_broken_parameter(trainer.model)
        if broken:
            what = f"{broken} holds NaN or infinity, which is not saved."
            raise Diverged(what + _what_is_kept(trainer))


def require_finite_weights(trainer: Trainer) -> None:
    """What is saved must be good to go on from. Raises Diverged."""
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
