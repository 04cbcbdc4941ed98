"""Objects that a constructor is handed, by whatever methods its class asks for: an activation, a
loss.

    self.f.evaluate(z), self.f.derivative(z)       one of the file's own classes that has both, or
    self.f(z), self.f.grad(dout, z)                else a smooth function as an object that has
"""
import contextlib
import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterator

import numpy as np

from .. import pairing
from ..called import binding
from ..dialects import ANY_LOSS, BACKWARD, CRITERIA, FORWARD
from ..names import DOUT, name_words, plain, role
from ..reading import kinds
from ..reading.sources import source

MOST = 3  # of the file's own that are tried
STEP, MEMORY = 1e-5, 8
FLAG = r"(True|\w*(deriv|grad|prime)\w*=(True|1))"


class Handed:
    """An activation, tanh, as an object with methods of any names. methods: {name: "function",
    "slope", "chained" or "word"}; of_output: its slope is asked for with the output."""

    __slots__ = ("methods", "of_output", "seen")  # a layer's own arrays are looked for elsewhere

    def __init__(self, methods: dict, of_output: bool = False) -> None:
        self.methods, self.of_output, self.seen = methods, of_output, []

    def __getattr__(self, name):
        if name in Handed.__slots__ or name not in self.methods:
            raise AttributeError(name)
        return getattr(self, self.methods[name])

    def function(self, *given, **named):
        """f(x); its slope for f(x, True), f(x, deriv=True)"""
        x, *flags = [*given, *named.values()]
        if any(flag is True or type(flag) is int and flag == 1 for flag in flags):
            return self.slope(x)
        self.seen = [*self.seen[-MEMORY:], (x, np.tanh(x))]
        return np.tanh(x)

    __call__ = function

    def slope(self, *given, **named):
        """f'; with a dout before or behind what was computed with, what becomes of dout."""
        given = [one for one in [*given, *named.values()] if not isinstance(one, (bool, str))]
        if len(given) < 2:
            y = given[0] if given and self.of_output else np.tanh(
                given[0]) if given else self.seen[-1][1]
            return 1 - y ** 2
        known = [next((y for pair in self.seen[::-1] for y in pair[1:]
                       if any(np.array_equal(one, other) for other in pair)), None)
                 for one in given[:2]]
        dout = next((one for one, y in zip(given, known) if y is None), 1)
        y = next((y for y in known if y is not None), None)
        return dout * (self.slope(given[1]) if y is None else 1 - y ** 2)

    def chained(self, *given, **named):
        """The same, where dout is all that it gets."""
        both = [*given, *named.values()]
        return both[0] * self.slope() if len(both) == 1 else self.slope(*both)

    def word(self, *_):
        """What it is called."""
        return "tanh"


class HandedLoss(Handed):
    """½ Σ (y − t)² as such an object. of_output: the targets come first."""

    __slots__ = ()

    def function(self, *given, **named):
        """One number."""
        self.seen = [given or tuple(named.values())]
        y, t = self.seen[0][:2]
        return np.sum((y - t) ** 2) / 2

    __call__ = function

    def slope(self, *given, **named):
        """y − t, also of what was computed last."""
        first, then = [*given, *named.values()][:2] if len(given) > 1 or named else self.seen[0][:2]
        return then - first if self.of_output else first - then

    chained = slope


@functools.lru_cache(maxsize=64)
def makers(owner: type, name: str, kind: kinds.Kind, both: tuple) -> list[Callable]:
    """What makes the objects that may be meant by a constructor's argument, the likely ones first;
    nothing where it is no activation and no loss. both: the names of forward and backward."""
    called = kind.called()
    roles = {one.method: _role(one.method, called, owner, both) for one in called}
    if _is_loss(name, called) and {*roles.values()} & {"slope", "chained"}:
        own = [*_own(owner, roles)]
        good = [make for make in own if _measures(make(), roles)]
        return [*(good or own), functools.partial(HandedLoss, roles, _targets_first(called))]
    if "function" not in roles.values() or {*roles} == {""} and not _flagged(called):
        return []
    good = [make for make in _own(owner, roles) if _is_right(make(), roles)]
    if good:
        smooth = [make for make in good if _is_smooth(make(), roles)]
        return (smooth or good)[:MOST]
    return [functools.partial(Handed, roles, of_output) for of_output in (False, True)]


def pairs(owner: type, functions: dict[tuple, kinds.Kind], both: tuple,
          of_output: bool) -> dict[tuple, Callable]:
    """{place: function} of those that are a function and its derivative by where they are called.
    functions: {(name, its place in that): Kind}; of_output: the derivative is the output's."""
    slopes = [place for place, kind in functions.items()
              if _role("", kind.called(), owner, both) != "function"]
    losses = {place: kind for place, kind in functions.items()
              if _is_loss(place[0], kind.called())}
    found: dict[tuple, Callable] = {}
    for of_loss in (False, True):
        some = [place for place in functions if (place in losses) == of_loss]
        first = [place for place in some if place not in slopes]
        then = [place for place in some if place in slopes]
        for place in then if of_loss else then[:len(first)]:
            thing = HandedLoss({}, _targets_first(functions[place].called())
                               ) if of_loss else Handed({}, of_output)
            found[place] = thing.slope
            found.update(zip(first[then.index(place):][:1], [thing]))
    return found


