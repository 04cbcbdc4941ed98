"""A sum of which a part is missing, or everything is there, times a number: the sign, a constant
factor, a mean for a sum.

    analytic = k · numeric        k = Σ analytic · numeric / Σ numeric²

An entry that several outputs depend on gets a contribution from each,

    dx[n] = Σ_m dout[m] · J[m, n]

and where backward assigns instead of adding, or leaves an axis out, some of the m are missing.
Which ones, is the test: the sum over the kept ones alone is computed from J and compared with what
backward returned.
"""
from collections.abc import Iterator
from itertools import product

import numpy as np

from ..comparing import Finding
from ..tensor_function import Checked
from .case import EVERYWHERE, ON_PURPOSE, Case, Guess, Look
from .constants import meaning
from .names import FACTOR, LAST, MEAN, NOT_SUMMED, SIGN, TERM, UNDECIDED, ZERO, Verdict


class CutOff(str):
    """The detail of a gradient that goes back some steps in time and no further."""


class FirstKept(str):
    """The detail of a gradient to which the first index of dout alone has come."""


# ----------------------------------------------------------------------------------- times a number


def constant_factor(case: Case) -> Iterator[Verdict]:
    """The gradient times one number k, or times one that depends on the values."""
    factors = [_factor(look.numeric, look.analytic) for look in case.looks]
    if not all(case.agree(k * look.numeric, look.analytic) for k, look in zip(factors, case.looks)):
        return
    k, close = factors[0], max(1e-5, case.tolerance)
    entries = f"at all {case.size} entries"
    if max(abs(other / k - 1) for other in factors) > close:
        listed = ", ".join(f"{k:.4g}" for k in factors)
        lengths = [np.linalg.norm(look.analytic) for k, look in zip(factors, case.looks)
                   if abs(k - 1) > 1e-5]
        if 0 < min(factors) and max(factors) < 1 + 1e-5 and np.ptp(lengths) <= 1e-5 * max(lengths):
            yield Verdict(UNDECIDED, f"analytic = k × numeric {entries}, but k is {listed} in four "
                          f"trials: where it is longer than {max(lengths):.4g}, it is scaled down "
                          "to that", "right if it is meant to be clipped")
        yield Verdict(FACTOR, f"analytic = k × numeric {entries}, but k is {listed} in four "
                      "trials: one number is missing or too many that depends on the values",
                      "which changes with the values")
    entries += f", {EVERYWHERE}"
    count, what = case.examples()
    yield from _plain_number(k, close, entries, what,
                             0 if case.name == case.subject.data()[0] else count)
    count, axes, what = _summed(case)
    if count > 1 and abs(k * count - 1) < close:
        along = f"axis {axes[0]}" if len(axes) == 1 else f"axes {axes}"
        yield Verdict(MEAN, f"analytic = numeric / {count} {entries}; {count} outputs, along "
                      f"dout's {along}, add up in every entry", f"divided by {count} = {what}", k)
    yield Verdict(FACTOR, f"analytic = {k:.7g} × numeric {entries}{_right_if(k, case)}",
                  meaning(k, case), k)


def _plain_number(k, close, entries, what, count):
    """The mean over `count` examples, or the other sign."""
    if count > 1 and abs(k * count - 1) < close:
        yield Verdict(MEAN, f"analytic = numeric / {count} {entries}; {ON_PURPOSE}",
                      f"divided by {count} = {what}", 1 / count)
    if abs(k + 1) < close:
        yield Verdict(SIGN, f"analytic = −1.000000 × numeric {entries}", factor=-1.0)


def _right_if(k, case):
    """The gradient of a loss that counts on another mean: which one would make it right."""
    count = next((count for count in (*case.shape, case.size) if count > 1
                  and abs(max(k, 1 / k) / count - 1) < 1e-5), None)
    if case.y.ndim or count is None:
        return ""
    return (f"; right if the loss is the {'sum' if k > 1 else 'mean'} of these {count}, "
            f"not their {'mean' if k > 1 else 'sum'}")


def passed_on(case: Case) -> Iterator[Verdict]:
    """dout itself, by a softmax: right where the loss has given the gradient of the scores
    already."""
    y = case.y
    if (y.shape == case.shape and y.ndim and (y > 0).all()
        and case.holds(lambda look: look.cotangent)
        and any(np.allclose(y.sum(axis), 1) for axis in range(y.ndim))):
        yield Verdict(UNDECIDED, "backward hands dout on as it is: right where the loss gives the "
                      "gradient of the scores, p − t, already; else the softmax's own "
                      "derivative is missing", "dout is handed on: right after a p − t")


