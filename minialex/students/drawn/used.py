"""What arguments whose names say nothing are by how the source uses them: W[index], range(count),
factor / 2; of a constructor also pairs, lists of sizes, arrays and words (reading/kinds.py)."""
import ast
import inspect
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ..called import binding
from ..dialects import GEOMETRY, LAYERS, NEIGHBOURS, STACKS, letter
from ..found import Found
from ..names import name_words, option, plain, role
from ..reading import kinds, usual
from ..reading.changes import names_in
from . import dictionaries, guesses, handed
from .arrays import of_letters
from .dictionaries import is_name
from .requests import Layout

COUNTED = {"range", "xrange", "zeros", "ones", "eye", "reshape", "arange", "full", "identity",
           "randn", "rand"}


def hints(forward: Callable, backward: object, names: Iterable[str], N: int) -> dict:
    """{name: what} of those that are indices, of N examples, or counts."""
    known, counts = {}, list(guesses.COUNTS)
    functions = [one for one in (forward, backward) if inspect.isroutine(one)]
    asked = {p.name for p in binding.signature(forward)}
    for name in (name for name in names if name in asked):
        told = _told(functions, name)
        known.update({name: ("labels", ((N,), 3))} if told == "index" else
                     {name: ("option", counts.pop(0))} if told == "count" else {})
    return known


def _told(functions, name):
    """"index" or "count", where that is how all of them use it; "" of others."""
    uses = {use for function in functions for node, called in _uses(function, name)
            for use in [_use(node, called)] if use}
    return "" if uses - {"count", "index"} else "count" if "count" in uses else "".join(uses)


def is_index(function: Callable, name: str) -> bool:
    """Does it look something up with this, y[label], and with nothing beside it?"""
    found = [(getattr(node.slice, "elts", [node.slice]), called)
             for node, called in _uses(function, name) if isinstance(node, ast.Subscript)]
    return any(is_name(parts[0], called) and all(isinstance(one, ast.Constant) for one in parts[1:])
               for parts, called in found)


def axis_of_classes(function: Callable, name: str) -> int | None:
    """1 where it looks up p[range(N), y], the class of each row; 0 of columns, p[y, range(N)]."""
    pairs = [(node.slice.elts, called) for node, called in _uses(function, name)
             if isinstance(node, ast.Subscript) and len(getattr(node.slice, "elts", ())) == 2]
    return next((axis for parts, called in pairs for axis in (1, 0) if is_name(parts[axis], called)
                 and isinstance(parts[1 - axis], (ast.Call, ast.Name))), None)


def hint(functions: list[Callable], name: str) -> tuple | None:
    """What a name that these functions read is, if it is a count, or a factor in all of them."""
    if _told(functions, name) == "count":
        return "option", guesses.COUNTS[0]
    reading = [one for one in functions if name in one.__code__.co_names]
    is_factor = reading and all(_is_factor(one, name) for one in reading)
    return ("option", 0.5) if is_factor else None


def factors(function: Callable, names: Iterable[str]) -> dict:
    """{name: what} of those that stand beside * and / alone, or are added: they may be numbers."""
    return {name: ("option", 0.5) for name in names if _is_factor(function, name)}


def _is_factor(function, name):
    read, beside = set(), set()
    for node, called in _uses(function, name):
        if is_name(node, called) and isinstance(node.ctx, ast.Load):
            read.add(node)
        elif isinstance(node, ast.BinOp) and not isinstance(node.op, ast.MatMult):
            beside |= {one for one in (node.left, node.right) if is_name(one, called)}
        elif isinstance(node, ast.UnaryOp):
            beside.add(node.operand)
    return bool(read) and read <= beside


def _uses(function: Callable, name: str) -> Iterator[tuple]:
    return dictionaries.uses(inspect.unwrap(function), name)


def _use(node, name):
    """How a part of the source uses what has this name: "index", "count", "array" or ""."""
    def has(part):
        return name in names_in(part)

    if isinstance(node, ast.Subscript) and has(node.slice):
        return "count" if any(isinstance(one, ast.Slice) and has(one)
                              for one in ast.walk(node.slice)) else "index"
    if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(
            node.func, "id", "")) in COUNTED and any(map(has, node.args)):
        return "count"
    inside = getattr(node, "value", getattr(node, "iter", None))
    return "array" if is_name(inside, name) and isinstance(
        node, (ast.Attribute, ast.Subscript, ast.Starred, ast.For, ast.comprehension)) else ""


