"""One numeric derivative, and what it is worth.

    L(x) = Σ cotangent · output
    numeric = (L(x + h) − L(x − h)) / 2h            right − left = (L(x + h) − 2·L(x) + L(x − h)) /
                                                    h

The central difference errs by h²·L'''/6 (truncation) and by rounding, about 10⁻¹⁶·|L|/h. One step
size cannot tell either from a wrong gradient, and none from a kink. So an entry that does not agree
at once is looked at with ever smaller steps: where the function is smooth, right − left shrinks
with h; at a kink (ReLU at 0, a tie in max-pooling) it stays, and any gradient between the left and
the right derivative is as good as any other.

Outputs are subtracted before they are summed: those that do not depend on the entry then cancel
without rounding.
"""
from typing import NamedTuple

import numpy as np

from ..device import array_module

DOUBLE = float(np.finfo(np.float64).eps)
# times the first step: the last is about 4·10⁻⁹ of an entry's unit
STEPS = (1, 1 / 30, 1 / 900, 1 / 27000)


class Place:
    """Values of all inputs, written into the subject. scales: the size of a typical entry of
    each."""

    def __init__(self, subject, bases):
        self.subject, self.bases = subject, bases
        self.scales = [root_mean_square(base) or 1.0 for base in bases]
        subject.put(bases)


class Point(Place):
    """A place with its output, a cotangent, and the gradients of one backward pass."""

    def __init__(self, subject, bases, cotangent):
        super().__init__(subject, bases)
        self.cotangent = cotangent
        self.output = subject.output()
        self.gradients = subject.gradients(cotangent)
        self.size_of_loss = _norm(cotangent * self.output)
        self.size_of_output = self.size_of_loss / _norm(cotangent)

    def is_finite(self) -> bool:
        return bool(array_module(self.output).isfinite(self.output).all())


class Entry:
    """Move one entry of one tensor. unit: its own size, or that of a typical entry if it is
    small."""

    def __init__(self, place, which, index):
        self.which, self.array, self.index = which, place.subject.tensors[which].data, index
        self.value = float(self.array[index])
        self.unit = max(abs(self.value), place.scales[which])

    def steps(self, eps: float) -> list[float]:
        """From large to small; for an entry far smaller than its neighbours, at last within its own
        size (1/x at 10⁻⁷)."""
        own = abs(self.value)
        small = [eps * own, eps * own / 30] if 0 < own < self.unit / 1000 else []
        return sorted([eps * self.unit * factor for factor in STEPS] + small, reverse=True)

    def move(self, distance: float) -> None:
        self.array[self.index] = self.value + distance

    def analytic(self, gradient: np.ndarray | None) -> tuple[float, float]:
        """(the derivative, its usual size)"""
        value = 0.0 if gradient is None else float(gradient[self.index])
        return value, abs(value)


class Direction:
    """Move a whole tensor along `direction`, an array of its shape."""

    def __init__(self, place, which, direction):
        self.which, self.array, self.base = (which, place.subject.tensors[which].data,
                                             place.bases[which])
        self.direction = array_module(self.array).asarray(direction)
        self.unit = place.scales[which]

    def steps(self, eps: float) -> list[float]:
        return [eps * self.unit * factor for factor in STEPS]

    def move(self, distance: float) -> None:
        array_module(self.array).multiply(self.direction, distance, out=self.array)
        self.array += self.base

    def analytic(self, gradient: np.ndarray | None) -> tuple[float, float]:
        """(the derivative Σ gradient · direction, its usual size: the root of the sum of squares,
        since terms cancel)"""
        if gradient is None:
            return 0.0, 0.0
        terms = gradient * self.direction
        return float(terms.sum()), _norm(terms)


class Comparison(NamedTuple):
    """Numeric against analytic. outcome: "equal", "wrong", "kink" (excused), "wrong at a kink" or
    "undecided"."""

    outcome: str
    numeric: float
    analytic: float
    error: float  # |numeric − analytic| / max(|numeric|, |analytic|, floor)
    # of an "equal" one: an error larger than this would have been called wrong
    resolution: float = float("inf")


class _Derivative(NamedTuple):
    step: float
    numeric: float
    low: float  # Σ over the outputs of the smaller of their left and right derivatives
    high: float
    jump: float  # right − left
    noise: float  # what rounding may have done to them


def quick(point: Point, probe: Entry | Direction, eps: float) -> tuple[float, float]:
    """(the central difference, right − left) with the first step: two forward passes."""
    step = eps * probe.unit  # as in Comparing.compare_entries
    plus, minus = sides(point, probe, step)
    central = float((point.cotangent * (plus - minus)).sum()) / (2 * step)
    plus -= point.output
    minus -= point.output
    return central, float((point.cotangent * (plus + minus)).sum()) / step


def looks_smooth(jump: float, numeric: float, analytic: float, floor: float) -> bool:
    """Is right − left so small that it can be curvature? At a kink the central difference is the
    mean of left and right, and a gradient that happens to be just that proves nothing."""
    return abs(jump) <= 0.01 * max(abs(numeric), abs(analytic), floor)