def _targets_first(called):
    return any(role(_last(one.given[0])) == "labels" for one in called if one.given)


def _role(method, called, owner, both):
    """What a method is: "function", "slope", "chained" (it gets dout, too), or "word" of what
    neither forward nor backward calls."""
    calls = [one for one in called if one.method == method]
    if _is_slope(method, {one.method for one in called}) or plain(
            method) not in FORWARD and not _flagged(calls) and all(
            _is_in(one.where, both[1], owner) for one in calls):
        alone = all(len(one.given) == 1 for one in calls)
        douts = any(DOUT.search(_last(one.given[0])) for one in calls if one.given)
        return "chained" if alone and douts or plain(method) in BACKWARD else "slope"
    used = not all(both) or any(_is_in(one.where, name, owner) for one in calls for name in both)
    return "function" if used or not method else "word"


def _is_slope(method, others):
    """derivative, df beside f, dactivation."""
    return bool(any(pairing.stems(method)) or re.search("deriv|grad|prime|slope", plain(method))
                or method[:1] == "d" and {method[1:].lstrip("_")} & others)


def _is_in(where, method, owner):
    """Is it this method, or one that it calls?"""
    return bool(method) and (where == method
                             or f"self.{where}(" in source(getattr(owner, method, "")))


def _flagged(called):
    """Is one of them told to give the derivative: f(z, deriv=True)?"""
    return any(re.fullmatch(FLAG, given) for one in called for given in one.given[1:])


def _is_loss(name, called):
    given = [[role(_last(one)) for one in call.given if not re.fullmatch(FLAG, one)]
             for call in called]
    return plain(name) in CRITERIA or bool({*ANY_LOSS} & {*name_words(name)}) or any(
        len(one) == 2 and "labels" in one for one in given)


def _last(text):
    """y of self.y, and of y=self.y."""
    return (re.findall(r"\w+", text) or [""])[-1]


def _own(owner, roles) -> Iterator[Callable]:
    """What makes an object with these methods: a class of the file or its package that asks for
    nothing, or what stands at a file's top level."""
    package = owner.__module__.partition(".")[0] + "."
    modules = [module for name, module in list(sys.modules.items())
               if f"{name}.".startswith(package)]
    modules.sort(key=lambda module: module.__name__ != owner.__module__)
    for value in {id(one): one for module in modules for one in list(vars(module).values())
                  }.values():
        cls = value if isinstance(value, type) else type(value)
        has = {name for base in cls.__mro__[:-1] for name in vars(base)}
        if not f"{cls.__module__}.".startswith(package) or inspect.isabstract(cls) or cls is owner:
            continue
        if has >= {name or "__call__" for name in roles} and not (
                value is cls and binding.signature(cls)):
            yield value if value is cls else lambda value=value: value


def _measures(thing, roles):
    """Does it give numbers for an output and its target, unlike a base class or an activation?"""
    y = np.array([[0.3, 0.5, 0.2], [0.1, 0.2, 0.7]])
    for t in (np.eye(3)[:2], np.arange(2)):
        with contextlib.suppress(Exception):
            return bool(np.isfinite(_function(thing, roles)(y, t)).all())
    return False


def _is_right(thing, roles):
    """Is it a function of each number, not a linear one, with its derivative?"""
    x = np.array([[-1.3, 0.4, 0.9], [0.7, -0.2, 1.6]])
    try:
        with np.errstate(all="ignore"):
            f, slopes = _function(thing, roles), _slopes(thing, roles)
            moved = (f(x + STEP) - f(x - STEP)) / (2 * STEP)
            one = f(x[:1, :1])
            straight = np.allclose(f(x) - f(0 * x), x * (f(1 + 0 * x) - f(0 * x)))
            return np.allclose(one, f(x)[:1, :1]) and not straight and any(
                np.allclose(slope, moved, atol=1e-4) for slope in slopes(x))
    except Exception:  # it wants something else
        return False


def _function(thing, roles):
    name = next(name for name, role in roles.items() if role == "function")
    return getattr(thing, name) if name else thing


def _slopes(thing, roles):
    """What its derivative gives in each reading."""
    f, name = _function(thing, roles), next(
        (name for name, role in roles.items() if role in ("slope", "chained")), None)

    def of(x):
        y, one = f(x), np.ones_like(x)
        method = getattr(thing, name) if name else lambda *given: thing(*given, True)
        for given in ((x,), (y,), (one, x), (x, one), (one, y), (y, one), (one,), ()):
            try:
                yield np.broadcast_to(method(*given), x.shape)
            except Exception:  # it takes another number of arguments
                continue
    return of


def _is_smooth(thing, roles):
    f, step = _function(thing, roles), np.array([[-1e-3, 0, 1e-3]])
    before, middle, after = np.ravel(f(step))
    return abs(before - 2 * middle + after) < 1e-4
