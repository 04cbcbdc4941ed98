"""Training that is run as it is, and observed: what its forward pass is given the second time
differs from what it was given the first time in the weights, and by how much says what one step
took off them.

    net.fit(X, y, epochs=3)     forward(X)   before: {("self", "W"): …}
                                …            whatever computes gradients, in whatever form
                                forward(X)   after: {("self", "W"): …}

Nothing is read for that but what is called. To move a weight, training begins anew, and has the
weight put in where its forward pass begins.
"""
import contextlib
import copy
import io
import itertools
import math
import random
import time
import types
from collections.abc import Callable, Iterator

import numpy as np

from ...gradcheck.tensor_function import frozen
from ..names import role
from ..reading.files import at_most
from . import explained, losses, objects
from .layers import NotChecked
from .watch import DATA, Over, Watch

LONGEST, SHORTEST = 1.0, 0.05  # seconds of computing for one step
PASSES = 6  # functions that may be the forward pass
PAIRS = 12  # of outputs and targets


class Uninvolved(NotChecked):
    """What trains does not use what is checked."""


class Observed:
    """One step of training that is run: a step as explained.py asks for it. drive: trains; code,
    span: which calls are the forward pass; shapes: {path: shape} of what a step changes."""

    def __init__(self, module: types.ModuleType, drive: Callable, code: types.CodeType,
                 span: tuple, shapes: dict) -> None:
        self.module, self.drive, self.code, self.span = module, drive, code, span
        self.shapes, self.wanted, self.known, self.penalties = shapes, [*shapes], {}, {}
        self.file, self.space, self.data, self.turned = module.__file__, {}, (), {}
        self.losses, self.place, self.second, self.missed, self.stepped = [], None, None, {}, []
        self.until = math.inf  # further steps after this computing time

    def draw(self, paths, seed):
        """Random values of the weights."""
        generator = np.random.default_rng([7, seed])
        return {path: np.asarray(objects.sensible(self.shapes[path], generator)) for path in paths}

    def run(self, values):
        """(a Watch of one step from these weights, {path: the weight afterwards})."""
        key = tuple((path, np.asarray(values[path]).tobytes()) for path in sorted(values, key=str))
        if key not in self.known:
            if time.process_time() > self.until:
                raise NotChecked("its time went by")
            watch = Watch(self.module, self.code, self.span, values)
            run(self.drive, watch, self.until - time.process_time())
            if watch.after is None:
                raise ValueError("it ends before its second step")
            self.known[key] = watch, watch.after
            if len(self.known) > 400:
                self.known.pop(next(iter(self.known)))
        watch, after = self.known[key]
        return watch, {**after, "told": watch.told}

    def output(self, watch, _):
        """(output, target)"""
        return (None, None) if self.place is None else (
            watch.seen[self.place[1]], watch.seen[self.place[2]])

    def written(self, after):
        """{name: value} of what returned a number."""
        return after["told"]

    def step(self, values, after):
        """{path: what it took off, but for a penalty}"""
        return {path: values[path] * (1 - self.penalties.get(path, 0.0)) - after[path]
                for path in self.wanted}

    def learn(self) -> None:
        """Find the weights: what moves an output. Raises NotChecked."""
        first, again = self.draw(self.wanted, 0), self.draw(self.wanted, 1)
        moved: dict = {}  # {output: the paths that move it}
        turns = (first, again), (again, first)
        for path, (start, turned) in itertools.product(self.wanted, turns):
            (before, then), (now, after) = self.run(start), self.run({**start, path: turned[path]})
            if not _is_kept(start[path] - turned[path], then[path] - after[path]):
                continue  # it is computed anew
            for name, one in before.seen.items():
                other = now.seen.get(name)
                if np.shape(other) == one.shape and one.dtype.kind == "f" and np.isfinite(
                        one).all() and not np.array_equal(one, other):
                    moved.setdefault(name, {})[path] = True  # a unit may be off at one of them
        # what a weight is kept as moves with itself alone
        most = max(map(len, moved.values()), default=0)
        outputs = [name for name, paths in moved.items() if len(paths) == most
                   and name not in self.wanted]
        if not outputs:
            raise NotChecked("no array that it changes has an effect on its output")
        self.wanted = [path for path in self.wanted if path in moved[outputs[0]]]
        self.base, other = (self.run(self.draw(self.wanted, seed))[0] for seed in (0, 1))
        self.losses = [name for name, value in self.base.told.items()
                       if other.told.get(name) not in (None, value) and np.isfinite(value)]
        targets = [name for name, one in self.base.seen.items() if np.array_equal(
            one, other.seen.get(name, np.nan))]
        self.targets = sorted(targets, key=lambda name: role(str(name[-1])) != "labels")
        self.outputs = sorted(outputs, key=lambda name: name[0] != "returned")

    def places(self) -> Iterator[tuple]:
        """(False, output, target) of those that may be compared, each once."""
        seen: list = []
        for output, name in itertools.product(self._each(self.outputs), self._each(self.targets)):
            y, t = self.base.seen[output], self.base.seen[name]
            if t.size == y.size or t.dtype.kind in "iu" and t.ndim < 2 and y.ndim > 0 and (
                    t.size in y.shape or t.size == 1):
                seen.append(name)
                yield False, output, name
            if len(seen) == PAIRS:
                return

    def _each(self, names):
        """The first of those that hold the same."""
        found: dict = {}
        for name in names:
            one = self.base.seen[name]
            found.setdefault((one.shape, one.astype(float).tobytes()), name)
        return found.values()

    def penalised(self, points: list, every: list) -> dict:
        """{path: λ}: λ times the weight itself is taken off, too, which a loss has nothing of.
        every: losses; that which explains most weights so is meant."""
        along = [self._along(seed) for seed in range(len(points))]
        found = [self._with_penalty(points, loss, along) for loss in every]
        return max(found, key=len, default={})

    def _along(self, seed):
        """{path: how much of the weight lies along the direction that was looked at}"""
        values, generator = self.draw(self.wanted, seed), np.random.default_rng([3, seed])
        return {path: float((value * generator.standard_normal(value.shape)).sum())
                for path, value in values.items()}

    def _with_penalty(self, points, loss, along):
        found: dict = {}
        for path in self.wanted:
            try:
                slopes = [(losses.value_of(loss, plus) - losses.value_of(loss, minus))
                          / (2 * losses.H) for _, (plus, minus) in (one[path] for one in points)]
            except Exception:  # it is none of this output
                return {}
            both = np.array([slopes, [one[path] for one in along]]).T
            taken = np.array([one[path][0] for one in points])
            if not np.isfinite(both).all():
                return {}
            (factor, penalty), *_ = np.linalg.lstsq(both, taken, rcond=None)
            if factor > 0 and abs(both @ (factor, penalty) - taken).max() < 1e-4 * abs(taken).max():
                found[path] = factor, float(f"{penalty:.3g}") if penalty > 1e-6 * factor else 0.0
        factors = [factor for factor, _ in found.values()]
        best = max(factors, key=lambda one: sum(abs(one - other) < 1e-2 * one for other in factors),
                   default=0.0)
        return {path: penalty for path, (factor, penalty) in found.items()
                if abs(factor - best) < 1e-2 * best}


