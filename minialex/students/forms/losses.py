"""The losses that a network may have where nobody wrote one down."""
from typing import Any

import numpy as np

from ..called.numpy_code import prepared_code
from ..reading.usual import softmax
from .functions import Reading


def _cross_entropy(y, t, of_both=False):
    """−Σ t log y; of_both: of each output as a class and its opposite."""
    t = np.eye(np.shape(y)[-1])[t] if np.ndim(t) < np.ndim(y) else t
    p = np.clip(y, 1e-12, 1 - 1e-12)
    if np.any((y != p) if of_both else (y < p) & (t != 0)):
        return np.nan  # what is clipped moves nothing: these inputs show no mistake
    return -(t * np.log(p) + of_both * (1 - t) * np.log(1 - p)).sum()


def _aligned(loss):
    """The loss of an output and a target of the same numbers in another shape: y of N for N×1,
    examples in rows for columns."""
    def of(y_pred, y_true):
        y, t = y_pred, y_true
        if isinstance(t, int) and np.ndim(y):  # the class of one example
            t = np.eye(np.size(y))[t].reshape(np.shape(y))
        if np.shape(t) == np.shape(y)[::-1]:
            t = np.transpose(t)
        elif np.size(t) == np.size(y):
            t = np.reshape(t, np.shape(y))
        elif np.ndim(t) == 1 and len(y) != len(t):  # classes of columns
            y = y.T
        if np.ndim(t) == 1 and np.shape(y)[1:] > (1,) and np.asarray(t).dtype.kind in "iu":
            t = np.eye(np.shape(y)[-1])[t]
        return loss(y, t)
    return of


LOSSES = {
    "½ Σ (output − target)²": lambda y, t: ((y - t) ** 2).sum() / 2,
    "Σ (output − target)²": lambda y, t: ((y - t) ** 2).sum(),
    "½ Σ (output − target)² / N": lambda y, t: ((y - t) ** 2).sum() / 2 / len(y),
    "Σ (output − target)² / N": lambda y, t: ((y - t) ** 2).sum() / len(y),
    "mean (output − target)²": lambda y, t: ((y - t) ** 2).mean(),
    "½ mean over the columns, Σ (output − target)²":
        lambda y, t: ((y - t) ** 2).sum() / 2 / np.shape(y)[-1],
    "binary cross entropy": lambda y, t: _cross_entropy(y, t, of_both=True),
    "binary cross entropy / N": lambda y, t: _cross_entropy(y, t, of_both=True) / len(y),
    "mean binary cross entropy": lambda y, t: _cross_entropy(y, t, True) / np.size(y),
    "binary cross entropy / the number of columns":
        lambda y, t: _cross_entropy(y, t, of_both=True) / np.shape(y)[-1],
    "cross entropy of the softmax": lambda y, t: _cross_entropy(softmax(y), t),
    "cross entropy of the softmax / N":
        lambda y, t: _cross_entropy(softmax(y), t) / len(y),
    "cross entropy": lambda y, t: _cross_entropy(y, t),
    "cross entropy / N": lambda y, t: _cross_entropy(y, t) / len(y),
    "cross entropy / the number of columns":
        lambda y, t: _cross_entropy(y, t) / np.shape(y)[-1],
    "cross entropy of the columns' softmax":
        lambda y, t: _cross_entropy(softmax(y.T), np.transpose(t)),
    "cross entropy of the columns' softmax / their number":
        lambda y, t: _cross_entropy(softmax(y.T), np.transpose(t)) / np.shape(y)[-1],
}
LOSSES = {words: _aligned(loss) for words, loss in LOSSES.items()}
# of targets −1 and 1, by which the output is multiplied
MARGINS = {
    "Σ max(0, 1 − target · output)": lambda y, t: np.maximum(0, 1 - t * y).sum(),
    "Σ max(0, 1 − target · output) / N": lambda y, t: np.maximum(0, 1 - t * y).sum() / len(y),
    "Σ max(0, −target · output)": lambda y, t: np.maximum(0, -t * y).sum(),
    "Σ max(0, −target · output) / N": lambda y, t: np.maximum(0, -t * y).sum() / len(y),
    "Σ log(1 + exp(−target · output))": lambda y, t: np.logaddexp(0, -t * y).sum(),
    "Σ log(1 + exp(−target · output)) / N":
        lambda y, t: np.logaddexp(0, -t * y).sum() / len(y),
}