def _factor(numeric, analytic):
    return float((analytic * numeric).sum() / max((numeric ** 2).sum(), 1e-300)) or 1e-300


def _summed(case):
    """(how many, which axes, in words): the output's axes along which several outputs depend on the
    same entry, for all."""
    shape = case.y.shape
    axes = tuple(axis for axis in range(len(shape)) if shape[axis] > 1
                 and (_places(case.looks[0], (axis,)) == shape[axis]).all())
    # last, if a bias is summed so
    picture = ("N", "OH", "OW", "C") if axes == (0, 1, 2) else ("N", "C", "OH", "OW")
    names = {2: ("N", "outputs"), 3: ("N", "T", "F"), 4: picture}.get(len(shape))
    words = ("·".join(names[axis] for axis in axes) if names else "the batch size" if axes == (0,)
             else "what is summed")
    return int(np.prod([shape[axis] for axis in axes], dtype=int)) if 0 in axes else 0, axes, words


def mean_of_overlapping(case: Case) -> Iterator[Guess]:
    """Each entry divided by the number of outputs' places that it belongs to: a mean over
    overlapping windows."""
    if case.y.ndim >= 3:
        places = _places(case.looks[0], (0, *range(2, case.y.ndim)))
        if 1 < places.max() != places.min():
            yield Guess(MEAN, lambda look: look.numeric / np.maximum(places, 1),
                        "analytic = numeric / (number of windows that hold the entry, "
                        f"1 to {places.max()}) everywhere", "over overlapping windows")


def of_samples(finding: Finding, subject: Checked, rtol: float) -> Verdict | None:
    """Sign, factor or mean of a tensor too large for a Case, or rounded too much: from what was
    compared, entry by entry."""
    pairs = [(c.numeric, c.analytic) for c in finding.entries.values()
             if c.outcome in ("equal", "wrong")]
    numeric, analytic = np.array(pairs or [(0, 0)]).T
    k, close, (name, data) = _factor(numeric, analytic), 10 * rtol, subject.data()
    if len(pairs) < 2 or abs(analytic - k * numeric).max() > close * max(abs(analytic).max(),
                                                                         1e-300):
        return None
    subject.examples = 0 if data is None or name == finding.name else len(data)
    entries = f"at all {len(pairs)} compared entries"
    return next(_plain_number(k, close, entries, "N", subject.examples),
                Verdict(FACTOR, f"analytic = {k:.7g} × numeric {entries}", f"{k:.6g}", k))


def nothing(case: Case) -> Iterator[Guess]:
    """No gradient at all, for every dout and every set of values."""
    yield Guess(ZERO, lambda look: 0 * look.numeric, f"all {case.size} analytic values are 0")


# -------------------------------------------------------------------------------- a part of the sum


def diagonal_only(case: Case) -> Iterator[Guess]:
    """Only the part that each output's own input has in it."""
    if case.y.shape == case.shape and case.size > 1:
        yield Guess(TERM, lambda look: look.cotangent
                    * np.diagonal(look.jacobian.reshape(case.size, -1)).reshape(case.shape),
                    f"analytic = dout · ∂y[i]/∂{case.name}[i]", "the other outputs'",
                    after=f": that the other outputs depend on {case.name}[i], too, is left out")


def one_sample_only(case: Case) -> Iterator[Guess]:
    """Only one index along the batch axis, or along another one that is due to be summed, arrived;
    for all entries the same."""
    for axis, length in enumerate(case.y.shape):
        if length > 1 and (_places(case.looks[0], (axis,)) > 1).all():
            for index, which in ((length - 1, "last"), (0, "first")):
                kept = np.arange(length).reshape(-1, *[1] * (case.y.ndim - axis - 1)) == index
                detail = (str if index else FirstKept)(f"axis {axis}: only the {which} is kept")
                yield Guess(NOT_SUMMED, lambda look: look.combined(look.cotangent * kept),
                            f"analytic = what dout[{':, ' * axis}{index}] alone sends back, "
                            "everywhere", detail,
                            after=f"; the sum over all {length} is due")


def one_dout_not_used(case: Case) -> Iterator[Guess]:
    """Of several outputs, what the dout of one sends back is missing."""
    parts = case.subject.parts
    for number in () if parts is None else range(parts.max() + 1):
        yield Guess(TERM, lambda look: look.combined(look.cotangent * (parts != number)),
                    f"analytic = what is due if the dout of output {number + 1} is 0",
                    f"the dout of output {number + 1} of {parts.max() + 1} is not used")


