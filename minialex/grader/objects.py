"""The arrays of an object: which are parameters, and where their gradients lie.

An array is found by its path: ("W",), ("params", "W"), ("layers", 0, "weights"), ("W", "value").
Taken apart, a path is a key, ("w",), ("layers", "0", "w"), and the gradient's path leads to the
same key once its mark is taken off: ("dW",), ("grads", "W"), ("layers", 0, "d_weights"), ("W",
"grad").
"""
import copy
import types

import numpy as np

from ..gradcheck.dialects import (
    CONTAINERS,
    LEARNING_RATE,
    OF_GRADIENTS,
    plain,
    role,
    stem,
    stems_of_gradient,
)

DEEP = 5  # objects within objects
_LEAVES = (str, bytes, int, float, complex, bool, type, type(None), types.FunctionType,
           types.MethodType, types.ModuleType, types.BuiltinFunctionType, np.random.Generator,
           np.random.RandomState)


def arrays(thing, path=(), seen=None, deep=0):
    """(path, array) for every array of floating-point numbers in an object, dictionary, list or
    tuple."""
    seen = set() if seen is None else seen
    if isinstance(thing, np.ndarray):
        if thing.dtype.kind == "f":
            yield path, thing
        return
    if isinstance(thing, _LEAVES) or id(thing) in seen or deep > DEEP:
        return
    seen.add(id(thing))
    inside = (thing.items() if isinstance(thing, dict) else enumerate(thing)
              if isinstance(thing, (list, tuple)) else getattr(thing, "__dict__", {}).items())
    for key, value in list(inside):
        yield from arrays(value, (*path, key), seen, deep + 1)


def clone(thing, values=None):
    """A deep copy in which arrays are replaced: {id of an array: its new value}. All names of an
    array stay names of one, and all floating arrays become float64."""
    values = values or {}
    memo = {}
    for _, array in arrays(thing):
        memo[id(array)] = np.array(values.get(id(array), array), dtype=np.float64)
    memo["kept"] = list(memo.values())
    return copy.deepcopy(thing, memo)


def _parts(path):
    """The parts of a path that say whose it is: weights["W1"] is W1, weights[0] is not 0."""
    return [part for part, *inside in (path[place:place + 2] for place in range(len(path)))
            if plain(part) not in CONTAINERS
            and not (plain(part) == "weights" and inside and isinstance(inside[0], str))]


def key_of(path):
    """The key of a parameter, or None if the path says that it is a gradient."""
    if any(plain(part) in OF_GRADIENTS for part in path):
        return None
    return tuple(stem(part) for part in (path if len(path) == 1 else _parts(path)))


def keys_of_gradient(path):
    """The keys of the parameters that an array there may be the gradient of."""
    words = _parts(path)
    base = tuple(stem(part) for part in words)
    found = [base] if any(plain(part) in OF_GRADIENTS for part in path) and base else []
    for place, part in enumerate(words):
        found += [(*base[:place], one, *base[place + 1:])
                  for one in (stems_of_gradient(part) if isinstance(part, str) else ())]
    return found


def label(path):
    """params["W1"] is "W1", layers[0].W "layers[0].W"."""
    words = _parts(path) or list(path)
    text = str(words[0]) if isinstance(words[0], str) else f"parameter {words[0]}"
    return text + "".join(f".{part}" if isinstance(part, str) else f"[{part}]"
                          for part in words[1:])


class Parameter:
    """An array of a prototype, with all its paths."""

    def __init__(self, array):
        self.array, self.paths = array, []

    @property
    def name(self):
        return label(min(self.paths,
                         key=lambda path: (len(label(path)), not isinstance(path[-1], str))))

    def keys(self):
        return {key_of(path) for path in self.paths} - {None}

    def is_scale(self):
        return any(role(key[-1]) == "gamma" for key in self.keys() if key)

    def is_named_like_one(self):
        return any(role(one) in ("w", "b", "gamma", "beta", "wx", "wh") for key in self.keys()
                   for one in key)


def parameters(thing):
    """Every array once, with all its paths: what may be a parameter."""
    found = {}
    for path, array in arrays(thing):
        found.setdefault(id(array), Parameter(array)).paths.append(path)
    return [parameter for parameter in found.values() if parameter.keys()]


def gradients(thing, wanted):
    """{name: gradient} of the parameters `wanted` that lie in an object after backward."""
    found = {}
    for path, array in _numbers(thing):
        for key in keys_of_gradient(path):
            for parameter in wanted:
                if (key in parameter.keys() and parameter.name not in found
                    and path not in parameter.paths):
                    found[parameter.name] = array
    return found


def _numbers(thing):
    """Arrays, and attributes that are one number (a db of one output)."""
    yield from arrays(thing)
    for name, value in getattr(thing, "__dict__", {}).items():
        if isinstance(value, (float, np.floating)):
            yield (name,), np.asarray(value)


def set_learning_rates(thing):
    """Every attribute that is a learning rate becomes 1: an update inside backward then shows the
    gradient."""
    for name, value in getattr(thing, "__dict__", {}).items():
        if (plain(name) in LEARNING_RATE and isinstance(value, (int, float))
            and plain(name) not in ("alpha", "eta", "rate")):
            setattr(thing, name, 1.0)