def relative_error(numeric: float, analytic: float, floor: float) -> float:
    """|numeric − analytic|, relative to the larger of both, but at least to `floor`: what is
    nothing beside its neighbours need not be right to six digits. NaN counts as infinitely
    wrong."""
    difference = abs(numeric - analytic)
    if difference == 0:
        return 0.0
    error = difference / max(abs(numeric), abs(analytic), floor)
    return error if error == error else float("inf")


def examine(point: Point, probe: Entry | Direction, floor: float, rtol: float, eps: float,
            unit: float = DOUBLE) -> Comparison:
    """A Comparison along `probe`, with smaller steps until numeric and analytic agree or the reason
    is plain."""
    analytic, usual = probe.analytic(point.gradients[probe.which])
    floor = max(floor, usual)
    tried, moved = [], False
    for step in probe.steps(eps):
        found, moved = _measure(point, probe, step, moved, unit)
        if not np.isfinite(found.numeric):
            continue
        error = relative_error(found.numeric, analytic, floor)
        agrees = error <= rtol and looks_smooth(found.jump, found.numeric, analytic, floor)
        if agrees and (not tried or _outweighs_rounding(found, tried[0], analytic, floor, rtol)):
            return Comparison("equal", found.numeric, analytic, error,
                              _resolution(found, analytic, floor, rtol))
        tried.append(found)
    if len(tried) < 2 or not np.isfinite(analytic):
        outcome = "undecided" if np.isfinite(analytic) else "wrong"
        return Comparison(outcome, tried[-1].numeric if tried else float("nan"), analytic,
                          float("inf"))
    return _judge(tried, analytic, floor, rtol)


def _outweighs_rounding(found, first, analytic, floor, rtol):
    """Does agreement with a smaller step explain away that the first one did not agree? Not where
    rounding alone is as large as that: beside a large constant, the smallest steps do not move the
    output, and zero looks right."""
    gap = max(abs(first.numeric - analytic), abs(first.jump))
    return found.noise <= max(0.1 * gap, rtol * max(abs(found.numeric), abs(analytic), floor))


def _resolution(found, analytic, floor, rtol):
    """An upper limit for the smallest error that _judge would have proven: the tolerance, three
    times the uncertainty (the truncation that a step 30 times smaller shows, below the tolerance
    since this step agrees, and the rounding of that step, 30 times this one's), and a little
    more."""
    return 4 * rtol * max(abs(found.numeric), abs(analytic), floor) + 100 * found.noise


def _judge(tried, analytic, floor, rtol):
    """A kink shows in the two smallest steps or, where rounding drowns those, in the two
    neighbouring steps that agree best. If the function is smooth, those give the value; their
    difference and rounding its uncertainty."""
    def tolerance(numeric):
        return rtol * max(abs(numeric), abs(analytic), floor)

    pairs = list(zip(tried, tried[1:]))
    best = min(pairs, key=lambda pair: abs(pair[0].numeric - pair[1].numeric) + pair[1].noise)
    for coarse, fine in (pairs[-1], best):
        ratio = coarse.step / fine.step
        # what is left of right − left when its part ~ h is taken out
        jump = (ratio * fine.jump - coarse.jump) / (ratio - 1)
        allowed = tolerance(fine.numeric) + fine.noise
        if abs(jump) > allowed:
            # 0, as of a mask x > 0 beside a mask x < 0, is as good: there is no derivative
            between = fine.low - allowed <= analytic <= fine.high + allowed or analytic == 0
            error = relative_error(fine.numeric, analytic, floor)
            return Comparison("kink" if between else "wrong at a kink", fine.numeric, analytic,
                              error)
    uncertainty, numeric = abs(best[0].numeric - best[1].numeric) + best[1].noise, best[1].numeric
    proven = abs(numeric - analytic) > tolerance(numeric) + 3 * uncertainty
    return Comparison("wrong" if proven else "undecided", numeric, analytic,
                      relative_error(numeric, analytic, floor))


def _measure(point, probe, step, moved, unit):
    """(a _Derivative, which outputs move). moved: those that a larger step has moved; rounding may
    hold them back now."""
    plus, minus = sides(point, probe, step)
    xp, c = array_module(plus), point.cotangent
    right, left = c * (plus - point.output) / step, c * (point.output - minus) / step
    moved = moved | (right != 0) | (left != 0)
    touched = _norm(c * point.output * moved)
    return _Derivative(step, float((right + left).sum()) / 2, float(xp.minimum(left, right).sum()),
                       float(xp.maximum(left, right).sum()), float((right - left).sum()),
                       8 * unit * touched / step), moved


def sides(place: Place, probe: Entry | Direction, step: float) -> tuple[np.ndarray, np.ndarray]:
    """The outputs a step above and a step below."""
    place.subject.foresee([(probe, step)])
    try:
        # a step may leave the domain of a logarithm; a smaller one will not
        with np.errstate(all="ignore"):
            probe.move(step)
            plus = place.subject.output()
            probe.move(-step)
            return plus, place.subject.output()
    finally:
        probe.move(0.0)


def root_mean_square(array: np.ndarray) -> float:
    """√(mean of squares): the size of an array's values."""
    return _norm(array) / array.size ** 0.5


def _norm(array):
    """Not by BLAS: on a busy machine its threads wait for each other, 35 ms for 20,000 numbers."""
    flat = array.reshape(-1)
    return float(array_module(array).einsum("i,i->", flat, flat)) ** 0.5
