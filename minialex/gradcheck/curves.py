"""What a picture of a check shows, measured: one derivative for many step sizes, and every entry's error.

    error(h) = |(L(x + h) − L(x − h)) / 2h − L'(x)|        truncation h²·|L'''|/6  +  rounding about ε·|L|/h

The best h lies where both are equal, h³ = 3·ε·|L| / |L'''|. L' itself comes from Ridders' method: central differences for
ever smaller h, extrapolated to h = 0 (Advances in Engineering Software 4, 1982).
"""
from typing import NamedTuple

import numpy as np

from ..device import array_module, to_numpy

EXPONENTS = np.arange(-12, 0.01, 0.25)  # of ten, times an entry's unit
MOST = 5000  # entries whose error is measured one by one
CLOSE = 1e-5  # the step of that measurement, times an entry's unit


class Sweep(NamedTuple):
    """One entry: `steps` h, the central difference's error for each, the extrapolated derivative and the analytic one."""

    name: str
    index: tuple
    steps: np.ndarray
    errors: np.ndarray
    numeric: float
    analytic: float


class Map(NamedTuple):
    """numeric, analytic: arrays of the tensor's shape; NaN where nothing was measured. numeric is None where the analytic
    one has another shape: there is nothing to compare."""

    name: str
    numeric: np.ndarray
    analytic: np.ndarray


def measure(subject, cotangent, rows):
    """(Sweep, [Map, ...]) of the wrong rows, or of all when none is wrong; the sweep of the one with the largest gradient."""
    subject.go_back()
    gradients = [np.zeros(tensor.shape) if gradient is None else to_numpy(gradient)
                 for tensor, gradient in zip(subject.tensors, subject.gradients(cotangent))]
    shown = [i for i, row in enumerate(rows) if not row.is_correct] or list(range(len(rows)))
    numeric = {i: _numeric(subject, cotangent, i) for i in shown}
    which = max(shown, key=lambda i: np.nanmax(abs(numeric[i])))
    index = rows[which].index
    if rows[which].is_correct or index is None:
        index = tuple(int(i) for i in np.unravel_index(np.nanargmax(abs(numeric[which])), numeric[which].shape))
    maps = [Map(rows[i].name, numeric[i] if gradients[i].shape == numeric[i].shape else None, gradients[i]) for i in shown]
    return _sweep(subject, cotangent, which, index, gradients[which]), maps


def _sweep(subject, cotangent, which, index, gradient):
    unit = _unit(subject, which, index)
    steps = unit * 10.0 ** EXPONENTS
    found = np.array([_central(subject, cotangent, which, index, step) for step in steps])
    exact = ridders(lambda step: _central(subject, cotangent, which, index, step), 0.03 * unit)
    analytic = float(gradient[index]) if gradient.shape == subject.tensors[which].shape else float("nan")
    return Sweep(subject.names[which], index, steps, abs(found - exact), exact, analytic)


def _numeric(subject, cotangent, which):
    shape = subject.tensors[which].shape
    numeric = np.full(shape, np.nan)
    indices = list(np.ndindex(shape)) if numeric.size <= MOST else [
        np.unravel_index(i, shape) for i in np.random.default_rng(0).integers(numeric.size, size=200)]
    for index in indices:
        numeric[index] = _central(subject, cotangent, which, index, CLOSE * _unit(subject, which, index))
    return numeric


def _unit(subject, which, index):
    original = subject.originals[which]
    return max(abs(float(original[index])), float((original ** 2).mean()) ** 0.5) or 1.0


def _central(subject, cotangent, which, index, step):
    array, value = subject.tensors[which].data, float(subject.originals[which][index])
    with np.errstate(all="ignore"):
        array[index] = value + step
        plus = subject.output()
        array[index] = value - step
        minus = subject.output()
    array[index] = value
    return float((array_module(plus).asarray(cotangent) * (plus - minus)).sum()) / (2 * step)


def ridders(central, step, shrink=1.4, most=14):
    """The derivative to which central(h) tends: extrapolated with all powers of h², as long as that changes it less and
    less."""
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


def slopes(sweep):
    """(a, b, h): error ≈ a·h² for large steps and b/h for small ones, and the best step, where the two meet. None for what
    does not show: a function that is a straight line along this entry has no truncation."""
    h, error = sweep.steps, np.maximum(sweep.errors, 1e-300)
    slope = np.gradient(np.log(error), np.log(h))
    bottom = int(np.argmin(np.convolve(np.log(error), np.ones(3) / 3, mode="same")[1:-1])) + 1
    rising = (np.arange(len(h)) > bottom) & (abs(slope - 2) < 0.3) & (sweep.errors > 0)
    a = float(np.median(error[rising] / h[rising] ** 2)) if rising.sum() >= 3 else None
    falling = (np.arange(len(h)) < bottom) & (sweep.errors > 0)
    b = float(np.exp(np.median(np.log(error[falling] * h[falling])))) if falling.sum() >= 4 else None
    return a, b, (b / (2 * a)) ** (1 / 3) if a and b else float(h[bottom])
