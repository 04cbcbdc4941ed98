"""Everything is there, times a number: zero, the sign, a constant factor, a mean instead of a sum.

    analytic = k · numeric        k = Σ analytic · numeric / Σ numeric²
"""
import numpy as np

from .case import EVERYWHERE
from .constants import meaning
from .names import FACTOR, MEAN, SIGN, ZERO, Verdict


def zero(case):
    """No gradient at all, for every dout and every set of values. None if it is not so."""
    if not any(look.analytic.any() for look in case.looks):
        return Verdict(ZERO, f"all {case.looks[0].x.size} analytic values are 0, for every dout and at two sets of values")
    return None


def sign_flipped(case):
    """The gradient with the other sign. None if it is not so."""
    if case.holds(lambda look: -look.numeric):
        return Verdict(SIGN, f"analytic = −1.000000 × numeric at all {case.looks[0].x.size} entries, {EVERYWHERE}", factor=-1.0)
    return None


def constant_factor(case):
    """The gradient times one number k, or times one that depends on the values. None if it is neither."""
    factors = [_factor(look) for look in case.looks]
    if not all(case.agree(k * look.numeric, look.analytic) for k, look in zip(factors, case.looks)):
        return None
    k, size = factors[0], case.looks[0].x.size
    if max(abs(other / k - 1) for other in factors) > 1e-5:
        return Verdict(FACTOR, f"analytic = k × numeric at all {size} entries, but k is {_listed(factors)} in four trials: one "
                       "number is missing or too many that depends on the values", "which changes with the values")
    summed = _summed(case)
    count, what = case.examples()
    if count > 1 and abs(k * count - 1) < 1e-5 and case.name != case.subject.data()[0]:
        return Verdict(MEAN, f"analytic = numeric / {count} at all {size} entries, {EVERYWHERE}; some courses average over the "
                       "examples here: --mean-over-examples accepts it", f"divided by {count} = {what}", k)
    if summed and abs(k * summed[0] - 1) < 1e-5:
        count, axes = summed
        return Verdict(MEAN, f"analytic = numeric / {count} at all {size} entries, {EVERYWHERE}; {count} outputs, along dout's "
                       f"{_axes(axes)}, add up in every entry", f"divided by {count} = {_product(case, axes)}", k)
    return Verdict(FACTOR, f"analytic = {k:.7g} × numeric at all {size} entries, {EVERYWHERE}",
                   meaning(k, case), k)


def mean_of_overlapping(case):
    """Each entry divided by the number of outputs' places that it belongs to: a mean over overlapping windows."""
    look = case.looks[0]
    if look.y.ndim < 3:
        return None
    places = np.any(look.jacobian != 0, axis=1).reshape(look.y.shape[0], -1, *look.x.shape).sum(axis=(0, 1))
    if places.max() <= 1 or places.min() == places.max():
        return None
    if case.holds(lambda look: look.numeric / np.maximum(places, 1)):
        return Verdict(MEAN, f"analytic = numeric / (number of windows that hold the entry, 1 to {places.max()}) everywhere, "
                       f"{EVERYWHERE}", "over overlapping windows")
    return None


def _factor(look):
    return float((look.analytic * look.numeric).sum() / max((look.numeric ** 2).sum(), 1e-300)) or 1e-300


def _summed(case):
    """(how many, which axes): the output's axes along which several outputs depend on the same entry, for all entries."""
    look = case.looks[0]
    if look.y.ndim == 0:
        return None
    touched = (look.jacobian != 0).reshape(*look.y.shape, -1)
    axes = []
    for axis in range(look.y.ndim):
        several = touched.any(axis=tuple(a for a in range(look.y.ndim) if a != axis)).sum(axis=0)
        if look.y.shape[axis] > 1 and (several == look.y.shape[axis]).all():
            axes.append(axis)
    count = int(np.prod([look.y.shape[axis] for axis in axes], dtype=int))
    return (count, tuple(axes)) if count > 1 and 0 in axes else None


def _axes(axes):
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {axes}"


def _product(case, axes):
    names = {2: ("N", "outputs"), 3: ("N", "T", "F"), 4: ("N", "C", "OH", "OW")}.get(case.looks[0].y.ndim)
    return "·".join(names[axis] for axis in axes) if names else "the batch size" if axes == (0,) else "what is summed"


def _listed(factors):
    return ", ".join(f"{k:.4g}" for k in factors)


def of_samples(pairs, rtol):
    """The same from a sample: pairs (numeric, analytic)."""
    numeric, analytic = pairs.T
    k = float(numeric @ analytic / max(numeric @ numeric, 1e-300))
    if abs(analytic - k * numeric).max() > 10 * rtol * max(abs(analytic).max(), 1e-300):
        return None
    if abs(k + 1) < 10 * rtol:
        return Verdict(SIGN, f"analytic = −1.000000 × numeric at all {len(pairs)} compared entries", factor=-1.0)
    return Verdict(FACTOR, f"analytic = {k:.7g} × numeric at all {len(pairs)} compared entries", f"{k:.6g}", k)
