"""The arrays of an object: which are parameters, and where their gradients lie.

An array is found by its path: ("W",), ("params", "W"), ("layers", 0, "weights"), ("W", "value").
Taken apart, a path is a key, ("w",), ("layers", "0", "w"), and the gradient's path leads to the
same key once its mark is taken off: ("dW",), ("grads", "W"), ("layers", 0, "d_weights"), ("W",
"grad").
"""
import copy
import functools
import re
import types
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ..called import binding
from ..dialects import CONTAINERS, OF_GRADIENTS, PARAMETERS
from ..names import (
    AFTER,
    BEFORE,
    LEARNING_RATE,
    OUTPUTS,
    is_rate,
    plain,
    role,
    stem,
    stems_of_gradient,
)
from ..reading.sources import source

DEEP = 5  # objects within objects
_OF_MANY = {stem(name) for name in PARAMETERS}
LEAVES = (str, bytes, int, float, complex, bool, type, type(None), types.FunctionType,
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
    if isinstance(thing, LEAVES) or id(thing) in seen or deep > DEEP:
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
    """The parts of a path that say whose it is: weights["W1"] is W1, weights[0] is not 0, and
    weights.value is what holds the weights."""
    return [part for part, *inside in (path[place:place + 2] for place in range(len(path)))
            if plain(part) not in CONTAINERS
            and not (plain(part) in PARAMETERS and inside and isinstance(inside[0], str)
                     and plain(inside[0]) not in CONTAINERS)]


@functools.cache
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
        stems = stems_of_gradient(part) if isinstance(part, str) else ()
        found += [(*base[:place], one, *base[place + 1:]) for one in stems]
        if _OF_MANY & set(stems) and isinstance(words[place + 1:][:1] and words[place + 1], str):
            found.append((*base[:place], *base[place + 1:]))  # dweights["W1"]
    return found


@functools.cache
def label(path):
    """params["W1"] is "W1", layers[0].W "layers[0].W"."""
    words = [re.sub(r"^_[A-Za-z]\w*?__", "", part) if isinstance(part, str) else part
             for part in _parts(path) or list(path)]  # of a private attribute
    text = str(words[0]) if isinstance(words[0], str) else f"parameter {words[0]}"
    return text + "".join(f".{part}" if isinstance(part, str) else f"[{part}]"
                          for part in words[1:])


@functools.cache
def _shortest(paths):
    """Its label by the path that has the shortest one."""
    return label(min(paths, key=lambda path: (len(label(path)), not isinstance(path[-1], str))))


class Parameter:
    """An array of a prototype, with all its paths."""

    def __init__(self, array):
        self.array, self.paths = array, []

    @property
    def name(self):
        return _shortest(tuple(self.paths))

    def keys(self):
        return {key_of(path) for path in self.paths} - {None}

    def shared(self):
        """Its keys in a list in which it stands several times: params[0] and params[1]."""
        places = [path for path in self.paths if isinstance(path[-1], int) and key_of(path)]
        return {key_of(path) for path in places
                if sum(path[:-1] == other[:-1] for other in places) > 1}

    def is_scale(self):
        return any(role(key[-1]) == "gamma" for key in self.keys() if key)

    def is_named_like_a_gradient(self):
        return any(key[-1].rstrip("0123456789") in {**BEFORE, **AFTER} for key in self.keys()
                   if key and isinstance(key[-1], str))

    def is_named_like_one(self):
        return any(role(one) in ("w", "b", "gamma", "beta", "wx", "wh") for key in self.keys()
                   for one in key)


def parameters(thing):
    """Every array once, with all its paths: what may be a parameter."""
    found = {}
    for path, array in arrays(thing):
        if array.size:
            found.setdefault(id(array), Parameter(array)).paths.append(path)
    return [parameter for parameter in found.values() if parameter.keys()]


def gradients(thing, wanted):
    """{name: gradient} of the parameters `wanted` that lie in an object after backward: of weights
    that stand in a list several times the sum of those that stand there in their places."""
    found, every = {}, list(numbers(thing))
    for path, array in every:
        for key in keys_of_gradient(path):
            for parameter in wanted:
                if (key in parameter.keys() and parameter.name not in found
                    and path not in parameter.paths):
                    found[parameter.name] = array
    for parameter in wanted:
        shared = parameter.shared()
        uses = {id(array): array for path, array in every
                if path not in parameter.paths and shared.intersection(keys_of_gradient(path))}
        if len(uses) > 1:
            found[parameter.name] = sum(uses.values())
    return found or _by_initial(every, wanted)


def _by_initial(every, wanted):
    """dE of the only parameter, embeddings."""
    fitting = [array for path, array in every for key in keys_of_gradient(path)
               if len(wanted) == 1 and path not in wanted[0].paths
               and array.shape == wanted[0].array.shape
               and str(key[-1] if isinstance(key, tuple) else key) == wanted[0].name[:1].lower()]
    return {wanted[0].name: fitting[0]} if len(fitting) == 1 else {}


def numbers(thing):
    """Arrays, and attributes that are one number (a db of one output)."""
    yield from arrays(thing)
    for name, value in getattr(thing, "__dict__", {}).items():
        if isinstance(value, (float, np.floating)):
            yield (name,), np.asarray(value)


def make_numbers_arrays(thing, given, forward):
    """A bias that is one number, self.b = 0.0, becomes an array, which can be moved, as does a
    weight, self.m = 0: what forward reads and a method adds to or takes from. Not one that the
    constructor was given: that may be a size."""
    read = set(re.findall(r"\bself\.(\w+)", source(forward)))
    changed = set(re.findall(r"\bself\.(\w+) *(?:[-+]=|= *self\.\1 *[-+])", source(type(thing))))
    for name, value in getattr(thing, "__dict__", {}).items():
        if ((role(name) == "b" or name in read & changed) and name not in given
                and (isinstance(value, float) or type(value) is int and value == 0)):
            setattr(thing, name, np.array(float(value)))


def data_of(thing: object, built: dict, names: list[str]) -> dict[str, str]:
    """{input: attribute} of data that the constructor was given and kept, self.X of Net(X, Y), and
    that forward, or backward, is given again: they are the same."""
    return {name: attribute for name in names for argument in built
            for attribute in kept_as(thing, built, [argument])
            if plain(name) == plain(attribute) or role(name) in ("x", "labels") and role(name) in (
                role(attribute), role(argument))}


def kept_as(thing: object, built: dict, names: list[str]) -> list[str]:
    """The attributes in which an object keeps these arrays of its constructor as they are."""
    given = [built[name] for name in names if isinstance(built[name], np.ndarray)]
    return [attribute for attribute, value in getattr(thing, "__dict__", {}).items()
            if isinstance(value, np.ndarray) and any(
                value.shape == array.shape and np.array_equal(value, array) for array in given)]


def set_learning_rates(thing):
    """Every attribute that is a learning rate becomes 1, of its optimizers, too: an update inside
    backward then shows the gradient."""
    for name, value in getattr(thing, "__dict__", {}).items():
        if "opt" in name.lower():
            set_learning_rates(value)
        if (is_rate(name) and isinstance(value, (int, float))
            and plain(name) not in ("alpha", "eta", "rate")):
            setattr(thing, name, 1.0)


def is_every_layer(result: object, given: dict) -> bool:
    """Are these the activations of all layers, from the input on, or several lists of them?"""
    lists = result if isinstance(result, tuple) else (result,)
    return all(isinstance(one, list) and len(one) > 1 and all(
        isinstance(array, np.ndarray) for array in one) for one in lists) and (
            len(lists) > 1 or len({array.shape for array in lists[0]}) > 1
            or any(lists[0][0] is value for value in given.values()))


def last_of(result: object, names: list[str] | None = None) -> np.ndarray:
    """The output, the last one of a list of activations; of (zs, activations) that of the longer
    one, which begins with x, or of the latter. names: what forward calls what it returns."""
    if not isinstance(result, tuple) or not isinstance(result[-1], list):
        return result[-1]
    named = list(zip(names or map(str, result), result))
    if len(result) == 2 and len(result[0]) != len(result[1]):
        return max(result, key=len)[-1]
    return next((one for name, one in named[::-1] if not re.match("z|pre|lin|net|sum", name)),
                named[-1][1])[-1]


def by_shape(flat: list, shapes: dict) -> dict:
    """{name: gradient}, by their order where all shapes are right, else by their shapes."""
    if len(flat) == len(shapes) and all(np.shape(value) == shape
                                        for value, shape in zip(flat, shapes.values())):
        return dict(zip(shapes, flat))
    found = {}
    for value in flat:
        name = next((name for name, shape in shapes.items() if name not in found
                     and shape == np.shape(value)), None)
        if name is not None:
            found[name] = value
    return dict(zip(shapes, flat)) if len(flat) == len(shapes) and len(found) < len(flat) else found


def flat(returned: object) -> Iterator:
    """The arrays and numbers of lists within lists."""
    if isinstance(returned, (tuple, list)):
        for value in returned:
            yield from flat(value)
    elif isinstance(returned, (np.ndarray, float, int, np.number)):
        yield returned


def sensible(shape: tuple[int, ...], generator: np.random.Generator,
             is_scale: bool = False) -> np.ndarray:
    """Weights of about one over the root of their number of inputs, biases of a half, scales around
    one."""
    drawn = generator.standard_normal(shape)
    return 1 + 0.3 * drawn if is_scale else drawn / max(1.0, np.prod(shape[1:]) ** 0.5
                                                        if len(shape) > 1 else 2.0)


def inlets(layer: object, backward: Callable) -> list[str]:
    """Where backward() without arguments finds dout: in an attribute such as dA, still None, of an
    output A."""
    found = [name for name, value in vars(layer).items() if value is None and any(
        one in OUTPUTS for one in stems_of_gradient(name))]
    return [] if found and any(p.kind in binding.POSITIONAL
                               for p in binding.signature(backward)) else found


def scalars(space: dict) -> Iterator[tuple[tuple, float]]:
    """(path, number) of each floating-point number in a space, and in the objects there."""
    for name, value in list(space.items()):
        inside = [((name,), value), *(((name, key), one) for key, one in getattr(
            value, "__dict__", {}).items())]
        yield from ((path, one) for path, one in inside if isinstance(one, float))


def rates(space: dict) -> list[tuple[tuple, float]]:
    """The same of learning rates: lr where there is an alpha, too."""
    found = [one for one in scalars(space) if is_rate(one[0][-1])]
    first = min((LEARNING_RATE[plain(path[-1])] for path, _ in found), default=0)
    return [one for one in found if LEARNING_RATE[plain(one[0][-1])] == first]


def at(space: object, path: Iterable) -> object:
    """What lies at a path of keys and attributes: ("net", "w", 0) is net.w[0]."""
    for key in path:
        space = getattr(space, key) if not isinstance(space, (dict, list, tuple, np.ndarray)) \
            else space[key]
    return space


def put(space: object, path: tuple, value: object) -> None:
    """Set what lies there."""
    inside, key = at(space, path[:-1]), path[-1]
    if isinstance(inside, (dict, list)):
        inside[key] = value
    else:
        setattr(inside, key, value)
