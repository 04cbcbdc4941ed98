"""All values are there, in the wrong places: axes in another order, a kernel that was not flipped, a shift.

reshape cuts the same row of numbers anew and never fails when the sizes agree; transpose moves axes. Mixing them up is
the same as reading the true gradient, or dout, in another order of its axes: every order is tried.
"""
from itertools import permutations

import numpy as np

from .case import EVERYWHERE
from .names import FLIPPED, SHIFTED, TRANSPOSED, Verdict
from .substitution import agrees_along


def axes_of_the_gradient(case):
    """analytic = the true gradient with its axes in another order (and, where the lengths differ, reshaped to fit)."""
    if len(case.shape) < 2:
        return None
    for order, back in _rearrangements(len(case.shape), case.shape):
        if case.holds(lambda look, order=order, back=back: _rearranged(look.numeric, order, back)):
            return Verdict(TRANSPOSED, f"analytic = numeric with its axes in the order {_said(order, back)}, {EVERYWHERE}",
                           f"axes {_said(order, back)}")
    return None


def axes_of_dout(case):
    """analytic = what backward would give if dout's axes were in another order."""
    shape = case.looks[0].y.shape
    if len(shape) < 2:
        return None
    for order, back in _rearrangements(len(shape), shape):
        if case.holds(lambda look, order=order, back=back: look.combined(_rearranged(look.cotangent, order, back))):
            return Verdict(TRANSPOSED, f"analytic = the gradient for a dout with its axes in the order {_said(order, back)}, "
                           f"{EVERYWHERE}: a reshape where a transpose is due", f"dout's axes {_said(order, back)}")
    return None


def gradient_of_another(case):
    """The gradient that belongs to another input: returned in another order."""
    for which, name in enumerate(case.subject.names):
        if which == case.which or case.subject.tensors[which].shape != case.looks[0].analytic.shape:
            continue
        if _is_the_gradient_of(case, which) and not _has_its_own(case, which):
            return Verdict(TRANSPOSED, f"it is the gradient of {name}, along 8 random directions at two sets of values, and what "
                           f"is returned for {name} is not: the gradients come in another order than forward's inputs",
                           f"it is that of {name}")
    return None


def flipped(case):
    """The gradient of a kernel, mirrored along its last two axes or one of them."""
    if len(case.shape) < 3:
        return None
    for axes in ((-2, -1), (-1,), (-2,)):
        if case.holds(lambda look, axes=axes: np.flip(look.numeric, axes)):
            axis = tuple(len(case.shape) + a for a in axes)
            return Verdict(FLIPPED, f"analytic = numeric mirrored along {'axes' if len(axis) > 1 else 'axis'} "
                           f"{', '.join(map(str, axis))}, {EVERYWHERE}", f"axes {axis}")
    return None


def shifted(case):
    """analytic[i, j] = numeric[i − dy, j − dx] wherever both are inside."""
    if len(case.shape) < 2 or min(case.shape[-2:]) < 2 or any(look.analytic.shape != case.shape for look in case.looks):
        return None
    H, W = case.shape[-2:]
    offsets = [(dy, dx) for dy in range(-(H // 2), H // 2 + 1) for dx in range(-(W // 2), W // 2 + 1)
               if (dy or dx) and (H - abs(dy)) * (W - abs(dx)) >= 2]
    for dy, dx in sorted(offsets, key=lambda offset: abs(offset[0]) + abs(offset[1])):
        if all(_is_shifted(case, look, dy, dx) for look in case.looks):
            return Verdict(SHIFTED, f"analytic[.., i, j] = numeric[.., i − ({dy}), j − ({dx})] wherever both are inside, "
                           f"{EVERYWHERE}", f"({dy}, {dx})")
    return None


def _is_shifted(case, look, dy, dx):
    H, W = case.shape[-2:]
    here = (..., slice(max(dy, 0), H + min(dy, 0)), slice(max(dx, 0), W + min(dx, 0)))
    there = (..., slice(max(-dy, 0), H + min(-dy, 0)), slice(max(-dx, 0), W + min(-dx, 0)))
    numeric = look.numeric[there]
    return numeric.any() and np.unique(numeric).size > 1 and case.agree(numeric, look.analytic[here])


def factor_not_transposed(case):
    """A product with M instead of Mᵀ, M square: numeric = G·Mᵀ or Mᵀ·G, analytic = G·M or M·G, with G unknown."""
    if len(case.shape) != 2 or any(look.analytic.shape != case.shape for look in case.looks):
        return None
    for name, value in _square(case.looks[0]).items():
        for side in ("right", "left"):
            for turned in (False, True):
                if value.shape[0] == case.shape[side == "right"] and case.holds(
                        lambda look, name=name, side=side, turned=turned: _other_way(look, name, side, turned)):
                    return Verdict(TRANSPOSED, f"analytic = numeric with {name} where its transpose is due in a product, "
                                   f"{EVERYWHERE}", f"{name} instead of its transpose")
    return None


def _square(look):
    found = {**look.values, **look.rest, "dout": look.cotangent}
    return {name: value for name, value in found.items() if value.ndim == 2 and value.shape[0] == value.shape[1] > 1}


def _other_way(look, name, side, turned):
    matrix = _square(look).get(name)
    if matrix is None:
        return None
    matrix = matrix.T if turned else matrix
    try:
        if side == "right":
            return np.linalg.solve(matrix, look.numeric.T).T @ matrix
        return matrix @ np.linalg.solve(matrix.T, look.numeric)
    except np.linalg.LinAlgError:
        return None


def _rearrangements(ndim, shape):
    """(order, back): transpose to `order`, cut anew, transpose back by the inverse of `back`; the plain ones first. Not those
    that change nothing."""
    if ndim > 4:
        return
    plain = tuple(range(ndim))
    orders = sorted(permutations(plain), key=lambda order: sum(a != b for a, b in zip(order, plain)))
    probe = np.arange(int(np.prod(shape))).reshape(shape)
    yield from ((order, back) for order, back in sorted(((o, b) for o in orders for b in orders), key=lambda pair:
                sum(a != b for order in pair for a, b in zip(order, plain)))
                if not np.array_equal(_rearranged(probe, order, back), probe))


def _rearranged(array, order, back):
    shape = array.shape
    cut = array.transpose(order).reshape([shape[axis] for axis in back])
    return cut.transpose(np.argsort(back))


def _said(order, back):
    if back == tuple(range(len(back))):
        return str(order)
    return f"{order}, read as {back}" if order != tuple(range(len(order))) else f"{tuple(int(i) for i in np.argsort(back))}"


def _is_the_gradient_of(case, other):
    return all(agrees_along(case, look, look.analytic, other) for look in case.looks)


def _has_its_own(case, other):
    """Is what backward returns for `other` its own gradient?"""
    shape = case.subject.tensors[other].shape
    for look in case.looks:
        look.place.go()
        gradient = case.subject.gradients(look.cotangent)[other]
        if gradient is None or gradient.shape != shape or not agrees_along(case, look, gradient, other):
            return False
    return True
