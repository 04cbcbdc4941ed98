"""Who gets what: the inputs of a student's forward, and of the backward that goes with it, told
apart by their names.

forward(x, w, b, stride=1) is given a list in its order or a dictionary by name. backward is given
dout, then the cache; or, where forward returns nothing but its output, the inputs: those that it
names, or all in order.
"""
import ast
import inspect
import linecache
from collections.abc import Callable, Iterator

import numpy as np

from ..device import array_module, is_masked
from .dialects import CACHE, DOUT, LEARNING_RATE, OUTPUTS, plain, role


def title(function: Callable) -> str:
    """What a report calls a student's function."""
    return getattr(function, "__name__", type(function).__name__)


def check_callable(forward: object, backward: object) -> None:
    """Raises TypeError unless both are functions (backward may be missing)."""
    for name, function in (("forward", forward), ("backward", backward)):
        if not callable(function) and not (function is None and name == "backward"):
            raise TypeError(f"check_backward: {name} must be a function, "
                            f"got {type(function).__name__}.")


def is_checked(value: object) -> bool:
    """Is this input one whose gradient is compared? Labels and options are not."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def named(forward: Callable, inputs: object, names: list[str] | None = None) -> tuple[dict, bool]:
    """({name: value}, whether to pass them by name)."""
    parameters = signature(forward)
    if isinstance(inputs, dict):
        values = {str(name): _value(name, value) for name, value in inputs.items()}
        by_name = set(values) <= {p.name for p in parameters if p.kind != p.POSITIONAL_ONLY} or \
            any(p.kind == p.VAR_KEYWORD for p in parameters)
        # that of the gradients, too
        order = [p.name for p in parameters if p.name in values] if by_name else []
        return {name: values[name]
                for name in [*order, *(name for name in values if name not in order)]}, by_name
    inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    names = names_of("check_backward", forward, len(inputs), names)
    return {name: _value(name, value) for name, value in zip(names, inputs)}, False


def names_of(caller: str, function: Callable, count: int,
             names: list[str] | None = None) -> list[str]:
    """The given names, or those of the function's own arguments. Raises ValueError for too few, or
    two that are equal."""
    if names is None:
        found = [p.name for p in signature(function) if p.kind in POSITIONAL and p.name != "self"]
        names = found[:count] if len(found) >= count else [f"input {i}" for i in range(count)]
    names = [names] if isinstance(names, str) else [str(name) for name in names]
    if len(names) != count or len(set(names)) != count:
        raise ValueError(f"{caller}: names must be {count} different ones, "
                         f"one for each input, got {names}.")
    return names


def _value(name, value):
    """Lists of numbers with a decimal point become arrays; whole numbers, labels and options stay
    what they are."""
    check_kind("check_backward", name, value)
    if isinstance(value, list):
        try:
            array = np.asarray(value)
        except ValueError:
            raise TypeError(f"check_backward: {name} is a list with rows "
                            "of different lengths.") from None
        return array if array.dtype.kind in "fiub" else value
    if isinstance(value, np.floating):
        return float(value)
    return value


def check_kind(caller: str, name: str, value: object) -> None:
    """Raises TypeError for what is more than a plain array: with a mask, or with a `*` that means
    `@`."""
    if is_masked(value):
        raise TypeError(f"{caller}: {name} has a mask, and a step would move what it hides: "
                        f"give {name}.filled(0), {name}.compressed() or the mask as another input.")
    if isinstance(value, np.matrix):
        raise TypeError(f"{caller}: {name} is a np.matrix, whose * is the product @: "
                        f"give np.asarray({name}), and write @.")


def check_values(caller: str, name: str, array: np.ndarray) -> None:
    """Raises ValueError for an array that is empty or holds NaN or infinity: differences of those
    say nothing."""
    if array.size == 0:
        raise ValueError(f"{caller}: {name} has shape {array.shape}, which holds no values: "
                         "there is nothing to compare.")
    if not bool(array_module(array).isfinite(array).all()):
        raise ValueError(f"{caller}: {name} holds NaN or infinity: choose finite values.")


def split(name: str, result: object, several: int = 1) -> tuple[list, list]:
    """(outputs, the rest as lists): `out, cache` or a bare output; `several` outputs where backward
    asks for as many dout."""
    if isinstance(result, tuple) and len(result) > 1:
        first = result[:several]
        count = several if len(first) == several and all(np.asarray(a).dtype.kind == "f"
                                                         for a in first) else 1
        return list(result[:count]), list(result[count:])
    if isinstance(result, tuple):
        result = result[0] if result else None
    if result is None:
        raise TypeError(f"check_backward: {name} returned None: is `return` missing?")
    return [result], []


def loss_first(result: object) -> object:
    """(gradients, cost) as (cost, gradients), of a function that returns both."""
    if not (isinstance(result, tuple) and len(result) == 2
            and isinstance(result[0], (dict, np.ndarray))):
        return result
    is_number = isinstance(result[1], (float, np.number, np.ndarray)) and np.size(result[1]) == 1
    return result[::-1] if is_number and (isinstance(result[0], dict)
                                          or result[0].size > 1) else result


def join(what: str, outputs: list) -> np.ndarray:
    """One new array of real numbers; of several outputs a row of all their values. Floating arrays
    keep their dtype, whole numbers become float64 (a list of them is an output as good as any
    other)."""
    arrays = [as_numbers(what, value) for value in outputs]
    arrays = [array if array.dtype.kind == "f" else array.astype(np.float64) for array in arrays]
    return arrays[0] if len(arrays) == 1 else np.concatenate([array.reshape(-1)
                                                              for array in arrays])


def cut(outputs: list, cotangent: np.ndarray) -> list:
    """The dout of each output, from the one of all."""
    if len(outputs) == 1:
        return [float(cotangent) if np.ndim(outputs[0]) == 0 else np.array(cotangent)]
    ends = np.cumsum([np.size(output) for output in outputs])[:-1]
    return [part.reshape(np.shape(output)).copy()
            for part, output in zip(np.split(cotangent, ends), outputs)]


def as_numbers(what: str, value: object) -> np.ndarray:
    """A new array of the real numbers in `value`; what: the beginning of the sentence that tells of
    anything else."""
    try:
        array = np.array(value)
    except ValueError:
        array = np.array(None)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"check_backward: {what} a {type(value).__name__} that is no "
                        "array of numbers.")
    return array


# ----------------------------------------------------------------------------------------- backward


def names_of_dout(forward: Callable, backward: Callable | None) -> list[str]:
    """Those of backward's parameters that are called like a gradient that comes in."""
    others = {p.name for p in signature(forward)}
    return [p.name for p in signature(backward) if p.kind in (*POSITIONAL, p.VAR_KEYWORD)
            and _is_dout(p.name, others) and not isinstance(p.default, (bool, str))]


