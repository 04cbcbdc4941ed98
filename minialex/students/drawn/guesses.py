"""What an argument may be instead, where code does not run with what it is: one change at a time,
as a user would type it.

A guess is {name: what}; what is ("shape", (4, 5)), ("labels", ((4,), 3)) or ("option", 0.5), the
words of the command line. Which changes go with an error is a table, [errors] of dialects.txt.
"""
import contextlib
import copy
import itertools
import math
import re
from collections.abc import Iterator

import numpy as np

from .. import dialects
from .requests import Request

LARGEST, MANY, FEW = 1000, 4000, 5  # an axis, an array, a list of indices
TYPED = (int, float, str, list, tuple, dict, type(None))
COUNTS = (6, 7, 8, 2, 9, 10, 11, 12)  # of something; those that nothing else has are taken


def requested(request: Request, guess: dict) -> Request:
    """The request with these guesses besides."""
    found = copy.copy(request)
    found.is_tried = True
    found.shapes, found.labels, found.options = (
        {**asked, **{name: what for name, (one, what) in guess.items() if one == kind}}
        for kind, asked in (("shape", request.shapes), ("labels", request.labels),
                            ("option", request.options)))
    return found


def typed(guess: dict) -> str:
    """--shape Theta1=6,6 --labels y=4:3 --option num_labels=3"""
    def words(kind, what):
        if kind == "option":
            return str(what).replace(" ", "")
        shape, classes = what if kind == "labels" else (what, None)
        return ",".join(map(str, shape)) + f":{classes}" * (kind == "labels")
    return " ".join(f"--{kind} {name}={words(kind, what)}"
                    if kind != "option" or isinstance(what, TYPED)
                    else f"({name} as the file gives it)" for name, (kind, what) in guess.items())


def guessed(value: object) -> tuple | None:
    """What one would type to get a value like this; None for an object."""
    if not isinstance(value, np.ndarray):
        plain = isinstance(value, (int, float, str, list, tuple, dict))
        return ("option", value) if plain else None
    if value.dtype.kind == "f":
        return "shape", value.shape
    one_hot = value.ndim > 1 and value.max() <= 1 and np.all(value.sum(axis=-1) == 1)
    return "labels", (value.shape, "hot" if one_hot else int(value.max(initial=0)) + 1)


def like(values: dict) -> dict:
    """The guess for arguments like these: arrays of their shapes, the first of long lists, all else
    as it is."""
    found = {}
    for name, value in values.items():
        with contextlib.suppress(ValueError, TypeError):  # rows of different lengths
            rows = isinstance(value, (list, tuple)) and np.ndim(value) > 1
            value = np.asarray(value, dtype=float) if rows else value
        value = value[:FEW] if isinstance(value, list) and len(value) > 2 * FEW else value
        if np.size(value) <= MANY:
            found[name] = guessed(value) or ("option", value)
    return found


def wanted(message: str) -> list[str]:
    """Which kinds of changes go with this error."""
    return list(dict.fromkeys(want for words, found in dialects.ERRORS.items()
                              if words in message for want in found))


def changes(message: str, names: list[str], values: dict, sizes: dict,
            more: list[int]) -> Iterator[list[dict]]:
    """Yields lists of changes, {name: what}, the likely ones first. message: of the error; names:
    of the arguments, those that stand in its line first, the number of which is the first; values:
    what all arguments are now; sizes: of the letters; more: numbers that the code knows."""
    wants, sizes_of = wanted(message), re.search(r"\(size.*?\)", message)  # of a matmul
    numbers = list(dict.fromkeys(
        int(one) for one in re.findall(r"(?<![\w.])\d+", sizes_of[0] if sizes_of else message)
        if 0 < int(one) <= LARGEST))
    change = _Change(numbers, values, sizes, more)
    short = re.search(r"size (\d+) into shape \(([\d, ]+)\)", message)
    if short:
        change.wanted = [int(one) for one in re.findall(r"\d+", short[2])]
        change.size = int(short[1])
    if "broadcast" in message:
        change.shapes = [tuple(map(int, re.findall(r"\d+", one)))
                         for one in re.findall(r"\(([\d, ]+)\)", message)]
    for want in wants:
        if want == "single":
            yield list(single({name: what for name in names if (what := guessed(values.get(name)))},
                              values))
            continue
        for some in (names[:NEAR], names[NEAR:]):
            yield [{name: what} for name in some for what in change.of(want, name)]
        if want in ("number", "index", "array"):  # those of the line together
            yield [change.all(want, names[:count]) for count in range(2, NEAR + 1)]
    for want in dialects.ERRORS["anything"]:
        if want not in wants:
            yield [{name: what} for name in names for what in change.of(want, name)]


