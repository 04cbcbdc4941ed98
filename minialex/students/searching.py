"""Inputs that are found by running: where no layout makes forward and backward run, arguments are
changed one at a time, and what comes furthest is followed.

    best(trying, until, reports)     the guess, {name: what}, with which the code is right, if any
    Search(trying, until).found()    yields guesses with which both run

A guess is what a user would type (drawn/guesses.py), so that all else goes on as if he had. How far
code comes is told by the lines that it reaches (reading/watching.py). Which guesses are made
depends on the seed alone; time is only a limit.
"""
import contextlib
import io
import itertools
import linecache
import re
import time
from collections.abc import Callable, Generator
from typing import NamedTuple

import numpy as np

from ..gradcheck.tensor_function import frozen
from ..gradcheck.verdicts import names as verdict
from . import suiting
from .called import binding
from .drawn import dictionaries, guesses, inputs, used
from .drawn.inputs import Layout
from .forms.layers import NotChecked
from .names import role
from .reading import usage
from .reading.absent import is_clear
from .reading.watching import Watch, involved
from .status import compared, explains
from .trying import Trying

INTEGERS = ("id", "ids")  # layouts in which all that is unknown were labels
ATTEMPTS = 400  # guesses that are tried at most
STARTS = 3  # layouts from which a search begins


KINDS = ("pair", "loss", "derivative", "class")
UNCLEAR = {verdict.UNKNOWN, verdict.SHAPE}  # the mistake has no name
OTHERS = 24  # guesses that are looked at where code is wrong with the first one


def best(trying: Trying, until: float, reports: Callable) -> tuple | None:
    """(a Tried, whether its inputs are as long as those that were found first) with which the code
    is right, or else explained best; None where nothing runs. What is wrong with some inputs may be
    right with others that run as well. reports: makes ([(report, reading)], error) of a Trying,
    readings and whether no name for a mistake is looked for."""
    if isinstance(trying.error, NotChecked) or trying.found.kind not in KINDS or is_clear(
            trying.error):
        return None  # no inputs mend that
    searching, kept, problem = Search(trying, until), _Kept(), None
    search = searching.found()
    tried = next(search, None)
    for _ in range(OTHERS if tried is not None else 0):
        again = trying.with_request(guesses.requested(trying.request, tried.guess))
        value = None
        try:
            made, error = reports(again, again.readings(tried.layout), kept.tried is not None)
            problem = problem or error
            if made and _says_something(*made[0]):
                value = kept.looked_at(tried, *made[0])
        except MemoryError:
            raise
        except Exception as error:  # these are not the inputs that are meant
            problem = problem or error
        if kept.report and kept.is_wide:
            break
        try:
            tried = search.send(value)
        except StopIteration:
            break
    end = searching.furthest
    if not (problem or kept.tried) and end and "nothing" in guesses.wanted(end.message):
        problem = end.error  # what no inputs mend says more than where the first ones stop
    if problem and not kept.tried:
        raise problem
    return (kept.tried, kept.is_wide) if kept.tried and not kept.is_by_chance() else None


def with_numbers(trying: Trying) -> tuple[Trying, dict]:
    """(the same with one number for each argument that may be a factor by its use, that guess)."""
    guess = used.factors(trying.forward(), inputs.mysterious(trying.places(), trying.request))
    return trying.with_request(guesses.requested(trying.request, guess)), guess


def proves(found: tuple | None) -> bool:
    """Has a (report, reading) gradients of the inputs' shapes? Others only happen to run."""
    return bool(found) and verdict.SHAPE not in {row.verdict for row in found[0].rows}


def _says_something(report, reading):
    return suiting.gives_any(reading) and any(np.prod(row.shape) > 1 for row in report.counted())


