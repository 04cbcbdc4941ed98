"""What a student's backward returned, sorted out: one gradient for each input that is checked.

Accepted are an array, a tuple or list in the order of the inputs (with or without places for labels and options), a
dictionary by name ("w", "dw" and "grad_w" are the same), and a dx that is itself a list of numbers.
"""
import numpy as np


class GradientsDiffer(ValueError):
    """Not as many gradients as inputs, or unknown names."""


def sorted_out(pair, returned):
    """[float array or None for each checked input]. Raises GradientsDiffer, or TypeError for what is no gradient."""
    if returned is None:
        raise TypeError("check_backward: backward returned None: is `return` missing?")
    if isinstance(returned, dict):
        return _fitted(pair, _by_name(pair.names, returned))
    return _fitted(pair, _in_order(pair, returned))


def _fitted(pair, values):
    """One number does not care how many axes of length 1 it has; every other shape is kept as it came."""
    arrays = [_as_gradient(name, value) for name, value in zip(pair.names, values)]
    return [array.reshape(tensor.shape) if array is not None and array.size == tensor.size == 1 else array
            for array, tensor in zip(arrays, pair.tensors)]


def _in_order(pair, returned):
    count = len(pair.names)
    if not isinstance(returned, (tuple, list)):
        returned = (returned,)
    elif count == 1 and _is_one_array(returned, pair.tensors[0].shape):
        return (returned,)
    if len(returned) == count:
        return returned
    if len(returned) == len(pair.all_names):
        return [value for name, value in zip(pair.all_names, returned) if name in pair.names]
    arrays = [name for name in pair.all_names if name in pair.names or isinstance(pair.options[name], np.ndarray)]
    if len(returned) == len(arrays):
        return [value for name, value in zip(arrays, returned) if name in pair.names]
    gradients = "1 gradient" if len(returned) == 1 else f"{len(returned)} gradients"
    raise GradientsDiffer(f"backward returned {gradients} for {count} inputs ({', '.join(pair.names)}): return one for each, in "
                          "this order")


def _is_one_array(returned, shape):
    """Is this list itself the gradient? A list of one array is not, unless its shape says so."""
    try:
        found = np.shape(returned)
    except ValueError:
        return False
    return found == shape or len(returned) > 1


def _by_name(names, returned):
    plain = {_plain(key): value for key, value in returned.items()}
    missing = [name for name in names if _plain(name) not in plain]
    if missing:
        raise GradientsDiffer(f"backward returned gradients for {', '.join(map(str, returned)) or 'nothing'}: the one for "
                              f"{', '.join(missing)} is missing")
    return [plain[_plain(name)] for name in names]


def _plain(name):
    name = str(name).lower()
    for prefix in ("grad_", "grad", "d_", "d"):
        if name.startswith(prefix) and len(name) > len(prefix):
            return name[len(prefix):]
    return name


def _as_gradient(name, value):
    if value is None:
        return None
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"check_backward: the gradient for {name} is a {type(value).__name__} that is no array of numbers.")
    return array.astype(np.float64)
