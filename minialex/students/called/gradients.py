"""What a student's backward returned, sorted out: one gradient for each input that is checked.

Accepted are an array, a tuple or list in the order of the inputs (with or without places for labels
and options), a dictionary by name ("w", "dw" and "grad_w" are the same), and a dx that is itself a
list of numbers. A loss may give the gradient of some inputs only: of its weights, or of its
prediction.
"""
from itertools import combinations

import numpy as np

from ...gradcheck.asked import GradientsDiffer, as_numbers
from ...gradcheck.tensor_function import Checked
from ..names import plain, role, stem, stems_of_gradient
from .binding import in_their_order, names_returned


class Named(dict):
    """Gradients by the very names of the inputs, not all of which need one."""


def sorted_out(pair: Checked, returned: object, is_loss: bool) -> dict:
    """{name: float array or None} for the inputs that got a gradient. Raises GradientsDiffer, or
    TypeError for what is no gradient."""
    if returned is None:
        raise TypeError("check_backward: backward returned None: is `return` missing?")
    read = _by_name if isinstance(returned, dict) else _in_order
    if isinstance(returned, tuple):
        returned = _with_names(pair, returned)
    returned = in_a_row(returned, pair.shapes)
    found = returned if isinstance(returned, Named) else read(pair, returned, is_loss)
    pair.unasked = {name: value for name, value in found.items()
                    if is_of_number(value, pair.options.get(name))}
    return {name: _fitted(name, value, pair.shapes[name])
            for name, value in found.items()
            if name in pair.shapes and (value is not None or role(name))}


def _with_names(pair, returned):
    """dx, dh, {"dW": dW} as (dx, dh, dW), in the order of the inputs, where each of them has its
    name there or is one of those that are left."""
    inside = [one for one in returned if isinstance(one, dict)]
    others = [one for one in returned if not isinstance(one, dict)]
    if len(inside) != 1 or not others:
        return returned
    named = {next((name for name in pair.shapes if plain(name) in words or stem(name) in words),
                  None): value for key, value in inside[0].items()
             for words in [[plain(key), stem(key), *stems_of_gradient(key)]]}
    left = [name for name in pair.shapes if name not in named]
    if None in named or len(named) < len(inside[0]) or len(left) != len(others):
        return returned
    words = names_returned(pair.code.function) if hasattr(pair.code, "function") else []
    beside = [word for word, one in zip(words, returned) if not isinstance(one, dict)
              ] if len(words) == len(returned) else []
    return Named({**dict(zip(in_their_order(left, beside), others)), **named})


def in_a_row(returned: object, shapes: dict[str, tuple]) -> object:
    """Gradients of the parts of one vector, into which its function takes it apart, as the gradient
    of that; anything else as it is."""
    parts = [np.shape(one) for one in returned] if isinstance(returned, (tuple, list)) else []
    rows = [name for name, shape in shapes.items()
            if shape == (sum(int(np.prod(part)) for part in parts),)]
    if len(parts) < 2 or len(rows) != 1 or not all(parts) or {*parts} <= {*shapes.values()}:
        return returned
    return Named({rows[0]: np.concatenate(list(map(np.ravel, returned)))})


def _fitted(name, value, shape):
    """One number does not care how many axes of length 1 it has; every other shape is kept as it
    came."""
    if value is None:
        return None
    array = as_numbers(f"check_backward: the gradient for {name} is",
                               value).astype(np.float64)
    return array.reshape(shape) if array.size == np.prod(shape) == 1 else array


def told_apart(pair: Checked, found: dict, dout: float) -> dict:
    """Of inputs of one shape a loss may leave out some: of (recon, x, mu, logvar) the data. Whose
    gradients the others are their values tell: most of them agree with those inputs, in this order.
    What is called like data is left out where it can be: the prediction's gradient with the other
    sign is often that of the data."""
    def fits(chosen):
        right = sum(agreeing[place, name] for place, name in enumerate(chosen))
        data = sum(role(name) in ("x", "labels") for name in chosen)
        return chosen == present and right == len(chosen), -data, right

    for shape in set(pair.shapes.values()):
        names = [name for name in pair.shapes if pair.shapes[name] == shape]
        present = tuple(name for name, value in found.items() if name in names
                        and np.shape(value) == shape)
        values = [found[name] for name in present]
        if 1 < len(present) < len(names) and dout:
            if shape not in pair.owners:
                agreeing = {(place, name): pair.agrees(name, value / dout)
                            for place, value in enumerate(values) for name in names}
                pair.owners[shape] = max((present, *combinations(names, len(present))), key=fits)
            found = {name: value for name, value in found.items() if name not in present}
            found.update(zip(pair.owners[shape], values))
    return found