def takes_dout(forward: Callable, backward: Callable | None, outputs: list, rest: list) -> bool:
    """Does backward have a place for dout? Not if its first parameter is called like one of
    forward's and none like a gradient; nor if it belongs to a loss and everything that it asks for
    is there without one."""
    required, _, star = _places(backward)
    if names_of_dout(forward, backward):
        return True
    if star or not required:
        return star
    if any(role(name) == "labels" for name in required
           if name not in {p.name for p in signature(forward)}):
        return False
    inputs = {p.name for p in signature(forward)}
    unknown = [name for name in required if name not in inputs]
    served = rest and len(unknown) == len(rest) and np.ndim(outputs[0]) == 0
    return not served and required[0] not in {*inputs, "cache"}


def arguments(forward: Callable, backward: Callable | None, outputs: list, rest: list, inputs: dict,
              douts: list[np.ndarray]) -> tuple[list, dict]:
    """(arguments, keywords) of backward."""
    required, optional, star = _places(backward)
    named = names_of_dout(forward, backward)
    keywords = {name: inputs[name] for name in optional if name in inputs}
    keywords.update((name, 1.0) for name in optional if plain(name) in LEARNING_RATE)
    keywords.update(zip([name for name in named if name in optional], douts))
    if star and len(required) <= 1:
        return [*douts, *(rest or inputs.values())], {}
    where = [required.index(name) for name in named if name in required]
    if not named and takes_dout(forward, backward, outputs, rest):
        where = [0]
    found = _others([name for i, name in enumerate(required) if i not in where], outputs[0],
                    list(rest), inputs)
    for place, dout in zip(where, [*douts, *[douts[-1]] * len(where)]):
        found.insert(place, dout)
    return found, keywords


def _others(names, output, rest, inputs):
    """What goes to the parameters other than dout."""
    asked = [name for name in names if plain(name) not in LEARNING_RATE or name in inputs]
    if rest and len(asked) == 1:
        structured = [isinstance(one, (tuple, list, dict)) for one in rest]
        # a_next, yt_pred, cache
        kept = (len(rest) == 1
                or plain(asked[0]) in CACHE and structured[-1] and not any(structured[:-1]))
        given = [rest[-1] if kept else tuple(rest)]
    elif rest and len(rest) == len(asked):
        given = rest
    else:
        given = list(_by_name(asked, output, rest, inputs))
    given = iter(given)
    return [next(given) if name in asked else 1.0 for name in names]


def _by_name(names, output, rest, inputs):
    free = [name for name in inputs if name not in names]
    for name in names:
        if name in inputs:
            yield inputs[name]
        elif rest:
            yield rest.pop(0) if plain(name) not in CACHE or len(rest) == 1 else tuple(rest)
        elif plain(name) in OUTPUTS or not free:
            yield output
        else:
            yield inputs[free.pop(0)]


def _is_dout(name, others):
    return name not in others and bool(DOUT.search(name))


POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _places(function):
    """(names of required parameters, of those with a default, whether there is a *args)."""
    parameters = signature(function)
    positional = [p for p in parameters if p.kind in POSITIONAL]
    return ([p.name for p in positional if p.default is p.empty],
            [p.name for p in parameters if p.kind == p.VAR_KEYWORD or p in positional
             and p.default is not p.empty], any(p.kind == p.VAR_POSITIONAL for p in parameters))


def signature(function: Callable | None) -> list[inspect.Parameter]:
    """The parameters of a function; none where it has no signature."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some builtins have none
        return []


SMALL = 1e-3


def small_numbers(file: str) -> list[float]:
    """Those of at most 0.001: what is added inside a logarithm or a root."""
    return [number for number in numbers(file) if isinstance(number, float) and number <= SMALL]


def numbers(file: str) -> list[float]:
    """The positive numbers that are written in a file."""
    try:
        nodes = ast.walk(ast.parse("".join(linecache.getlines(file))))
    except SyntaxError:
        return []
    return [node.value for node in nodes if isinstance(node, ast.Constant)
            and type(node.value) in (int, float) and node.value > 0]


def arrays_in(kept: object, name: str = 'cache') -> Iterator[tuple[str, np.ndarray]]:
    """(name, float array) for every array of numbers in a cache: tuples, lists and dictionaries are
    opened."""
    if isinstance(kept, dict):
        for key, value in kept.items():
            yield from arrays_in(value, str(key))
    elif isinstance(kept, (tuple, list)):
        for position, value in enumerate(kept):
            yield from arrays_in(value, name if len(kept) == 1 else f"{name}[{position}]")
    elif isinstance(kept, np.ndarray) and kept.dtype.kind in "fiub":
        yield name, np.array(kept, dtype=np.float64)
