"""Arguments that are dictionaries: parameters["Wax"] is drawn key by key, each by its name, and so
is what is unpacked, W, b = params."""
import ast
import functools
import inspect
from collections.abc import Callable, Iterator

from ..called import binding
from ..dialects import GEOMETRY
from ..names import name_words, option, plain
from . import inputs

METHODS = {"get", "setdefault", "keys", "items", "values", "update"}


def filled(function: Callable, values: dict, layout: inputs.Layout,
           request: inputs.Request) -> dict:
    """The drawn values, with a dictionary for each argument that this function uses as one, and
    with its own words in those that are there: pool_param["pool_h"]."""
    values = with_own_words(function, values, layout)
    asked = [p.name for p in binding.signature(function) if p.name in values
             and (p.name not in request.named() or request.parts(p.name))]
    written = inspect.unwrap(function)
    found = {name: keys for name in asked if not isinstance(values[name], dict)
             or request.parts(name) if (keys := _keys(written, name)) is not None}
    rows = {name: names for name in asked if name not in found
            and (names := unpacked(written, name))}
    if not (found or rows) or not request.named() & {*found, *rows} and binding.runs(
            function, **values):
        return values  # it may take either
    for name, inside in {**found, **rows}.items():
        parts = inputs.draw_named(inside, layout, request)
        given = request.parts(name)
        parts.update(given if isinstance(given, dict) else {})
        values[name] = tuple(parts.values()) if name in rows else parts
    return values


def with_own_words(function: Callable, values: dict, layout: inputs.Layout) -> dict:
    """The same, with options by the words that this function reads in their dictionaries."""
    return {name: {**{key: inputs.of_option(word, layout) for key in keys(function, name)
                      if (word := _option(name, key))}, **value}
            if isinstance(value, dict) else value for name, value in values.items()}


def _option(name, key):
    """The word for a key: of pool_param the height is a pool_height."""
    return next((one for one in (key, f"{name_words(name)[0]}_{key}")
                 if plain(one) in GEOMETRY or option(one)), None)


def keys(function: Callable, argument: str) -> list[str]:
    """What a function reads of a dictionary of this name; nothing where it is none."""
    return _keys(function, argument) or []


def parts(function: Callable, name: str, value: dict | list | tuple) -> dict:
    """{key: value} of an argument that holds several: of a row, by the names that it is unpacked
    into, or else by numbers."""
    if isinstance(value, dict):
        return value
    names = unpacked(inspect.unwrap(function), name)
    return dict(zip(names if len(names) == len(value) else map(str, range(len(value))), value))


@functools.lru_cache(maxsize=256)
def _keys(function, argument):
    """What is read of a dictionary of this name and not written first; None where it is none."""
    read, written, is_one = [], set(), False
    for node, name in uses(function, argument):
        key = None
        if isinstance(node, ast.Subscript):
            key = node.slice
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", None) in METHODS:
            key = node.args[0] if node.args else None
            is_one |= is_name(node.func.value, name)
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and is_name(
                getattr(node, "value", None) or node.func.value, name):
            is_one = True
            if isinstance(node, ast.Call) or not isinstance(node.ctx, ast.Load):
                written.add(key.value)
            else:
                read.append(key.value)
    return [key for key in dict.fromkeys(read) if key not in written] if is_one else None


@functools.lru_cache(maxsize=256)
def unpacked(function: Callable, argument: str) -> list[str]:
    """[W, b] of W, b = argument; nothing where it is not unpacked."""
    for node, name in uses(function, argument):
        if isinstance(node, ast.Assign) and is_name(node.value, name):
            names = getattr(node.targets[0], "elts", ())
            if len(names) > 1 and all(isinstance(one, ast.Name) for one in names):
                return [one.id for one in names]
    return []


def is_name(node: ast.AST, name: str) -> bool:
    """Is it this name?"""
    return isinstance(node, ast.Name) and node.id == name


def uses(function: Callable, name: str, seen: list | None = None) -> Iterator[tuple[ast.AST, str]]:
    """Yields (node, what the argument is called there) of the function and of those of its file
    that it hands the argument on to: a cell of a recurrent network reads what the network gets."""
    seen = seen or []
    seen.append((function, name))
    for node in binding.nodes(function):
        yield node, name
        called = node.func if isinstance(node, ast.Call) else None
        other = getattr(function, "__globals__", {}).get(getattr(called, "id", None))
        if inspect.isfunction(other) and other.__module__ == function.__module__:
            places = binding.arguments_of(other)
            given = [*zip(places, node.args), *((one.arg, one.value) for one in node.keywords)]
            for theirs in [place for place, value in given if is_name(value, name)]:
                if (other, theirs) not in seen and not _assigns(other, theirs):
                    yield from uses(other, theirs, seen)


def _assigns(function, name):
    return any(is_name(node, name) and isinstance(node.ctx, ast.Store)
               for node in binding.nodes(function))
