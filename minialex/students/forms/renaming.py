"""Arguments by other names: a gradient's and its cost's, those behind a star."""
import functools
import inspect
from collections.abc import Callable

from ..called import binding
from ..drawn import dictionaries
from ..names import PENALTY, option, plain, role


def same(forward: Callable, backward: Callable | None) -> dict[str, str]:
    """{each argument of backward: that of forward which means the same}, lam of reg and x of X;
    nothing where one has no such partner, or several."""
    given, asked = required(forward), required(backward) if backward else []
    left = [name for name in given if name not in asked]
    found = {name: [name] if name in given else [
        one for known in (plain, _penalty, role) for one in left
        if known(one) == known(name) is not None] for name in asked}
    partners = [others[0] for others in found.values() if len({*others}) == 1]
    return dict(zip(asked, partners)) if sorted(partners) == sorted(given) and len(
        partners) == len(asked) else {}


def _penalty(name):
    return "penalty" if {plain(name), option(name)} & PENALTY.keys() else None


def renamed(function: Callable | None, names: dict) -> Callable | None:
    """The function with other names for its arguments."""
    if not any(name != other for name, other in names.items()):
        return function

    @functools.wraps(function)
    def called(*arguments, **keywords):
        return function(*arguments, **keywords)
    called.__signature__ = inspect.Signature([  # type: ignore[attr-defined]
        p.replace(name=names.get(p.name, p.name)) for p in binding.signature(function)])
    return called


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
    called.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [*places[:-1], *(star.replace(name=name, kind=star.POSITIONAL_OR_KEYWORD)
                         for name in names)])
    return called


def required(function: Callable) -> list[str]:
    """Names of the arguments without a default."""
    return [p.name for p in binding.signature(function) if p.default is p.empty
            and p.kind in binding.POSITIONAL]