def variants(names: list[str], values: dict, told: tuple | None) -> Iterator[dict]:
    """What else arrays may be that are the right size: of a gradient's shape, if that is smaller; a
    mask of 0 and 1, or one class in each row; of length 1 along an axis, where others were repeated
    to fit. told: (how good the verdict is, {name: shape of its gradient}, whether what is wrong has
    a name), or None."""
    now = {name: guessed(values[name]) for name in [*names, *(one for one in values if "." in one)]
           if isinstance(values.get(name), np.ndarray)}
    shapes = {name: np.shape(values[name]) for name in now}
    for name, shape in shapes.items():
        other = told[1] if told else {}
        gradient = other.get(name.rpartition(".")[2], other.get("", ()))
        if 1 < math.prod(gradient) < math.prod(shape):
            yield {name: ("shape", gradient)}
    for name, shape in shapes.items():
        if "." not in name:
            yield {name: ("labels", (shape, 2))}
            yield from ({name: ("labels", (shape, "hot"))} for _ in shape[1:2])

    if told and told[2]:
        return
    yield from single(now, values)
    yield from ({name: _cut(now[name], [axis])} for name, shape in shapes.items()
                for axis in reversed(range(len(shape) if len(shape) > 1 else 0)))


def single(now: dict, values: dict) -> Iterator[dict]:
    """Of one example, or of one output: all axes of one length become 1. now: {name: what}"""
    shapes = {name: np.shape(values[name]) for name in now if np.ndim(values[name]) > 1}
    for length in sorted({size for shape in shapes.values() for size in shape} - {1}):
        yield {name: _cut(now[name], [axis for axis, size in enumerate(shape) if size == length])
               for name, shape in shapes.items() if length in shape}


def _cut(what, axes):
    kind, of = what
    shape, *classes = of if kind == "labels" else (of,)
    return kind, _with(kind, tuple(1 if axis in axes else size for axis, size in enumerate(shape)),
                       classes)


NEAR = 4  # arguments that are looked at first
OF_SHAPES = ("sizes", "axes", "square", "longer")  # changes of a shape