class _Kept:
    """The guess that explains code best so far, its report, and whether its inputs are as long as
    the first ones. clear: had the mistake a name with those? shapes: of gradients that differed."""

    def __init__(self):
        self.tried = self.report = self.first = None
        self.is_wide, self.clear, self.shapes = True, False, set()

    def is_by_chance(self):
        """Is nothing right, and has a gradient another shape than these inputs? Then they only
        happen to run, and prove nothing wrong."""
        found = {row.verdict for row in self.report.rows}
        return verdict.SHAPE in found and verdict.CORRECT not in found

    def looked_at(self, tried, report, reading):
        """What is told to the search of this guess; it is kept if it is better."""
        if self.first is None:
            self.clear = not any(row.verdict in UNCLEAR for row in report.rows)
            self.first = reading
        elif len(compared(report)) < sum(row.verdict not in (verdict.SHAPE, verdict.NOT_COMPARED)
                                            for row in self.report.rows):
            return None  # a weight that is drawn as a label is right, too
        elif any((role(name) == "x" or name in compared(self.report)) and binding.is_checked(value)
                 and not binding.is_checked(reading.values.get(name))
                 for name, value in self.first.values.items()):
            return None  # of zeros and ones some products are the factors
        # what is given its gradient's shape is not narrower
        mended = {name.rpartition(".")[2] for name, (kind, what) in tried.guess.items()
                  if kind == "shape" and what in self.shapes}
        self.shapes |= set(_other_shapes(report).values())
        width, first = (suiting.width(one, mended) for one in (reading, self.first))
        narrow = width[0] < first[0] and width[1] < first[1]
        # a name for the mistake counts more than that fewer numbers do not show it
        if self.report is None or not (self.clear and narrow) and explains(report) > explains(
                self.report):
            self.tried, self.report, self.is_wide = tried, report, width[1] >= first[1]
        return explains(report), _other_shapes(report), self.clear


def _other_shapes(report):
    """{name: the shape of its gradient} where that is another one; "" is anyone's."""
    found = {}
    for row in report.rows:
        said = re.search(r"shape \(([\d, ]+)\)(:| for)", f"{row.evidence} {row.detail}")
        if said:
            name = "" if said[2] == ":" else row.name
            found[name] = tuple(map(int, re.findall(r"\d+", said[1])))
    return found


class Tried(NamedTuple):
    """A guess, and how far code came with it. rank: to be compared: the stage, how many different
    lines were run, keys of dictionaries that are there, lines, the place in the last one; error:
    the last one, and its message; names: the arguments in its line, then all others; values:
    what they were."""

    guess: dict
    layout: Layout
    rank: tuple
    error: BaseException | None
    message: str
    names: list
    values: dict


    def is_beyond(self, other: "Tried") -> bool:
        """Has it come further, or as far and to another error?"""
        return self.rank[:2] > other.rank[:2] or (self.rank >= other.rank
                                                  and self.message != other.message)


class _Open:
    """A Tried, with the batches of changes that are left of it, and from which start it came."""

    def __init__(self, tried, batches, start):
        self.tried, self.batches, self.start = tried, batches, start