def _is_kept(moved, now):
    """Is it after a step where it was put, but for the step?"""
    return abs(float((moved * now).sum())) > 0.3 * float((moved * moved).sum())


def run(drive: Callable, watch: Watch, seconds: float) -> None:
    """Train in silence, from the same random numbers, until enough was seen, or so many seconds
    went by."""
    names = vars(watch.module)
    saved = dict(names)
    names.update(_again({name: value for name, value in names.items() if name[:2] != "__" and (
        isinstance(value, DATA) or type(value).__module__ == watch.module.__name__)}))
    try:
        with (contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(
                io.StringIO()), np.errstate(all="ignore"), frozen(),
              contextlib.suppress(Over)):
            np.random.seed(0), random.seed(0)
            with watch, at_most(min(LONGEST, max(seconds, SHORTEST))):
                drive()
    finally:
        names.clear(), names.update(saved)


def _again(data):
    """The same, such that nothing that training changes in it reaches the next time."""
    with contextlib.suppress(Exception):  # an object may allow no copies
        return copy.deepcopy(data)
    return {}


def best(name: str, module: types.ModuleType, drive: Callable,
         involved: set[types.CodeType], seconds: float) -> tuple[float, Observed]:
    """(which part of its weights the best loss explains, the step). involved: functions of which
    one must be called; seconds: of computing, for all. Raises NotChecked, or what the training
    raises."""
    until = time.process_time() + seconds
    watch, problem = Watch(module), None
    try:
        run(drive, watch, seconds)
    except Exception as error:  # it may be what comes after the first steps
        problem = error
    if involved and not involved & watch.calls.keys():
        raise problem or Uninvolved(f"{name} trains something else")
    found: dict = {}
    for code, span, shapes in itertools.islice(_passes(watch), PASSES):
        step = Observed(module, drive, code, span, shapes)
        step.until = until
        try:
            step.learn()
            for place in step.places():
                step.place = place
                part = _explained(name, step)
                if part > max(found, default=0):
                    found[part] = step, place, dict(step.penalties)
                if part == 1:
                    break
        except MemoryError:
            raise
        except Exception:  # this is not the forward pass
            continue
        if 1 in found:
            break
    if not found:
        raise problem or NotChecked(f"what one step of {name} takes off the weights is the "
                                    "gradient of none of the usual losses")
    part = max(found)
    step, step.place, step.penalties = found[part]
    step.until = math.inf
    return part, step


def _explained(name, step):
    """Which part of its weights the best loss explains, those with a penalty, too."""
    step.penalties = {}
    found, points = explained.ranked(name, step)
    fit = found[0][0][0]
    if fit < len(step.wanted):
        step.penalties = step.penalised(points, [loss for _, _, loss, _ in found])
        if len(step.penalties) > max(fit, 1) and any(step.penalties.values()):
            fit = explained.ranked(name, step)[0][0][0][0]
        else:
            step.penalties = {}
    return fit / len(step.wanted)


def _passes(watch):
    """(code, numbers of its first call and its last one, {path: shape of what is another one after
    that}) of each function: one of them is the forward pass of a step."""
    first, *others = watch.calls.items()
    for code, calls in [*others, first]:  # what is called first of all trains
        seen: set = set()
        for one, other in zip(calls, calls[1:]):
            changed = {path: value.shape for path, value in one.before.items()
                       if np.shape(other.before.get(path)) == value.shape
                       and path in other.before and not np.array_equal(value, other.before[path])
                       and not (len(path) == 1 and role(path[0]) in ("x", "labels"))}
            if not seen.issuperset(changed):
                seen |= {*changed}
                yield code, (0, one.number), changed
