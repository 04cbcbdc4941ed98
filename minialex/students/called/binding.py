"""Who gets what: the inputs of a student's forward, and of the backward that goes with it, told
apart by their names.

forward(x, w, b, stride=1) is given a list in its order or a dictionary by name. backward is given
dout, then the cache; or, where forward returns nothing but its output, the inputs: those that it
names, or all in order.
"""
import ast
import copy
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ...gradcheck.asked import POSITIONAL, as_numbers, check_kind, names_of, signature
from ..dialects import BESIDE
from ..names import (
    CACHE,
    DOUT,
    OUTPUTS,
    is_penalty,
    is_rate,
    last_output,
    plain,
    role,
    stem,
    stems_of_gradient,
)


def runs(function: Callable, /, *given: object, **named: object) -> bool:
    """Does it run with copies of these values?"""
    try:
        function(*copy.deepcopy(given), **copy.deepcopy(named))
    except Exception:  # of an array there is no parameters["W"], say
        return False
    return True


def title(function: Callable) -> str:
    """What a report calls a student's function."""
    return getattr(function, "__name__", type(function).__name__)


def is_checked(value: object) -> bool:
    """Is this input one whose gradient is compared? Labels and options are not."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def named(forward: Callable, inputs: object, names: list[str] | None = None) -> tuple[dict, bool]:
    """({name: value}, whether to pass them by name)."""
    if not isinstance(inputs, dict):
        inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        names = names_of("check_backward", forward, len(inputs), names)
        return {name: _value(name, value) for name, value in zip(names, inputs)}, False
    values = {str(name): _value(name, value) for name, value in inputs.items()}
    kinds = {p.name: p.kind for p in signature(forward)}
    by_name = (inspect.Parameter.VAR_KEYWORD in kinds.values() or set(values) <= {
        name for name, kind in kinds.items() if kind != inspect.Parameter.POSITIONAL_ONLY})
    # in forward's order, which is that of the gradients, too
    ordered = {name: values[name] for name in kinds if by_name and name in values}
    return {**ordered, **values}, by_name


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


def split(name: str, result: object, several: int = 1) -> tuple[list, list]:
    """(outputs, the rest as lists): `out, cache` or a bare output; `several` outputs where backward
    asks for as many dout."""
    result = result if isinstance(result, tuple) else with_output(result)
    if len(result) < 2 and (not result or result[0] is None):
        raise TypeError(f"check_backward: {name} returned None: is `return` missing?")
    first = result[:several]
    all_floating = len(first) == several > 1 and all(np.asarray(a).dtype.kind == "f" for a in first)
    count = several if all_floating else 1
    return list(result[:count]), list(result[count:])


def with_output(result: Any) -> tuple:
    """(A2, cache) of a cache alone, {"Z1": …, "A1": …, "Z2": …, "A2": …}; else it in a tuple."""
    kept = result.items() if isinstance(result, dict) else ()
    arrays = [key for key, value in kept if isinstance(value, np.ndarray)]
    return (result[last_output(arrays)], result) if arrays else (result,)


def to_front(result: tuple, place: int) -> tuple:
    """(A, Z) of Z, A: what stands at a place, before all others."""
    return (result[place], *result[:place], *result[place + 1:])


def output_first(result: object, place: int) -> object:
    """The same where there is an output at that place."""
    return to_front(result, place) if (isinstance(result, tuple) and 0 < place < len(result)
                                    and isinstance(result[place], (float, np.ndarray))) else result


def place_of_output(forward: Callable, backward: Callable | None) -> int:
    """Which of what forward returns is the output: A of Z, A where backward asks for dA alone, or
    for dout and Z; 0 where no name says another one."""
    douts = names_of_dout(forward, backward) if backward is not None else []
    names = names_returned(forward) if len(douts) == 1 else []
    meant = stems_of_gradient(douts[0]) if names else []
    known = parameter_names(backward) if names and names[0] in parameter_names(backward) else set()
    left = [place for place, name in enumerate(names) if known and name not in known]
    return next((place for place, name in enumerate(names) if stem(name) in meant),
                left[0] if len(left) == 1 else 0)


def loss_first(result: object) -> object:
    """(dw, db, cost) as (cost, dw, db), of a function that returns both."""
    if not (isinstance(result, tuple) and len(result) > 1 and (
            isinstance(result[0], dict) or isinstance(result[0], np.ndarray)
            and result[0].size > 1)):
        return result
    is_number = isinstance(result[-1], (float, np.number, np.ndarray)) and np.size(result[-1]) == 1
    return to_front(result, len(result) - 1) if is_number else result


def join(what: str, outputs: list) -> np.ndarray:
    """One new array of real numbers; of several outputs a row of all their values. Floating arrays
    keep their dtype, whole numbers become float64 (a list of them is an output as good as any
    other)."""
    arrays = [as_numbers(f"check_backward: {what}", value) for value in outputs]
    arrays = [array if array.dtype.kind == "f" else array.astype(np.float64) for array in arrays]
    return arrays[0] if len(arrays) == 1 else np.concatenate(list(map(np.ravel, arrays)))


def cut(outputs: list, cotangent: np.ndarray) -> list:
    """The dout of each output, from the one of all."""
    if len(outputs) == 1:
        return [float(cotangent) if np.ndim(outputs[0]) == 0 else np.array(cotangent)]
    ends = np.cumsum([np.size(output) for output in outputs])[:-1]
    return [part.reshape(np.shape(output)).copy()
            for part, output in zip(np.split(cotangent, ends), outputs)]


# ----------------------------------------------------------------------------------------- backward


def names_of_dout(forward: Callable, backward: Callable | None) -> list[str]:
    """Those of backward's parameters that are called like a gradient that comes in."""
    others = parameter_names(forward)
    return [p.name for p in signature(backward) if p.kind in (*POSITIONAL, p.VAR_KEYWORD)
            and p.name not in others and role(p.name) not in ("x", "labels")
            and DOUT.search(p.name) and not isinstance(p.default, (bool, str))]