class Search:
    """For one thing that was found. trying: with its request."""

    def __init__(self, trying, until):
        self.trying, self.until, self.seen, self.left = trying, until, set(), ATTEMPTS
        self.file = getattr(trying.module, "__file__", "") or ""
        self.places = trying.places()
        self.names = [p.name for p in self.places if p.name not in trying.request.named()]
        self.likely = inputs.mysterious(self.places, trying.request)
        self.hints: dict = {}
        self.whole: list[dict] = []  # guesses that the file's own calls make, for all arguments
        self.furthest: Tried | None = None
        self.ran: Tried | None = None  # with gradients of other shapes, or of some inputs alone
        self.more = _counts(trying.module)

    def found(self) -> Generator[Tried, tuple | None, None]:
        """Yields guesses with which forward and backward run, the simplest ones first. What is sent
        back, if anything, is (how good the verdict is, shapes of gradients that differ, whether
        what is wrong has a name)."""
        queue = [_Open(one, self._changes(one), start) for start, one in enumerate(self._starts())]
        told: set = set()  # starts from which something was found: others may be meant otherwise
        while queue and not self._is_over():
            if queue[0].tried.rank[0] == RUNS:  # before anything is changed
                tried = queue.pop(0).tried
                said = yield tried
                if tried.guess in self.whole:
                    return  # all of it is as the file itself has it
                yield from self._variants(tried, said)
                continue
            best = max(queue, key=lambda one: (one.start not in told, one.tried.rank,
                                               -len(one.tried.guess.keys() - self.hints.keys())))
            if self.furthest is None or best.tried.rank > self.furthest.rank:
                self.furthest = best.tried
            hopeless = "nothing" in guesses.wanted(best.tried.message)
            batch = None if hopeless else next(best.batches, None)
            if batch is None:
                queue.remove(best)
                continue
            for tried, rest in self._further(best.tried, batch):
                if tried.rank[0] == RUNS:
                    self.ran = None
                    told.add(best.start)
                    yield from self._variants(tried, (yield tried))
                elif tried.is_beyond(best.tried):
                    queue.append(_Open(tried, self._changes(tried), best.start))
                if tried.rank[:2] > best.tried.rank[:2]:  # the others wait
                    best.batches = itertools.chain([rest], best.batches)
                    break
        if self.ran is not None:
            yield self.ran

    def _further(self, before, batch):
        """Yields (what came of a change, the changes that are left)."""
        rest = iter(batch)
        for change in rest:
            tried = self._tried(before.layout, {**before.guess, **change})
            if tried is not None:
                yield tried, rest
            if self._is_over():
                return

    def _is_over(self):
        return self.left <= 0 or time.process_time() > self.until

    def _starts(self):
        """The layouts with which code comes furthest, and with what is written about arguments."""
        named = inputs.telling(self.trying.forward())
        layouts = [layout for layout in inputs.layouts(
            self.trying.found.name, self.trying.request, forward=self.trying.forward())
            if not layout.turn and not layout.several and layout.shapes.get("x") not in INTEGERS
            and (named <= layout.shapes.keys() or not self.trying.reached)]
        tried = [one for layout in layouts if (one := self._tried(layout, {})) is not None]
        tried = sorted(tried, key=lambda one: (*one.rank[:2], one.rank[-1]), reverse=True)
        running = [one for one in tried if one.rank[0] == RUNS]
        tried = [*running[:1], *tried[len(running):][:STARTS]]
        self.left = ATTEMPTS  # what is found before does not count
        self.hints = {**used.factors(self.trying.forward(), self.likely), **used.hints(
            self.trying.forward(), self.trying.found.backward, self.likely,
            tried[0].layout.sizes["N"])} if tried else {}
        one = {name: ("option", 2) if kind == "labels" else (kind, what)  # of several, or one
               for name, (kind, what) in self.hints.items()}
        called = [*map(guesses.like, usage.of(self.trying.found, self.trying.module))]
        self.whole = [one for one in called if {*self.names} <= one.keys()]
        hinted = [self._tried(start.layout, hints) for start in tried[:1]
                  for hints in (*called, self.hints, one) if hints]
        return [*filter(None, hinted), *tried]

    def _variants(self, tried, told):
        """The same with other values or shapes, as long as the verdict that is sent back gets
        better."""
        changes = guesses.variants(self.names, tried.values, told)
        while (change := next(changes, None)) is not None:
            again = self._tried(tried.layout, {**tried.guess, **change})
            if again is not None and again.rank[0] == RUNS:
                other = yield again
                if other is not None and (told is None or other[0] > told[0]):
                    tried, told = again, other
                    changes = guesses.variants(self.names, tried.values, told)

    def _changes(self, tried):
        """Yields lists of what may be changed. A key that is missing comes first."""
        key = re.fullmatch(r"'([^\W\d]\w*)'", tried.message)
        if key:
            yield [{f"{name}.{key[1]}": ("shape", shape)} for name in self.names
                   if isinstance(tried.values.get(name), dict)
                   for shape in self._shapes_of(key[1], name, tried)]
        yield from guesses.changes(tried.message, tried.names, tried.values, tried.layout.sizes,
                                   self.more)

    def _shapes_of(self, key, name, tried):
        """That of W1 for W2; or what its name says."""
        like = re.compile(rf"{re.escape(name)}\.{key.rstrip('0123456789')}\d+")
        shapes = [np.shape(value) for one, value in tried.values.items() if like.fullmatch(one)]
        drawn = inputs.draw_named([key], tried.layout, self.trying.request)
        return list(dict.fromkeys([*shapes[::-1], np.shape(drawn[key])]))

    def _tried(self, layout, guess) -> Tried | None:
        """How far code comes; None where that is known."""
        trying = self.trying.with_request(guesses.requested(self.trying.request, guess))
        values = _values(trying, layout, self.places)
        key = repr((sorted(guess.items()), {name: guesses.guessed(value)
                                            for name, value in values.items()}))
        if key in self.seen:
            return None
        self.seen.add(key)
        self.left -= 1
        stage, watch = 0, Watch(self.file)
        with (contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"), frozen(),
              watch):
            try:
                readings = trying.readings(layout)
                stage = 1
                trying.run(*readings[:2])
                stage = 2 + trying.runs(readings)
                error = None if trying.returned else watch.error
            except Exception as problem:  # these are not the inputs
                error = problem if stage or watch.error is None else watch.error
                stage = 0 if error is watch.error else stage
        message = "" if error is None else f"{error}"
        if error is not None and is_clear(error):
            message = f"name '{message}"
        elif trying.returned:
            message = f"not aligned: {_shapes_in(trying.gradients)}"
        keys = sum("." in name for name in guess)  # that the code asked for
        rank = stage, len(watch.lines), keys, watch.count, watch.place
        found = Tried(guess, layout, rank, error, message,
                      self._in_order(watch.stack, values), values)
        if trying.returned and guess and (self.ran is None or rank > self.ran.rank):
            self.ran = found
        return found

    def _in_order(self, stack, values):
        """The arguments, and what is in those that are dictionaries: those in the lines where it
        stopped first, then those whose names say nothing."""
        near = involved(stack, self.names)
        names = [*near, *sorted((name for name in self.names if name not in near),
                                key=lambda name: name not in self.likely)]
        line = linecache.getline(*stack[0]) if stack else ""
        parts = [one for one in values if "." in one]
        parts.sort(key=lambda one: one.partition(".")[2] not in line)
        return [one for name in names for one in (
            [part for part in parts if part.partition(".")[0] == name] or [name])]