class _Change:
    def __init__(self, numbers, values, sizes, more):
        self.numbers, self.values, self.sizes, self.more = numbers, values, sizes, more
        self.shapes: list = []  # which should fit each other
        self.size, self.wanted = 0, []  # of what should have another shape
        self.used = {size for value in values.values() for size in (
            np.shape(value) if isinstance(value, np.ndarray) else [value]
            if isinstance(value, int) else ())}

    def fresh(self):
        return [count for count in COUNTS if count not in self.used]

    def all(self, want, names):
        """The first change of this kind of each of them, with counts that differ."""
        found, before = {}, set(self.used)
        for name in names:
            what = next(self.of(want, name), None)
            if what is not None:
                found[name] = what
                self.used |= {what[1]} if isinstance(what[1], int) else set()
        self.used = before
        return found

    def of(self, want, name):
        """Yields what this argument may be instead."""
        now = guessed(self.values.get(name))
        if now is None:
            return
        seen, (kind, what) = [now], now
        if want not in OF_SHAPES:
            found = list(getattr(self, f"_{want}")(kind, what))
        elif kind == "option":
            found = [(kind, other) for other in self._others(want, what)]
        else:
            shape, *classes = what if kind == "labels" else (what,)
            found = [(kind, _with(kind, other, classes))
                     for other in getattr(self, f"_{want}")(shape)]
        for what in sorted(found, key=_is_square) if want == "sizes" else found:
            if what not in seen and _is_small(what):
                seen.append(what)
                yield what

    def _others(self, want, what):
        """Another whole number, also in a list or tuple; one that is longer."""
        is_row = isinstance(what, (list, tuple)) and bool(what)
        if want == "longer" and is_row:
            yield type(what)([*what, what[-1]])
        elif want == "sizes" and type(what) is int:
            yield from self.numbers
        elif want == "sizes" and is_row and all(type(one) is int for one in what):
            yield from (type(what)([*what[:place], number, *what[place + 1:]])
                        for place in range(len(what)) for number in self.numbers)

    def _sizes(self, shape):
        """Another length of an axis."""
        yield from self.shapes if shape in self.shapes else ()
        axes = sorted(range(len(shape)), key=lambda axis: shape[axis] not in self.numbers)
        for axis, number in itertools.product(axes, self.numbers):
            yield (*shape[:axis], number, *shape[axis + 1:])
        if len(shape) == 1:  # of some weights in a row there are too few
            sums = [abs(a - b) for a, b in itertools.combinations(self.numbers, 2)]
            yield from ((shape[0] + more,) for more in dict.fromkeys([*sums, *self.numbers])
                        if more)
        if len(shape) > 1:
            yield shape[::-1]

    def _flat(self, kind, what):
        """In a row, as long as is wanted; in the shape that is wanted."""
        if kind == "shape" and self.wanted:
            count = math.prod(self.wanted)
            yield kind, (max(1, math.prod(what) + count - self.size),)
            yield kind, (count,)
            yield kind, tuple(self.wanted)

    def _axes(self, shape):
        """An axis more, an axis less."""
        for axis in range(len(shape)) if len(shape) > 1 else ():
            yield (*shape[:axis], *shape[axis + 1:])
        for number in [*self.numbers, *self.fresh()[:1], 1]:
            yield from ((*shape, number), (number, *shape))

    def _square(self, shape):
        """Two axes of one length."""
        for one, other in itertools.permutations(range(len(shape)), 2):
            if shape[one] < shape[other]:
                yield (*shape[:one], shape[other], *shape[one + 1:])

    def _longer(self, shape):
        """An axis that is as long as the code wants it."""
        wanted = [number + 1 for number in self.numbers] + self.more
        for axis, length in enumerate(shape):
            yield from ((*shape[:axis], number, *shape[axis + 1:])
                        for number in wanted if number > length)

    def _classes(self, kind, what):
        """Fewer classes, or more."""
        if kind == "labels":
            yield from ((kind, (what[0], number)) for number in (*self.numbers, 3, 2))

    def _number(self, kind, what):
        """How many there are, or a factor."""
        if kind == "option" and isinstance(what, (int, float)):
            return
        yield from (("option", count) for count in self.fresh()[:1])
        yield from (("option", number) for number in self.numbers)
        yield "option", 2
        yield "option", 0.5

    def _index(self, kind, what):
        """Which of the rows, of the classes: of one example, of several."""
        N, few = self.sizes["N"], 3
        shape = what if kind == "shape" else (N,)
        yield "labels", ((N,), few)
        yield "option", 2
        if len(shape) > 1:
            yield "labels", (shape, few)
            yield "labels", (shape[:1], few)
        yield "labels", ((N, self.sizes["T"]), few)
        yield "option", [1, 2, 0, 1]

    def _array(self, kind, what):
        """Any array of numbers."""
        for letters in dialects.SEARCHED:
            yield "shape", tuple(self.sizes[letter] for letter in letters)

    def _table(self, kind, what):
        """A dictionary, of which the code will ask for keys."""
        yield "option", {}

    def _list(self, kind, what):
        """A list of arrays, or of sizes."""
        yield "option", [self.sizes["D"], self.sizes["J"], self.sizes["M"]]


def _with(kind, shape, classes):
    return (shape, *classes) if kind == "labels" else shape


def _is_square(what):
    """Has it axes of one length? Others may be taken for each other then."""
    kind, of = what
    shape = of[0] if kind == "labels" else of if kind == "shape" else ()
    return len(set(shape)) < len(shape)


def _is_small(what):
    kind, of = what
    if kind == "option":
        return not isinstance(of, int) or of <= LARGEST
    shape = of[0] if kind == "labels" else of
    return 1 < math.prod(shape) <= MANY and len(shape) < 6  # of single numbers everything fits
