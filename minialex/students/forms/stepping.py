"""One step of training code (units.Unit) that is run: what it takes off the weights is compared
with the derivative of a loss of its output.

The weights are what a step changes and its output depends on; the output is what is subtracted from
data, as in y − out. What the file did not get, such as its data, is drawn.
"""
import ast
import contextlib
import functools
import itertools
import math
import random
import time
import types
from collections.abc import Callable, Iterable

import numpy as np

from ...utils.table import times
from ..names import role
from ..reading import changes
from ..reading.files import TooSlow, at_most
from ..reading.rewriting import rewritten
from . import cutting, objects
from .explained import POINTS, UNCOMPARED, explained, is_margin
from .functions import Reading
from .layers import NotChecked
from .objects import at, put, rates
from .recording import Number, Record, has_several_classes, watched
from .spaces import spaces
from .units import Unit

PLACES = 2000  # shapes that are tried for the data
BRIEF = 0.5  # seconds of computing that one step may always take
ONE = 0.5  # of the time that is left: for one step
KEPT = 0.4  # of all the time: for the comparison


class Step:
    """A unit in a space of names: what it reads. data: names of the examples and targets; seconds:
    of computing, for one run."""

    seconds: float | None = None
    turned: dict = {}
    share = 1.0  # of its rates
    second: tuple | None = None  # where another output is compared

    def __init__(self, unit, module, space, data):
        self.module, self.space, self.data = module, space, data
        self.file, self.lost = getattr(module, "__file__", ""), unit.lost
        self.roots, self.labels, self.losses, self.code = _compiled(unit, self.file, tuple(data))

    def run(self, values: dict) -> tuple[Record, dict]:
        """(what was compared with the data, the names afterwards). values: {path: array}."""
        names, weights = vars(self.module), {}
        record = Record(self.file, lambda: all(
            np.array_equal(at(names, path), value) for path, value in weights.items()))
        space, saved = objects.clone(self.space), dict(names)
        for path, rate in rates(space) if self.share != 1 else ():
            put(space, path, rate * self.share)
        for path, value in values.items():
            _fill(space, path, value)
            if ".".join(map(str, path)) not in self.data:
                weights[path] = value
        for name in self.data:
            put(space, name.split("."), _watched(at(space, name.split(".")), record))
        np.random.seed(0), random.seed(0)
        try:
            names.update(space, __seen__=lambda value: _watched(value, record),
                         __taken__=record.taken, print=lambda *_, **__: None)
            with np.errstate(all="ignore"), at_most(self.seconds):
                exec(self.code, names)  # noqa: S102
            known = {*self.space, *self.losses} & names.keys()
            return record, {name: names[name] for name in known}
        finally:
            names.clear(), names.update(saved)

    def learn(self) -> None:
        """Find the weights, those that it leaves alone (missed), and the output. Raises NotChecked,
        or what the code raises."""
        paths = [path for path, array in objects.arrays(self.space)
                 if self.roots & set(map(str, path)) and ".".join(map(str, path)) not in self.data]
        both = []
        for seed in range(POINTS):  # most shapes end at the first
            values = {**self.draw(paths, seed), **self.draw([], 0)}  # a target may be an input
            both.append((values, self.run(values)))
        drawn, runs = zip(*both)
        self.wanted = [path for path in paths if np.shape(at(runs[0][1], path)) != np.shape(
            drawn[0][path]) or not np.array_equal(at(runs[0][1], path), drawn[0][path])]
        self.place = next((place for place in sorted(runs[0][0].entries, key=is_margin)
                           if _is_output([record.entries.get(place) for record, _ in runs])), None)
        if self.place is None and not any(map(_is_number, self.written(runs[0][1]).values())):
            raise NotChecked(UNCOMPARED)
        self.turned = self._turned(runs[0][0].entries.get(self.place, ()))
        self.second = self._second([record.entries for record, _ in runs])
        first, again = drawn[0], self.draw(paths, 1)
        now = self.output(*runs[0])[0]
        moving = [path for path in first if not np.array_equal(
            now, self.output(*self.run({**first, path: again[path]}))[0])]
        self.missed = {objects.label(path): (np.shape(first[path]), True) for path in moving
                       if path not in self.wanted and (path in paths or role(
                           str(path[-1]).rstrip("0123456789")) in ("w", "b"))}
        self.wanted = [path for path in self.wanted if path in moving]
        lost = [path for path in self.wanted if path[0] in self.lost]
        self.missed.update({objects.label(path): (np.shape(first[path]), True) for path in lost})
        self.wanted = [path for path in self.wanted if path not in lost]
        if any(np.shape(first[path]) != np.shape(at(runs[0][1], path)) for path in self.wanted):
            raise ValueError("a number becomes an array, with data in several columns")
        if not self.wanted:
            raise NotChecked("no array that it changes has an effect on its output")

    def is_compared_alike(self) -> bool:
        """Have targets and outputs one shape, but for axes of one, and examples one class each?"""
        record, _ = self.run(self.draw(self.wanted, 0))
        return all(np.size(one) == np.size(other) == np.broadcast(one, other).size
                   and not has_several_classes(one)
                   for one, other in record.entries.get(self.place, ()))

    def draw(self, paths, seed):
        """Random values of the weights, and of the examples that are no labels."""
        generator = np.random.default_rng([7, seed])
        values = {path: np.asarray(objects.sensible(np.shape(at(self.space, path)), generator))
                  for path in paths}
        for name in self.data:
            path = tuple(name.split("."))
            if name not in self.labels and at(self.space, path).dtype.kind == "f":
                drawn = generator.standard_normal(at(self.space, path).shape)
                is_positive = np.all(at(self.space, path) > 0)  # its logarithm may be taken
                values[path] = np.abs(drawn) + 0.5 if is_positive else drawn
        values.update((path, np.roll(at(self.space, path), -shift * (seed % 2), 0))
                      for path, shift in self.turned.items())
        return values

    def _turned(self, compared):
        """{path of labels: how far the next one is that is another}, if it is one example alone of
        which a step is run: what is right for a 1 may be wrong for a 0."""
        if [np.size(target) for target, _ in compared] != [1]:
            return {}
        found = {tuple(name.split(".")): at(self.space, name.split(".")) for name in self.labels}
        return {path: int(np.argmax(np.ravel(one) != np.ravel(one)[0])) for path, one in
                found.items() if np.ndim(one) and np.size(one) == len(one) > 1
                and set(np.ravel(one)) in ({0, 1}, {-1, 1})}

    def _times(self, entries, compared_at):
        """What each example's error is multiplied by, if it is some of the data: how good an action
        was."""
        compared = [one for _, one in entries.get(compared_at, ())]
        for place, found in entries.items() if compared else ():
            times = [times for times, error in found if place[0] and np.shape(error) == np.shape(
                compared[0]) and np.size(times) < np.size(error)
                and np.size(times) in (1, *np.shape(error))]
            if place != compared_at and len(times) == len(compared):
                return np.ravel(times)
        return None

    def written(self, after):
        """{name: value} of what is called a loss."""
        return {name: after.get(name) for name in self.losses}

    def output(self, record, after):
        """(output, target): of several examples in turn, one below the other. Where nothing was
        compared with the data the losses, and no target."""
        if self.place is None:
            return np.array([float(one) for one in self.written(after).values()
                             if _is_number(one)]), None
        found = self._found(record.entries, self.place)
        if self.second is None:
            return found
        both = found, self._found(record.entries, self.second)
        return np.concatenate([np.ravel(one) for one, _ in both]), tuple(
            (target, np.shape(one)) for one, target in both)

    def _found(self, entries, place):
        found = entries[place]
        both = [[np.atleast_1d(one[side]).astype(float) for one in found] for side in (1, 0)]
        both = [side[0] if len(found) == 1 else np.stack(side) for side in both]
        times = self._times(entries, place)
        return both[0], both[1] if times is None else (both[1], times)

    def _second(self, runs):
        """The place where another output is compared, if it is one other alone."""
        places = [place for place in runs[0] if self.place and place != self.place and not (
            place[0] or self.place[0]) and _is_output([entries.get(place) for entries in runs])
            and np.shape(runs[0][place][0][1]) != np.shape(runs[0][self.place][0][1])
            and not np.isin(runs[0][place][0][1], runs[0][self.place][0][1]).all()]  # a part of it
        return places[0] if len(places) == 1 else None

    def step(self, values, after):
        """{path: what it took off}"""
        found = {}
        for path in self.wanted:
            now = np.asarray(at(after, path), dtype=float)
            if now.shape != values[path].shape:
                raise ValueError(f"one step makes {objects.label(path)} of shape "
                                 f"{times(values[path].shape)} an array of shape "
                                 f"{times(now.shape)}")
            found[path] = values[path] - now
        return found