# ---------------------------------------------------------------------------------- constructors


def as_used(cls: type, values: dict, layout: Layout, asked: set, both: tuple) -> dict:
    """A constructor's values, those whose names say nothing, or something else, by their use.
    asked: what the user gave; both: the names of forward and backward."""
    known = {name: kinds.kind_of(cls, name) for name in values if name not in asked}
    numbers = [name for name, kind in known.items() if values[name] is usual.weights
               and kind.what not in ("function", "object")]  # init_std
    found = {**values, **dict.fromkeys(numbers, 0.5)}
    given = _given(cls, {name: kind for name, kind in known.items() if _is_open(values[name])},
                   both, layout)
    for name, kind in known.items():
        is_number = isinstance(values[name], int) and not isinstance(values[name], bool)
        is_list = isinstance(values[name], (tuple, list)) and kind.what != "rows"
        counts = not is_list and any(path and mark in ("count", "size")
                                     for path, mark, _ in kind.marks)
        is_data = kind.what == "pair" and isinstance(values[name], np.ndarray) and any(
            one.what in ("array", "sizes") for one in kind.inside)
        is_number |= not any(both) and kind.what == "factor" and role(name) in ("gamma", "beta")
        is_word = kind.what == "word" and isinstance(values[name], (str, usual.Activation))
        if name not in given and (is_number or counts or is_data or is_word
                                  or name in numbers or kind.what in ("count", "rows")):
            found[name] = _drawn(kind, name, found[name], layout, found)
    return {**found, **given}


def _is_open(value):
    """May something else be meant?"""
    return isinstance(value, (int, float, str, tuple, list, np.ndarray, np.ufunc,
                              usual.Activation))


def _given(cls, known, both, layout):
    """{name: value} of those that are functions, objects that are called, or hold some."""
    found = {name: _of_these(objects, kind, layout) for name, kind in known.items()
             if (objects := _objects(cls, name, kind, both))}
    places = _functions({name: kind for name, kind in known.items() if name not in found})
    paired = handed.pairs(cls, places, both, layout.helper > 0)
    for name, place in places:
        function = paired.get((name, place), usual.Activation(*usual.ACTIVATIONS["tanh"]))
        found[name] = (*found.get(name, ()), function) if place is not None else function
    return found


def _functions(known):
    """{(name, its place in a pair or None): Kind} of functions."""
    return {**{(name, None): kind for name, kind in known.items() if kind.what == "function"},
            **{(name, place): inner for name, kind in known.items() if kind.what == "pair"
               and all(one.what == "function" for one in kind.inside)
               for place, inner in enumerate(kind.inside)}}


def choices(cls: type, both: tuple) -> int:
    """How many objects there are for one of a constructor's arguments, at most."""
    known = {p.name: kinds.kind_of(cls, p.name) for p in binding.signature(cls)}
    pairs = handed.pairs(cls, _functions(known), both, False)
    return max(0, 2 * bool(pairs), *(len(_objects(cls, name, kind, both))
                                     for name, kind in known.items()))


def has_words(cls: type) -> bool:
    """Is one of the constructor's arguments a word by its use?"""
    return any(kinds.kind_of(cls, p.name).what == "word" for p in binding.signature(cls))


def is_stack(found: Found, name: str) -> bool:
    """Does it hold objects with forward and backward of the same names? Those are layers."""
    kind = kinds.kind_of(found.forward, name)
    return found.kind == "class" and kind.what == "several" and {*found.backward} <= {
        one.method for one in kind.inside[0].called()}


def _objects(cls, name, kind, both):
    """What makes the objects that it may be, or those in it."""
    inner = kind.inside[0] if kind.what == "several" else kind
    known = plain(name) in {**LAYERS, **STACKS, **NEIGHBOURS} or "optim" in plain(name)
    return [] if known or inner.what not in ("function", "object") else handed.makers(
        cls, name, inner, both)


def _of_these(objects, kind, layout):
    make = objects[min(layout.helper, len(objects) - 1)]
    count = 3 if layout.turn == 1 else 2  # for each of the sizes D, J, M, or each but the first
    return [make() for _ in range(count)] if kind.what == "several" else make()


