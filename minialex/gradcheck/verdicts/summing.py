"""A sum of which only a part arrived. An entry that several outputs depend on gets a contribution from each,

    dx[n] = Σ_m dout[m] · J[m, n]

and where backward assigns instead of adding, or leaves an axis out, some of the m are missing. Which ones, is the test:
the sum over the kept ones alone is computed from J and compared with what backward returned.
"""
from itertools import product

import numpy as np

from .case import EVERYWHERE
from .names import LAST, NOT_SUMMED, Verdict


def one_sample_only(case):
    """Only one index along the batch axis, or along another one that is due to be summed, arrived; for all entries the same."""
    y = case.looks[0].y
    for axis in range(y.ndim):
        if y.shape[axis] < 2 or not _several(case.looks[0], (axis,)).all():
            continue
        for index in (y.shape[axis] - 1, 0):
            if case.holds(lambda look, index=index, axis=axis: _kept(look, _only(look.y.shape, axis, index))):
                which = "last" if index else "first"
                return Verdict(NOT_SUMMED, f"analytic = what dout[{_place(axis, index)}] alone sends back, everywhere, "
                               f"{EVERYWHERE}; the sum over all {y.shape[axis]} is due", f"axis {axis}: only the {which} is kept")
    return None


def last_window_only(case):
    """Of the outputs that share an entry only one place arrived: the last in the order of a loop, or the first."""
    y = case.looks[0].y
    for axes in _loops(y.ndim):
        if all(y.shape[axis] == 1 for axis in axes) or not _several(case.looks[0], axes).any():
            continue
        for order, words in _orders(axes):
            for last, covers in product((True, False), (_touched, _covered)):
                if case.holds(lambda look, order=order, last=last, covers=covers: _one_place(look, order, last, covers)):
                    which = "last" if last else "first"
                    return Verdict(LAST, f"analytic = what the {which} place along dout's {words} alone sends back, everywhere, "
                                   f"{EVERYWHERE}: assigned where a sum (+=, np.add.at) is due", f"the {which} one")
    return None


def _loops(ndim):
    """The axes of the output that a loop may run over, in the order in which a reader would guess."""
    if ndim >= 3:
        yield tuple(range(ndim - 2, ndim))
        yield (0, *range(ndim - 2, ndim))
    if ndim:
        yield (0,)
        yield tuple(range(ndim))


def _orders(axes):
    names = f"axes {axes}" if len(axes) > 1 else f"axis {axes[0]}"
    yield axes, names
    if len(axes) == 2:
        yield axes[::-1], names


def _several(look, axes):
    """For each entry: do outputs at different indices along these axes depend on it?"""
    touched = (look.jacobian != 0).any(axis=tuple(a for a in range(look.y.ndim) if a not in axes))
    return touched.reshape(-1, *look.x.shape).sum(axis=0) > 1


def _only(shape, axis, index):
    mask = np.zeros(shape, bool)
    mask[(slice(None),) * axis + (index,)] = True
    return mask


def _kept(look, mask):
    return look.combined(look.cotangent * mask)


def _one_place(look, order, last, covers):
    """Σ over the outputs at one place alone: for each entry the last (or first) along `order` that covers it."""
    rest = tuple(axis for axis in range(look.y.ndim) if axis not in order)
    ndim = look.y.ndim
    moved = look.jacobian.transpose(*order, *rest, *range(ndim, look.jacobian.ndim))
    places = int(np.prod([look.y.shape[axis] for axis in order]))
    moved = moved.reshape(places, -1, look.x.size)
    cotangent = look.cotangent.transpose(*order, *rest).reshape(places, -1)
    touched = covers(look, order, moved)
    if touched is None:
        return None
    chosen = places - 1 - touched[::-1].argmax(axis=0) if last else touched.argmax(axis=0)
    contribution = np.einsum("pr,prn->pn", cotangent, moved)
    return contribution[chosen, np.arange(look.x.size)].reshape(look.x.shape)


def _touched(look, order, moved):
    """(places, entries): does an output at this place depend on this entry?"""
    return (moved != 0).any(axis=1)


def _covered(look, order, moved):
    """(places, entries): does the window of this place hold this entry? A maximum depends on one of them alone, but a loop
    that assigns writes zeros into all the others. Only for pictures, with the windows found by _window."""
    ndim = look.x.ndim
    if look.y.ndim != ndim or ndim < 3 or set(order) != {ndim - 2, ndim - 1}:
        return None
    masks = []
    for axis in order:
        stride, low, high = _window(look, axis)
        start = stride * np.arange(look.y.shape[axis])[:, None] + low
        entry = np.arange(look.x.shape[axis])[None]
        masks.append((start <= entry) & (entry <= start + high - low))
    covered = np.ones((look.y.shape[order[0]], look.y.shape[order[1]], *look.x.shape), bool)
    for position, (axis, mask) in enumerate(zip(order, masks)):
        shape = [1, 1] + [1] * ndim
        shape[position], shape[2 + axis] = mask.shape
        covered &= mask.reshape(shape)
    return covered.reshape(-1, look.x.size)


def _window(look, axis):
    """(stride, first, last): the window of place i along this axis holds the entries stride·i + first to stride·i + last. The
    stride is the one that makes the windows tightest."""
    touched = (look.jacobian != 0).any(axis=tuple(a for a in range(look.jacobian.ndim) if a not in (axis, look.y.ndim + axis)))
    place, entry = np.nonzero(touched)
    found = []
    for stride in range(1, look.x.shape[axis] + 1):
        offset = entry - stride * place
        found.append((offset.max() - offset.min(), stride, offset.min(), offset.max()))
    return min(found)[1:]


def _place(axis, index):
    return ", ".join([":"] * axis + [str(index)])