def takes_dout(forward: Callable, backward: Callable | None, outputs: list, rest: list) -> bool:
    """Does backward have a place for dout? Not if its first parameter is called like one of
    forward's and none like a gradient; nor if it belongs to a loss and everything that it asks for
    is there without one."""
    required, _, star = _places(backward, forward)
    if names_of_dout(forward, backward):
        return True
    if star or not required:
        return star
    inputs = parameter_names(forward)
    unknown = [name for name in required if name not in inputs]
    served = rest and len(unknown) == len(rest) and np.ndim(outputs[0]) == 0
    return not (served or required[0] in {*inputs, "cache"} or "labels" in map(role, unknown))


def arguments(forward: Callable, backward: Callable | None, outputs: list, rest: list, inputs: dict,
              douts: list[np.ndarray]) -> tuple[list, dict]:
    """(arguments, keywords) of backward."""
    required, optional, star = _places(backward, forward)
    named = names_of_dout(forward, backward)
    if handed := _handed_on(forward, backward, inputs, named):
        inputs = {**handed, **inputs}
        rest = [] if {*required} <= {*inputs, *named} else rest  # it goes forward again
    keywords = {name: inputs[name] for name in optional if name in inputs}
    keywords.update((name, 1.0) for name in optional if _is_rate(name, forward, backward))
    keywords.update(zip([name for name in named if name in optional], douts))
    keywords.update((p.name, inputs.get(p.name, False)) for p in signature(backward)
                    if p.kind == p.KEYWORD_ONLY and p.default is p.empty)
    if star and len(required) <= 1:
        return [*douts, *(rest or inputs.values())], {}
    if not named and takes_dout(forward, backward, outputs, rest):
        named = required[:1]
    incoming = [name for name in required if name in named]
    given = _others([name for name in required if name not in named], outputs[0], list(rest),
                    inputs, forward, backward)
    given.update(zip(incoming, [*douts, *[douts[-1]] * len(incoming)]))
    return [given[name] for name in required], keywords


