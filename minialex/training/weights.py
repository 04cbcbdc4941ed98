"""--init FILE: start from weights that were learnt before, as far as their shapes fit, and with the pixels they expect."""

import numpy as np

from .. import weights
from ..errors import UserError
from ..tensor import Tensor, no_grad
from .config import INITIALISATIONS


def named_in(given):
    """The Weights that the option --init (in a dict of options) names, or None when it names a distribution or nothing."""
    init = given.get("init")
    return None if init is None or init in INITIALISATIONS else weights.read(init, given.get("mean"))


def settings(given, found):
    """The user's options, completed by what travels with the weights: the network's variant, what its pixels look like."""
    if found is None:
        return given
    if given.get("mean") is not None and given.get("pixels", found.pixels) != found.pixels:
        raise UserError(f"--mean {given['mean']} is for --pixels {found.pixels}: leave one of the two options out.")
    own = {"variant": found.variant, "pixels": found.pixels if found.statistics else None}
    return {name: value for name, value in own.items() if value is not None} | given


def statistics(found, config):
    """The mean image and spread that the weights were trained with; None to measure the new pictures'.

    Raises UserError where they must be measured although --mean names them.
    """
    if found is None or found.statistics is None:
        return None
    same_pictures = (config.variant == "lenet5") == (found.variant == "lenet5")
    colours = not config.colour or found.statistics.components is not None
    if same_pictures and colours and found.pixels == config.pixels:
        return found.statistics
    if config.mean is not None:
        other = "--pixels or --variant" if colours else "--colour"
        raise UserError(f"--mean {config.mean} does not go with {other}, for which the pictures' own mean is measured: leave one "
                        "of them out.")
    return None


def fresh(model, found):
    """The names of those of a model's parameters that Weights do not have, or have in another shape."""
    return frozenset(name for name, array in model.state_dict().items()
                     if name not in found.arrays or found.arrays[name].shape != array.shape)


def settle(experiment, images):
    """Divide the weights of the first layer that a file of weights did not have by the size of what comes into it.

    He's variance 2/fan_in takes inputs of mean square 1 for granted; learnt layers give others: pool5 of Caffe's AlexNet
    has about 120. images: the first batch of training, as the network that learns takes it.
    """
    x = Tensor(images)
    with no_grad():
        for name, layer in experiment.learner.named_children():
            if f"{name}.weight" in experiment.fresh:
                layer.weight.data /= float((x.data ** 2).mean()) ** 0.5 or 1.0
                return
            x = layer(x)


def load_into(model, found, path):
    """Copy into a model what Weights have for it.

    A layer of another shape, such as fc8 for another number of classes, keeps its initial weights. Returns sentences
    that say so. Raises UserError when nothing fits, or what does holds NaN or infinity.
    """
    arrays, own = found.arrays, model.state_dict()
    fitting = {name: arrays[name] for name in own if name in arrays and arrays[name].shape == own[name].shape}
    if not fitting:
        raise UserError(f"no array in {path} fits this network: it holds {_some(arrays)}, the network has {_some(own)}.")
    for name, array in fitting.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise UserError(f"{name} in {path} does not hold finite floating-point numbers: these weights cannot be used.")
    model.load_state_dict(own | fitting)
    return [f"{len(fitting)} of {len(own)} arrays come from {path}: {found.origin}", *found.notes,
            *_other_variant(model, found), *_left_out(own, arrays, path)]


def _other_variant(model, found):
    if found.variant is not None and found.variant != model.variant:
        yield f"these weights were learnt by the variant {found.variant}, this network is the variant {model.variant}"


def _left_out(own, arrays, path):
    missing = [name for name in own if name not in arrays]
    if missing:
        yield f"not in {path}, so with initial values: {', '.join(missing)}"
    for name, array in own.items():
        if name in arrays and arrays[name].shape != array.shape:
            yield f"{name} has shape {arrays[name].shape} in {path} and {array.shape} here: it keeps its initial values"
    unknown = [name for name in arrays if name not in own]
    if unknown:
        yield f"not used from {path}: {', '.join(unknown)}"


def _some(arrays):
    shown = [f"{name} {array.shape}" for name, array in list(arrays.items())[:4]]
    return ", ".join(shown) + (", ..." if len(arrays) > 4 else "")