def usual(is_margin: bool, has_times: bool) -> dict[str, Any]:
    """Those of targets that are subtracted, or multiplied; has_times: each example has a number, by
    which its error is multiplied, log π(action) by how good that was. The target is then
    (target, those numbers)."""
    losses = MARGINS if is_margin else LOSSES
    if not has_times:
        return losses
    return {**{f"{words}, each times its own number": _weighted(loss)
               for words, loss in losses.items() if "N" not in words},
            **{words: lambda y, both, loss=loss: loss(y, both[0])
               for words, loss in losses.items()}}


def _weighted(loss):
    def of(y, both):
        t, times = both
        if np.size(times) == 1:
            return times[0] * loss(y, t)
        if len(y) != np.size(times):  # examples in columns
            y, t = np.transpose(y), np.transpose(t)
        return sum(one * loss(y[place:place + 1], t[place:place + 1])
                   for place, one in enumerate(times))
    return of


H = 1e-5
NOISE = 1e-9  # of a derivative that is 0
MANY = 8  # readings: as many as there are losses


def likely_first(readings: list[Reading]) -> list[Reading]:
    """Of many losses that may be meant those that explain most."""
    return sorted(readings, key=_agreeing, reverse=True) if len(readings) > MANY else readings


def _agreeing(reading):
    """With how many inputs a loss changes as their gradients say, along one direction each."""
    try:
        with np.errstate(all="ignore"), prepared_code(reading.code, reading.values) as code:
            if code.output().ndim:
                return 0
            return sum(np.shape(value) == code.shapes[name] and code.agrees(name, value)
                       for name, value in code.found(np.ones(())).items() if value is not None)
    except (NotImplementedError, MemoryError, RecursionError):
        raise
    except Exception:  # this is not how it is meant
        return 0


def value_of(loss: Any, compared: tuple) -> float:
    """A loss, or what is called so, of (output, target, what is called a loss)."""
    output, target, written = compared
    value = written.get(loss) if isinstance(loss, str) else loss(output, target)
    return float(np.asarray(value, dtype=float).reshape(()))


def fits(points: list, loss: Any, rate: float) -> tuple[int | None, float]:
    """(how many weights' steps are the same multiple of this loss's derivatives everywhere, that
    multiple, which is 1 / rate if nothing else is said); (None, 1) of no loss."""
    ratios = {}
    try:
        for path in points[0]:
            both = [((value_of(loss, plus) - value_of(loss, minus)) / (2 * H), taken)
                    for taken, (plus, minus) in (point[path] for point in points)]
            if not np.isfinite(both).all():
                return None, 1.0
            both = [one for one in both if one[1] or abs(one[0]) > NOISE]  # no unit may be on there
            found = [numeric / taken for numeric, taken in both if taken]
            if found and len(found) == len(both) and np.ptp(found) < 1e-3 * abs(found[0]) > 0:
                ratios[path] = abs(found[0])
    except Exception:  # it is none of this output
        return None, 1.0
    same = {one: [path for path, other in ratios.items() if abs(one - other) < 1e-2 * one]
            for one in ratios.values()}
    best = max(same, key=lambda one: (len(same[one]), -abs(np.log(one * rate))), default=None)
    return (0, 1.0) if best is None else (len(same[best]), best)


def is_same(name: str, loss: Any, compared: list) -> bool:
    """Is what is called so this loss, or a multiple of it, wherever it was run?"""
    try:
        with np.errstate(all="ignore"):
            ratios = [value_of(name, one) / value_of(loss, one) for one in compared]
    except Exception:  # it is none of this output
        return False
    return bool(np.isfinite(ratios).all() and np.ptp(ratios) < 1e-6 * abs(ratios[0]))