def truncated_in_time(case: Case) -> Iterator[Guess]:
    """Backward goes back k steps from each output and no further: on purpose, where sequences are
    long."""
    for axis in range(min(3 if len(case.shape) == 3 else 2, len(case.shape), case.y.ndim)):
        steps = case.shape[axis]
        if case.y.shape[axis] == steps > 2:
            # of each output, for each step of the input
            back = np.subtract.outer(np.arange(steps), np.arange(steps))
            back = np.expand_dims(back, [a for a in range(case.y.ndim + len(case.shape))
                                         if a not in (axis, case.y.ndim + axis)])
            for k in range(1, steps - 1):
                said = f"right if it is meant to be truncated, {k} steps back in time"
                verdict, detail = (UNDECIDED, CutOff(said)) if k > 1 else (
                    TERM, "what later steps send back")
                yield Guess(verdict,
                            lambda look: look.combined(look.cotangent, look.jacobian * (back < k)),
                            f"analytic = what each output sends back over {k} steps of axis {axis}",
                            detail)


def last_window_only(case: Case) -> Iterator[Guess]:
    """Of the outputs that share an entry only one place arrived: the last in the order of a loop,
    or the first."""
    for axes in _loops(case.y.ndim * (case.subject.parts is None)):
        if all(case.y.shape[axis] == 1
               for axis in axes) or not (_places(case.looks[0], axes) > 1).any():
            continue
        words = f"axes {axes}" if len(axes) > 1 else f"axis {axes[0]}"
        for order in (axes, axes[::-1]) if len(axes) == 2 else (axes,):
            for which, covers in product(("last", "first"), (_touched, _covered)):
                yield Guess(LAST, lambda look: _one_place(look, order, which == "last", covers),
                            f"analytic = what the {which} place along dout's {words} alone "
                            "sends back, everywhere", f"the {which} one",
                            after=": assigned where a sum (+=, np.add.at) is due")


def _loops(ndim):
    """The axes of the output that a loop may run over, in the order in which a reader would
    guess."""
    if ndim >= 3:
        yield from ((ndim - 2, ndim - 1), (0, ndim - 2, ndim - 1), (ndim - 1,))
    if ndim:
        yield (0,)
        yield tuple(range(ndim))


def _places(look: Look, axes) -> np.ndarray:
    """For each entry: at how many places along these axes of the output is something that depends
    on it?"""
    touched = (look.jacobian != 0).any(axis=tuple(a for a in range(look.y.ndim) if a not in axes))
    return touched.reshape(-1, *look.x.shape).sum(axis=0)


def _one_place(look, order, last, covers):
    """Σ over the outputs at one place alone: for each entry the last (or first) along `order` that
    covers it."""
    places = int(np.prod([look.y.shape[axis] for axis in order]))
    jacobian, cotangent = (np.moveaxis(array, order, range(len(order))).reshape(places, -1, *size)
                           for array, size in ((look.jacobian, [look.x.size]),
                                               (look.cotangent, [])))
    if (touched := covers(look, order, jacobian)) is None:
        return None
    chosen = places - 1 - touched[::-1].argmax(axis=0) if last else touched.argmax(axis=0)
    contribution = np.einsum("pr,prn->pn", cotangent, jacobian)
    return contribution[chosen, np.arange(look.x.size)].reshape(look.x.shape)


def _touched(look, order, jacobian):
    """(places, entries): does an output at this place depend on this entry?"""
    return (jacobian != 0).any(axis=1)


def _covered(look, order, jacobian):
    """(places, entries): does the window of this place hold this entry? A maximum depends on one of
    them alone, but a loop that assigns writes zeros into all the others. Only for pictures, with
    the windows found by _windows."""
    ndim = look.x.ndim
    if look.y.ndim != ndim or ndim < 3 or set(order) != {ndim - 2, ndim - 1}:
        return None
    rows_first = "ph,qw->pqhw" if order[0] < order[1] else "pw,qh->pqhw"
    covered = np.einsum(rows_first, *(_windows(look, axis) for axis in order))
    picture = int(np.prod(look.x.shape[-2:]))
    return np.tile(covered.reshape(-1, picture), look.x.size // picture)


def _windows(look, axis):
    """(places, entries) along this axis: is the entry in the window of place i, which begins at
    stride·i + some number? The stride is the one that makes the windows tightest."""
    touched = (look.jacobian != 0).any(axis=tuple(a for a in range(look.jacobian.ndim)
                                                  if a not in (axis, look.y.ndim + axis)))
    place, entry = np.nonzero(touched)
    offsets = {stride: entry - stride * place for stride in range(1, look.x.shape[axis] + 1)}
    width, stride, first = min((offset.max() - offset.min(), stride, offset.min())
                               for stride, offset in offsets.items())
    inside = np.arange(touched.shape[1]) - stride * np.arange(len(touched))[:, None]
    return (first <= inside) & (inside <= first + width)
