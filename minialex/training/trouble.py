"""When training goes wrong: is the first loss what it should be, and which layer was the first to leave the numbers?"""

import math

from .. import functional as F
from ..anomaly import detect_anomaly
from ..device import array_module
from ..tensor import Tensor


class Diverged(Exception):
    """The loss or the weights are no longer finite: the message names the layer and says what to try."""


def about_first_loss(loss, num_classes, pretrained=False):
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


def first_broken_parameter(model):
    """The name of the first parameter with NaN or infinity in it, or None."""
    for name, parameter in model.named_parameters():
        if not array_module(parameter.data).isfinite(parameter.data).all():
            return name
    return None


def explain_divergence(model, images, labels, lr):
    """One sentence for a batch whose loss is not finite: the first layer that gives NaN or infinity for it."""
    advice = f"Try a smaller learning rate than {lr:g} (--lr)."
    broken = first_broken_parameter(model)
    if broken:
        return (f"the loss is no longer finite: layer {broken.rpartition('.')[0]} is the first with NaN or infinity in its "
                f"parameters ({broken}). {advice}")
    try:
        with detect_anomaly():
            F.cross_entropy(model(Tensor(images)), labels).backward()
    except FloatingPointError as error:
        return f"the loss is no longer finite: {str(error).rstrip('.')}. {advice}"
    last = list(model.named_parameters())[-1][0].rpartition(".")[0]
    return f"the loss is no longer finite, though no layer up to {last} gives NaN or infinity for the same batch again. {advice}"
