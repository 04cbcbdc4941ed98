"""What a picture of a check shows, measured: one derivative for many step sizes, and every entry's
error.

    error(h) = |(L(x + h) − L(x − h)) / 2h − L'(x)|        truncation h²·|L'''|/6  +  rounding about
                                                           ε·|L|/h

The best h lies where both are equal, h³ = 3·ε·|L| / |L'''|. L' itself comes from Ridders' method:
central differences for ever smaller h, extrapolated to h = 0 (Advances in Engineering Software 4,
1982).
"""
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..device import to_numpy
from .probing import Entry, Point, quick
from .sampling import index_of
from .tensor_function import Checked

EXPONENTS = np.arange(-12, 0.01, 0.25)  # of ten, times an entry's unit
MOST = 5000  # entries whose error is measured one by one
CLOSE = 1e-5  # the step of that measurement, times an entry's unit


class Sweep(NamedTuple):
    """One entry: `steps` h, the central difference's error for each, the extrapolated derivative
    and the analytic one."""

    name: str
    index: tuple
    steps: np.ndarray
    errors: np.ndarray
    numeric: float
    analytic: float


class Map(NamedTuple):
    """numeric, analytic: arrays of the tensor's shape; NaN where nothing was measured. numeric is
    None where the analytic one has another shape: there is nothing to compare."""

    name: str
    numeric: np.ndarray
    analytic: np.ndarray


def measure(subject: Checked, cotangent: np.ndarray, rows: list) -> tuple[Sweep, list[Map]]:
    """(Sweep, [Map, ...]) of the wrong rows, or of all when none is wrong; the sweep of the one
    with the largest gradient."""
    point = Point(subject, subject.originals, cotangent)
    gradients = [np.zeros(tensor.shape) if gradient is None else to_numpy(gradient)
                 for tensor, gradient in zip(subject.tensors, point.gradients)]
    shown = [i for i, row in enumerate(rows) if not row.is_correct] or list(range(len(rows)))
    numeric = {i: _numeric(point, i) for i in shown}
    which = max(shown, key=lambda i: np.nanmax(abs(numeric[i])))
    index = rows[which].index
    if rows[which].is_correct or index is None:
        index = index_of(np.nanargmax(abs(numeric[which])), numeric[which].shape)
    maps = [Map(rows[i].name, numeric[i] if gradients[i].shape == numeric[i].shape else None,
                gradients[i]) for i in shown]
    return _sweep(point, which, index, gradients[which]), maps


def _sweep(point, which, index, gradient):
    probe = Entry(point, which, index)
    steps = 10.0 ** EXPONENTS
    found = np.array([quick(point, probe, step)[0] for step in steps])
    exact = ridders(lambda step: quick(point, probe, step)[0], 0.03)
    analytic = float(gradient[index]) if gradient.shape == probe.array.shape else float("nan")
    return Sweep(point.subject.names[which], index, probe.unit * steps, abs(found - exact), exact,
                 analytic)


def _numeric(point, which):
    shape = point.bases[which].shape
    numeric = np.full(shape, np.nan)
    positions = (range(numeric.size) if numeric.size <= MOST
                 else np.random.default_rng(0).integers(numeric.size, size=200))
    for index in (index_of(position, shape) for position in positions):
        numeric[index] = quick(point, Entry(point, which, index), CLOSE)[0]
    return numeric


def ridders(central: Callable[[float], float], step: float, shrink: float = 1.4,
            most: int = 14) -> float:
    """The derivative to which central(h) tends: extrapolated with all powers of h², as long as that
    changes it less and less."""
    table, best, smallest = [], float("nan"), float("inf")
    for level in range(most):
        row = [central(step / shrink ** level)]
        for order in range(1, level + 1):
            factor = shrink ** (2 * order)
            row.append((factor * row[-1] - table[-1][order - 1]) / (factor - 1))
            change = max(abs(row[-1] - row[-2]), abs(row[-1] - table[-1][order - 1]))
            if change <= smallest:
                best, smallest = row[-1], change
        table.append(row)
    return best


def slopes(sweep: Sweep) -> tuple[float | None, float | None, float]:
    """(a, b, h): error ≈ a·h² for large steps and b/h for small ones, and the best step, where the
    two meet. None for what does not show: a function that is a straight line along this entry has
    no truncation."""
    h, error = sweep.steps, np.maximum(sweep.errors, 1e-300)
    slope = np.gradient(np.log(error), np.log(h))
    bottom = int(np.argmin(np.convolve(np.log(error), np.ones(3) / 3, mode="same")[1:-1])) + 1
    rising = (np.arange(len(h)) > bottom) & (abs(slope - 2) < 0.3) & (sweep.errors > 0)
    a = float(np.median(error[rising] / h[rising] ** 2)) if rising.sum() >= 3 else None
    falling = (np.arange(len(h)) < bottom) & (sweep.errors > 0)
    b = (float(np.exp(np.median(np.log(error[falling] * h[falling])))) if falling.sum() >= 4
         else None)
    return a, b, (b / (2 * a)) ** (1 / 3) if a and b else float(h[bottom])