def _handed_on(forward, backward, inputs, named):
    """{name: input} of what backward, which calls forward itself, hands on: self.forward(a0)."""
    calls = [node.args for node in nodes(backward, ast.Call) if getattr(
        node.func, "attr", getattr(node.func, "id", "")) == title(forward)]
    return {one.id: inputs[name] for given in calls for one, name in zip(given, arguments_of(
        forward)) if isinstance(one, ast.Name) and name in inputs and not (  # A is what came out
            named and plain(one.id) in OUTPUTS)}


def _is_rate(name, forward, backward):
    """Is it an optimizer's step: is what it multiplies subtracted, or is it handed on? No slope of
    a leaky relu, no rate of a dropout is."""
    if not is_rate(name) or name in parameter_names(forward):
        return False
    for node in nodes(backward):
        steps = isinstance(getattr(node, "op", None), ast.Sub) and [
            getattr(node, "right", getattr(node, "value", None))]
        handed = isinstance(node, ast.Call) and not ast.unparse(node.func).startswith(
            ("np.", "numpy.")) and [*node.args, *(one.value for one in node.keywords)]
        if any(one.id == name for one in every(steps or handed or (), ast.Name)):
            return True
    return False


def _others(names, output, rest, inputs, forward, backward):
    """{name: what goes to this parameter} of those other than dout."""
    alone = {name: 1.0 if is_rate(name) else 0.0 for name in names
             if is_rate(name) or is_penalty(name)}
    alone.update((p.name, p.default) for p in signature(forward)
                 if p.name in alone and p.default is not p.empty)
    asked = [name for name in names if name not in alone or name in inputs]
    unknown = [name for name in asked if name not in inputs and plain(name) not in CACHE]
    targets = [name for name in inputs if role(name) == "labels"]
    called = _by_their_names(forward, backward, rest) if unknown and rest else {}
    known = {**called, **inputs,
             **{name: inputs[targets[0]] for name in unknown if len(targets) == 1
                and role(name) == "labels"  # of Y, T the former is the output
                and not (targets[0] in asked and plain(name) in OUTPUTS)}}
    for name in unknown:  # H, where forward calls it h; A of a is the output
        same = [one for one in (called if plain(name) in OUTPUTS else known)
                if one.lower() == name.lower()]
        known.setdefault(name, known[same[0]]) if same else None
    if unknown and all(name in known for name in asked):
        given = [known[name] for name in asked]
    elif rest and len(asked) == 1:
        structured = [isinstance(one, (tuple, list, dict)) for one in rest]
        # a_next, yt_pred, cache
        whole = (len(rest) == 1
                 or plain(asked[0]) in CACHE and structured[-1] and not any(structured[:-1]))
        given = [rest[-1] if whole else tuple(rest)]
    elif rest and len(rest) == len(asked):
        given = rest
    else:
        called = {name: value for name, value in called.items() if name in asked}
        rest = [one for one in rest if not any(one is value for value in called.values())]
        given = _by_name(asked, output, rest, {**called, **inputs})
    return {**alone, **dict(zip(asked, given))}


def _by_their_names(forward, backward, rest):
    """{name: value} of what forward returns besides its output, as it calls that itself: mask of
    `return out, mask`, and of `cache = (x, mask)` beside it."""
    tuples, returned, found = assigned(forward), [*_returned(forward)], {}
    if len(returned) > len(rest):
        returned.pop(place_of_output(forward, backward))
    for node, value in zip(returned[-len(rest):], rest):
        if isinstance(node, ast.Name):
            found[node.id] = value
            node = tuples.get(node.id)
        if (isinstance(node, ast.Tuple) and isinstance(value, tuple)
            and len(node.elts) == len(value)):
            found.update((one.id, part) for one, part in zip(node.elts, value)
                         if isinstance(one, ast.Name))
    return found


