"""Arguments by other names: a gradient's and its cost's, those behind a star, a part of a cache."""
import ast
import functools
import inspect
import re
from collections.abc import Callable

import numpy as np

from ..called import binding
from ..drawn import dictionaries
from ..names import CACHE, is_penalty, plain, role
from ..reading.sources import source
from .keeping import NotChecked


def same(forward: Callable, backward: Callable | None) -> dict[str, str]:
    """{each argument of backward: that of forward which means the same}, lam of reg and x of X;
    nothing where one has no such partner, or several."""
    given, asked = required(forward), required(backward) if backward else []
    left = [name for name in given if name not in asked]
    found = {name: [name] if name in given else [
        one for known in (plain, lambda name: is_penalty(name) or None, role) for one in left
        if known(one) == known(name) is not None] for name in asked}
    partners = [others[0] for others in found.values() if len({*others}) == 1]
    return dict(zip(asked, partners)) if sorted(partners) == sorted(given) and len(
        partners) == len(asked) else {}


def renamed(function: Callable | None, names: dict) -> Callable | None:
    """The function with other names for its arguments."""
    if not any(name != other for name, other in names.items()):
        return function

    @functools.wraps(function)
    def called(*arguments, **keywords):
        return function(*arguments, **keywords)
    return binding.with_parameters(called, [p.replace(name=names.get(p.name, p.name))
                                            for p in binding.signature(function)])


def spread(function: Callable) -> Callable:
    """The function with a name for each of its *args, which it takes apart: n, X, y = args."""
    places = binding.signature(function)
    star = next((p for p in places if p.kind == p.VAR_POSITIONAL), None)
    names = dictionaries.unpacked(function, star.name) if star else []
    if not names or places[-1] is not star or {*names} & {p.name for p in places}:
        return function

    @functools.wraps(function)
    def called(*arguments, **keywords):
        return function(*arguments, *(keywords.pop(name) for name in order[len(arguments):]))
    order = [*(p.name for p in places[:-1]), *names]
    return binding.with_parameters(called, [*places[:-1], *(
        star.replace(name=name, kind=star.POSITIONAL_OR_KEYWORD) for name in names)])


def with_whole_cache(forward: Callable, backward: Callable | None) -> Callable | None:
    """A backward that takes its cache apart, `_, Z = cache`, where forward keeps an array: it is
    given (None, Z), as by a whole layer, if it reads one part. Raises NotChecked, when it is
    called, if it reads several: it belongs to another forward."""
    name = next((p.name for p in binding.signature(backward) if plain(p.name) in CACHE), "")
    tree = binding.syntax_tree(backward) if name else ast.Module([], [])
    parts = _parts(tree, name)
    if not parts or re.search(r"\b(array|asarray|\w*stack)\(", source(forward)):
        return backward

    @functools.wraps(backward)
    def called(*arguments, **keywords):
        given = inspect.signature(backward).bind(*arguments, **keywords)
        if isinstance(given.arguments.get(name), np.ndarray):
            given.arguments[name], read = _placed(tree, parts, given.arguments[name])
            if len(read) != 1:
                raise NotChecked(f"{binding.title(backward)} takes {', '.join(read)} out of {name},"
                                 f" and {binding.title(forward)} keeps one array alone: hand in "
                                 "the forward whose cache it is")
        return backward(*given.args, **given.kwargs)
    return called


def _parts(tree, name):
    """{place or key: a node} of what is taken out of this, by `a, b = name` or by name[0]; nothing
    where it is used as a whole, too."""
    found, reads = {}, 0
    for node in ast.walk(tree):
        reads += isinstance(node, ast.Name) and node.id == name
        if getattr(getattr(node, "value", None), "id", "") != name:
            continue
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            found[node.slice.value] = node
            reads -= 1
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], LISTS):
            found.update(enumerate(node.targets[0].elts))
            reads -= 1
    return {} if reads else found


LISTS = ast.Tuple, ast.List


def _placed(tree, parts, value):
    """(the value at each place that is read, what is read)."""
    made, read = {}, []
    for key, node in parts.items():
        name = getattr(node, "id", "")
        inner = dict(enumerate(node.elts)) if isinstance(node, LISTS) else _parts(tree, name)
        is_read = not name or any(isinstance(one, ast.Name) and one.id == name
                                  and isinstance(one.ctx, ast.Load) for one in ast.walk(tree))
        made[key], names = _placed(tree, inner, value) if inner else (
            (value, [ast.unparse(node)]) if is_read else (None, []))
        read += names
    by_place = not any(isinstance(key, str) for key in made)
    return tuple(map(made.get, range(max(made) + 1))) if by_place else made, read


def required(function: Callable) -> list[str]:
    """Names of the arguments without a default."""
    return [p.name for p in binding.signature(function) if p.default is p.empty
            and p.kind in binding.POSITIONAL]
