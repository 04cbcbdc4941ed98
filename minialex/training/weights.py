"""--init FILE: start from weights that were learnt before, as far as their shapes fit."""

import numpy as np

from ..errors import UserError
from .checkpoint import read_arrays


def load_into(model, path):
    """Copy into a model what an .npz file (of state_dict names, or one of our checkpoints) has for it.

    A layer of another shape, such as fc8 for another number of classes, keeps its initial weights. Returns sentences
    that say so. Raises UserError when the file cannot be read, fits nowhere, or holds NaN or infinity.
    """
    arrays = read_arrays(path)
    if any(name.startswith("model/") for name in arrays):
        arrays = {name[len("model/"):]: array for name, array in arrays.items() if name.startswith("model/")}
    own = model.state_dict()
    fitting = {name: arrays[name] for name in own if name in arrays and arrays[name].shape == own[name].shape}
    if not fitting:
        raise UserError(f"no array in {path} fits this network: it holds {_some(arrays)}, the network has {_some(own)}.")
    for name, array in fitting.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise UserError(f"{name} in {path} does not hold finite floating-point numbers: these weights cannot be used.")
    model.load_state_dict(own | fitting)
    return [f"{len(fitting)} of {len(own)} arrays come from {path}", *_left_out(own, arrays, path)]


def _left_out(own, arrays, path):
    for name, array in own.items():
        if name not in arrays:
            yield f"{name} is not in {path}: it keeps its initial values"
        elif arrays[name].shape != array.shape:
            yield f"{name} has shape {arrays[name].shape} in {path} and {array.shape} here: it keeps its initial values"
    unknown = [name for name in arrays if name not in own]
    if unknown:
        yield f"not used from {path}: {', '.join(unknown)}"


def _some(arrays):
    shown = [f"{name} {array.shape}" for name, array in list(arrays.items())[:4]]
    return ", ".join(shown) + (", ..." if len(arrays) > 4 else "")
