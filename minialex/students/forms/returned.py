"""Whose gradient is which of what a backward returned: by names, or else by shapes."""
import numpy as np

from ..names import DOUT, plain, stem, stems_of_gradient
from . import objects


def besides(returned: object, stored: dict) -> object:
    """Of several gradients those that are not stored by name, too."""
    if not isinstance(returned, tuple):
        return returned
    rest = [one for one in returned if not any(one is value for value in stored.values())]
    return tuple(rest) if rest else returned


def by_input(returned: object, moved: dict, wanted: list) -> dict:
    """{name: gradient} of what backward returned: dx, (dx, dW, db), (dx, [dW, db]), {"W": dW}."""
    if returned is None or isinstance(returned, bool):
        return {}
    if isinstance(returned, dict):
        found = objects.gradients({"grads": returned}, wanted)
        return {**found, **{name: value for key, value in returned.items() for name in moved
                            if plain(key) == plain(name) or stem(name) in stems_of_gradient(key) or
                            len(moved) == len(returned) == 1 and DOUT.search(key)}}
    shapes = {**moved, **{parameter.name: parameter.array.shape for parameter in wanted}}
    dictionaries = [value for value in returned
                    if isinstance(value, dict)] if isinstance(returned, (tuple, list)) else []
    found = by_input(dictionaries[0], {}, wanted) if dictionaries else {}
    flat = list(objects.flat(returned))
    if len(flat) == 1 and moved:  # the input's, unless only a parameter has that shape
        name, shape = next(iter(moved.items()))
        if (np.shape(flat[0]) == shape or len(shapes) == 1
            or np.shape(flat[0]) not in shapes.values()):
            return {**found, name: flat[0]}
    if not wanted and len(flat) == len(shapes):  # of inputs alone: in their order
        return {**found, **dict(zip(shapes, flat))}
    return {**found, **objects.by_shape(flat, shapes)}