RUNS = 4  # stage: 0 forward does not run, 1 it gives no good output, 2 nor does backward, 3 shapes


def _values(trying, layout, places):
    """{name: value} as they are drawn now, keys of dictionaries as params.W1."""
    found, request = trying.found, trying.request
    built = [p.name for p in inputs.parameters_of(found.forward)] if found.kind == "class" else []
    drawn = {}
    for numbers in (True, False):
        some = [p for p in places if (p.name in built) == numbers]
        with contextlib.suppress(Exception):
            drawn.update(inputs.draw(some, layout, request, numbers=numbers))
    if found.kind in ("pair", "loss", "derivative"):
        with contextlib.suppress(Exception):
            drawn = dictionaries.filled(trying.forward(), drawn, layout, request)
    names = {name: dictionaries.parts(trying.forward(), name, value)
             for name, value in drawn.items() if isinstance(value, (dict, list, tuple))}
    return {**drawn, **{f"{name}.{key}": one for name, found in names.items()
                        for key, one in found.items()
                        if any(isinstance(other, np.ndarray) for other in found.values())}}


def _shapes_in(gradients):
    found = [*gradients.values()] if isinstance(gradients, dict) else gradients
    return ", ".join(str(np.shape(one)) for one in (
        found if isinstance(found, (tuple, list)) else [found]))


def _counts(module):
    """Numbers that the code knows: those at its top level first."""
    found = [value for value in vars(module).values() if type(value) is int]
    return [one for one in dict.fromkeys(found) if 1 < one <= guesses.LARGEST]
