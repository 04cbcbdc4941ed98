"""Which of what a forward returned is the output, and whose gradient is which of what a backward
returned: by names, or else by shapes."""
import re

import numpy as np

from ..called import binding
from ..dialects import ITS_COST
from ..names import DOUT, name_words, plain, role, stem, stems_of_gradient
from . import objects


def is_last(names: list[str], result: tuple) -> bool:
    """Does forward number what it returns, A1 and A2, or call the last of it alone its output?"""
    numbers = [re.findall(r"\d+$", one) for one in names]
    called = [_is_output(one.rpartition(".")[2]) for one in names]
    in_order = all(numbers) and sorted(numbers) == numbers
    return len(result) == len(names) and (
        in_order or called == [False] * (len(called) - 1) + [True])


def _is_output(name):
    return role(name) in ("scores", "probs") or name_words(name)[-1:] in (["out"], ["output"])


def named_loss_first(names: list[str], result: object) -> object:
    """Of predictions, loss of each example the latter, as the return statement calls them."""
    words = [name_words(name.rpartition(".")[2]) for name in names]
    place = next((place for place, one in enumerate(words) if {*one} & {*ITS_COST}), 0)
    return binding.to_front(result, place) if place and isinstance(result, tuple) and len(
        result) == len(words) and np.ndim(result[place]) else result


def besides(returned: object, stored: dict) -> object:
    """Of several gradients those that are not stored by name, too."""
    if not isinstance(returned, tuple):
        return returned
    rest = [one for one in returned if not any(one is value for value in stored.values())]
    return tuple(rest) if rest else returned


def beside_weights(returned: object, weights: list) -> object:
    """Of [[W, dW], [b, db]], or (dx, [(W, dW)]), the gradients alone."""
    if type(returned) not in (list, tuple):
        return returned
    if len(returned) == 2 and any(returned[0] is one for one in weights):
        return returned[1]
    return type(returned)([beside_weights(one, weights) for one in returned])


def in_shape(returned: object, wanted: list) -> object:
    """The gradients of all parameters, where they come one number after the other."""
    sizes = [one.array.size for one in wanted]
    if not isinstance(returned, (list, np.ndarray)) or len(sizes) in (0, len(returned)) or len(
            returned) != sum(sizes) or any(map(np.ndim, returned)):
        return returned
    parts = np.split(np.array(returned, dtype=float), np.cumsum(sizes)[:-1])
    return [part.reshape(one.array.shape) for part, one in zip(parts, wanted)]


def by_input(returned: object, moved: dict, wanted: list) -> dict:
    """{name: gradient} of what backward returned: dx, (dx, dW, db), (dx, [dW, db]), {"W": dW}."""
    if returned is None or isinstance(returned, bool):
        return {}
    if isinstance(returned, dict):
        returned = {key: np.array(value) if isinstance(value, float) else value
                    for key, value in returned.items()}  # db of one output
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