def _drawn(kind, name, now, layout, before):
    """A value of this kind; what it is now, where that will do."""
    is_unknown = not (letter(name) or option(name) or plain(name) in GEOMETRY)
    if kind.what == "count":  # entrada, in np.zeros((entrada, saida)); neurons between data
        if isinstance(now, np.ndarray) or isinstance(now, float) and now > 1:
            return layout.sizes["D" if role(name) == "x" else "M"]
        between = any(isinstance(value, np.ndarray) for value in before.values())
        return layout.sizes["J"] if between and letter(name) is None and is_unknown else now
    if plain(name) in GEOMETRY and kind.what in ("pair", "sizes"):
        return (now,) * 2  # padding[0]
    if kind.what == "pair":
        return _pair(kind, name, layout, before)
    if kind.what == "sizes":
        letters = {"enc": "DJ", "dec": "JD"}.get(name[:3], "DJM")
        return list(layout.numbers(letters)) if len(kind.inside) < 4 else [
            layout.sizes["D"], *[layout.sizes["J"]] * (len(kind.inside) - 2), layout.sizes["M"]]
    if kind.what == "rows":
        return _rows(kind, layout)
    if kind.what == "array" and is_unknown:
        return _array(kind, name, layout, before)
    if kind.what == "word" and (is_unknown or now not in kind.words):
        words = [word for word in kind.words if "softmax" not in word.lower()] or kind.words
        return words[layout.turn % len(words)]  # a softmax may leave its derivative to the loss
    return 0.5 if kind.what == "factor" and is_unknown else now


def in_a_row(function: Callable, values: dict, layout: Layout, asked: set) -> dict:
    """The values, with all weights in a row for what the function cuts them out of."""
    flat = [name for name in values if name not in asked
            and kinds.kind_of(getattr(function, "__func__", function), name).what == "flat"]
    return {name: _of_role("flat", name, layout._replace(shapes={**layout.shapes, "flat": "flat"}),
                           {}) if name in flat else value for name, value in values.items()}


def targets(cls: type, values: dict) -> list[str]:
    """Those of a constructor's arrays that are compared with what comes out."""
    return [name for name, value in values.items() if isinstance(value, np.ndarray)
            and _is_target(kinds.kind_of(cls, name))]


def _is_target(kind):
    marks = {mark for path, mark, _ in kind.marks if not path} | {
        more for path, mark, more in kind.marks if mark == "array" and not path}
    return "subtracted" in marks and not {"T", "dot", "product"} & marks


def _array(kind, name, layout, before):
    return _of_role("labels" if _is_target(kind) else "x", name, layout, before)


def _of_role(known, name, layout, before):
    letters = layout.shapes.get(known, layout.shapes["x"].replace("D", "M"))
    return of_letters(letters, layout, np.random.default_rng([7, *name.encode()]), before, known)


def _pair(kind, name, layout, before):
    """Data and targets; a stride, or a window, of a picture; of weights both sizes."""
    if any(one.what in ("array", "sizes") for one in kind.inside):
        return tuple(_of_role(known, known, layout, before) for known in ("x", "labels"))
    if len(layout.shapes.get("x", "")) < 3 and "H" not in layout.shapes.get("x", ""):
        return layout.numbers("DM")
    steps = {mark for path, mark, _ in kind.marks if path} & {"divisor", "factor"}
    is_stride = "stride" in name_words(name) or bool(steps) and "subtracted" not in {
        mark for path, mark, _ in kind.marks if path}
    return (layout.sizes["stride" if is_stride else "P"],) * 2


def _rows(kind, layout):
    """[(5, "relu"), (6, "relu"), (3, "relu")], or with the sizes on both sides in each."""
    sizes = layout.numbers("DJM")
    keys = dict.fromkeys(more for path, mark, more in sorted(kind.marks, key=str)
                         if mark == "table" and len(path) == 1)
    if keys:
        words = ("relu", "relu" if layout.turn else "sigmoid")  # a cost may take its logarithm
        return [{key: _of_key(key, word, *pair) for key in keys}
                for word, *pair in zip(words, sizes, sizes[1:])]
    counts = [place for place, one in enumerate(kind.inside) if one.what in ("count", "")]
    if len(counts) > 1:
        return [tuple(_part(one, pair[counts.index(place) % 2] if place in counts else 0)
                      for place, one in enumerate(kind.inside)) for pair in zip(sizes, sizes[1:])]
    return [tuple(_part(one, size) for one in kind.inside) for size in sizes]


def _part(kind, size):
    return (kind.words[0] if kind.words else np.sin if kind.what == "function" else size)


def _of_key(key, word, before, behind):
    return word if option(key) == "activation" else (
        before if letter(str(key)) == "D" else behind)