@functools.lru_cache(maxsize=16)
def _compiled(unit, file, data):
    """(names of the weights, the targets, the losses, code of one step): the same for all shapes of
    the data."""
    roots, labels = unit.roots(), cutting.targets_of(unit.body, data)
    labels |= {name for node in unit.before if changes.loads(node) & labels
               for name in changes.names_set(node) if name in data and isinstance(
                   node.targets[0], ast.Name)}  # signs = np.where(y > 0, 1, -1)
    labels |= cutting.chosen(unit.body) & {*data} if labels else set()
    body = cutting.cut(unit, roots, labels or set(data))
    made = {name for node in ast.walk(ast.Module(body, [])) for name in changes.names_set(node)}
    tree = ast.fix_missing_locations(ast.Module([_Returns().visit(node) for node in body], []))
    return ({root.rpartition(".")[2] for root in roots}, labels,
            sorted(filter(cutting.OF_LOSS.fullmatch, made)),
            compile(rewritten(tree, file), file, "exec"))


def _fill(space, path, value):
    """What has another name, too, as in a layer that was given it, keeps it."""
    there, value = at(space, path), np.array(value)
    if isinstance(there, np.ndarray) and (there.shape, there.dtype) == (value.shape, value.dtype):
        there[...] = value
    else:
        put(space, path, value)