def parsed(function: Callable) -> ast.Module:
    """What is written in a function or class; an empty tree where there is no source."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return ast.Module([], [])


def syntax_tree(function: Callable) -> ast.Module:
    """The same, to be read only: it is asked for at each backward, of a method of another object
    each time."""
    try:
        return _parsed_once(getattr(function, "__func__", function))
    except TypeError:  # it has no hash
        return parsed(function)


_parsed_once = functools.lru_cache(maxsize=256)(parsed)


def every(parts: Iterable[ast.AST], *kinds: type) -> list[Any]:
    """All that stands in these parts of a source; of these kinds alone."""
    return [one for part in parts for one in ast.walk(part) if not kinds or isinstance(one, kinds)]


def nodes(function: Callable, *kinds: type) -> list[Any]:
    """The same of a function or class."""
    return every([syntax_tree(function)], *kinds)


def assigned(function: Callable) -> dict[str, ast.expr]:
    """{name: what it is set to} of its variables, the last one of each."""
    return {node.targets[0].id: node.value for node in nodes(function, ast.Assign)
            if isinstance(node.targets[0], ast.Name)}


def names_returned(function: Callable) -> list[str]:
    """What it returns, as it is written: Z1, A1, Z2, A2. Nothing where that is no tuple."""
    return list(map(ast.unparse, _returned(function)))


def _returned(function):
    found = [node.value for node in nodes(function, ast.Return)
             if isinstance(node.value, ast.Tuple)]
    return found[-1].elts if found else []


def in_their_order(names: list[str], words: list[str]) -> list[str]:
    """The inputs in the order of their gradients, dh, dx of x, h; one that is called otherwise
    takes the place that is left. As they are where the words do not say it."""
    said = [next((name for name in names if stem(name) in stems_of_gradient(word)), None)
            for word in words]
    rest = [name for name in names if name not in said]
    is_told = len(said) == len(names) and said.count(None) == len(rest)
    return [name or rest.pop(0) for name in said] if is_told else names


def without_residual(function: Callable, returned: object) -> object:
    """grad of the (grad, err) that a loss's gradient(y, X, w) returns: what is called a gradient,
    if all else there is called an error or the loss."""
    names = names_returned(function) if isinstance(returned, tuple) else []
    if len(names) < 2 or len(names) != len(returned):
        return returned
    found = [one for one, name in zip(returned, names) if plain(name) not in BESIDE]
    return found[0] if len(found) == 1 else returned


def _by_name(names, output, rest, inputs):
    free = [name for name in inputs if name not in names]
    for name in names:
        if name in inputs:
            yield inputs[name]
        elif rest:
            yield rest.pop(0) if plain(name) not in CACHE or len(rest) == 1 else tuple(rest)
        elif (plain(name) in OUTPUTS or role(name) in ("scores", "probs")
              or plain(name).endswith(("output", "out")) or not free):
            yield output
        else:
            yield inputs[free.pop(0)]


def _places(function, forward):
    """(names of required parameters, of those with a default, whether there is a *args that forward
    does not have, too, as what a course's tests may hand on to both)."""
    parameters = signature(function)
    positional = [p for p in parameters if p.kind in POSITIONAL]
    return ([p.name for p in positional if p.default is p.empty],
            [p.name for p in parameters if p.kind == p.VAR_KEYWORD or p in positional
             and p.default is not p.empty], any(
                 p.kind == p.VAR_POSITIONAL and p.name not in parameter_names(forward)
                 for p in parameters))


def with_parameters(function: Callable, parameters: list[inspect.Parameter]) -> Callable:
    """The function, which says that it takes these."""
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return function


def arguments_of(function: Callable | None) -> list[str]:
    """The names of all its parameters."""
    return [p.name for p in signature(function)]


def parameter_names(function: Callable | None) -> set[str]:
    """The same in no order."""
    return {*arguments_of(function)}


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