def _in_order(pair, returned, is_loss):
    names, count = list(pair.shapes), len(pair.shapes)
    if not isinstance(returned, (tuple, list)):
        returned = (returned,)
    elif count == 1 and _is_one_array(returned, pair.shapes[names[0]]):
        return {names[0]: returned}
    returned = _opened(returned)
    arrays = [name for name in pair.all_names if name in names
              or isinstance(pair.options.get(name), np.ndarray)]
    known = [name for name in names if role(name) not in (None, "c")]
    for order in (names, pair.all_names, arrays, known):
        if len(returned) == len(order) and not (is_loss and _misfit(pair, order, returned)):
            pair.unclear = [] if is_loss or order != known else [
                name for name in names if name not in known]
            return dict(zip(order, returned))
    if is_loss and len(returned) < count:
        return _some(pair, returned)
    gradients = "1 gradient" if len(returned) == 1 else f"{len(returned)} gradients"
    raise GradientsDiffer(f"backward returned {gradients} for {count} inputs ({', '.join(names)}): "
                          "return one for each, in this order")


def is_of_number(value: object, given: object) -> bool:
    """Is this an array, a gradient of what was given as one number?"""
    is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
    return (is_number and isinstance(value, np.ndarray) and value.dtype.kind == "f"
            and value.size > 1 and bool(value.any()))


def _opened(returned):
    """(dx, [dW, db]) as (dx, dW, db)."""
    flat = []
    for value in returned:
        is_nested = isinstance(value, (tuple, list)) and any(
            isinstance(one, np.ndarray) for one in value)
        flat += value if is_nested else [value]
    return flat


def _misfit(pair, order, returned):
    return any(name in pair.shapes and value is not None and np.shape(value) != pair.shapes[name]
               and np.size(value) > 1 for name, value in zip(order, returned))


def _some(pair, returned):
    """Whose gradients these are, by their shapes: first the weights', then the prediction's, never
    the target's. Of (y, t) and of (y_true, y) y is the prediction."""
    targets = [name for name in pair.shapes if role(name) == "labels"]
    if len(targets) == len(pair.shapes):
        targets.remove(min(targets, key=lambda name: "true" in name or "target" in name))
    order = sorted((name for name in pair.shapes if name not in targets),
                   key=lambda name: {"w": 0, "scores": 1}.get(role(name), 2))
    found = {}
    for value in returned:
        name = next((name for name in order if name not in found
                     and (pair.shapes[name] == np.shape(value)
                          or np.prod(pair.shapes[name]) == np.size(value) == 1)), None)
        if name is None:
            raise GradientsDiffer(
                f"the loss returned a gradient of shape {np.shape(value)}: none of its inputs "
                f"{', '.join(f'{name} {shape}' for name, shape in pair.shapes.items())} "
                "has that shape")
        found[name] = value
    return found


def _is_one_array(returned, shape):
    """Is this list itself the gradient? A list of one array is not, unless its shape says so."""
    try:
        found = np.shape(returned)
    except ValueError:
        return False
    return found == shape or len(returned) > 1 and not all(isinstance(one, np.ndarray)
                                                           for one in returned)


def _by_name(pair, returned, is_loss):
    names = list(pair.shapes)
    found = {}
    for key, value in returned.items():
        stems = [plain(key), stem(key), *stems_of_gradient(key)]
        name = next((name for one in stems for name in names if name not in found
                     and one in (plain(name), stem(name))), None)
        if name is not None:
            found[name] = value
    missing = [name for name in names if name not in found and (is_loss or pair.matters(name))]
    lacks_data = missing[:1] == pair.all_names[:1]
    if not found or len(missing) > lacks_data and not is_loss:
        raise GradientsDiffer("backward returned gradients for "
                              f"{', '.join(map(str, returned)) or 'nothing'}: "
                              f"the one for {', '.join(missing)} is missing")
    return found