class _Returns(ast.NodeTransformer):
    """What only a function can hold."""

    def visit_Return(self, node):
        return ast.copy_location(ast.Pass(), node)

    visit_Global = visit_Nonlocal = visit_Return

    def visit_FunctionDef(self, node):
        return node

    visit_Lambda = visit_ClassDef = visit_FunctionDef


def _watched(value, record):
    if isinstance(value, float) and not isinstance(value, Number):
        return Number(value, record, object())
    is_numbers = isinstance(value, np.ndarray) and value.dtype.kind in "fiu"
    return watched(value, record) if is_numbers else value


def _is_number(value):
    return isinstance(value, (float, np.floating)) and np.isfinite(value)


def _is_output(entries):
    """Is it something that changes with the weights, compared with something that does not?"""
    if None in entries or len({len(one) for one in entries}) > 1:
        return False
    (first, *_), (other, *_) = entries[0], entries[1]
    return np.shape(first[1]) == np.shape(other[1]) and not np.array_equal(
        first[1], other[1]) and np.array_equal(first[0], other[0])


def prepared(unit: Unit, module: types.ModuleType, things: Iterable,
             left: Callable) -> Step:
    """The unit, or what is around it, in the first space in which a step of it is understood.
    Raises NotChecked."""
    things, again = itertools.tee(things)
    try:
        return _prepared(unit, module, things, left)
    except NotChecked:
        if unit.whole is None:
            raise
        with contextlib.suppress(NotChecked):
            return _prepared(unit.whole._replace(outside=unit.outside, owner=unit.owner,
                                                 states=unit.states), module, again, left)
        raise


def _prepared(unit, module, things, left):
    first, slow, unit = None, None, cutting.apart(cutting.needed(unit), module)
    for space, data, is_drawn in itertools.islice(spaces(unit, module, things), PLACES):
        if (seconds := left(KEPT)) <= 0 and first is not None:
            break
        try:
            step = Step(unit, module, space, data)
            step.seconds = max(BRIEF, ONE * seconds)
            step.learn()
            if is_drawn and not step.is_compared_alike():
                raise ValueError("targets of another shape than the output")
            return step
        except (MemoryError, RecursionError):
            raise
        except TooSlow:  # with other shapes it may be faster
            first = slow = slow or NotChecked(f"one step of it takes more than {step.seconds:.2g} "
                                              "s: a longer --timeout may do")
        except Exception as error:  # other shapes may fit
            if first is None or isinstance(error, NotChecked) >= isinstance(first, NotChecked):
                first = slow or error
    if isinstance(first, NotChecked):
        raise first
    said = f"{type(first).__name__}: {first}" if first is not None else "nothing to run"
    raise NotChecked(f"one step of it does not run with what is drawn ({said})")


# ------------------------------------------------------------------------------------ the readings


def readings(name: str, unit: Unit, module: types.ModuleType,
             things: Iterable = (None,), left: Callable = lambda share: math.inf) -> list[Reading]:
    """The step as the gradient of each loss that it may be that of, those that explain most
    first. things: objects, of a method; left(share): seconds until no more than that share of
    the time is left. Raises NotChecked."""
    step = prepared(unit, module, things, left)
    began = time.process_time()
    step.run(step.draw(step.wanted, 0))
    cost, runs = time.process_time() - began, POINTS * (1 + 2 * len(step.wanted))
    if cost * runs > max(BRIEF, left(KEPT)):
        raise NotChecked(f"one step of it takes {cost:.2g} s, and {runs} are needed at least: a "
                         "longer --timeout may do")
    return explained(name, step)
