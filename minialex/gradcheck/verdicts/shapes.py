"""A gradient of another shape than its input: not summed, not transposed, not reshaped, or simply something else."""
from itertools import combinations, permutations

import numpy as np

from .case import EVERYWHERE
from .layout import gradient_of_another
from .names import NOT_SUMMED, PADDED, SHAPE, TRANSPOSED, Verdict


def shape(case):
    """Which way from the returned shape to the right one leads to the right values?"""
    got = case.looks[0].analytic.shape
    said = f"backward returned shape {got} for {case.name} of shape {case.shape}"
    for find in (_squeezed, _summed, _reshaped, _transposed, lambda case, *_: margin(case)):
        verdict = find(case, got, said)
        if verdict:
            return verdict
    other = gradient_of_another(case)
    return Verdict(SHAPE, f"{said}; {other.evidence}", other.detail) if other else Verdict(SHAPE, said)


def _squeezed(case, got, said):
    """Only axes of length 1 too many, or too few."""
    plain = [tuple(length for length in shape if length > 1) for shape in (got, case.shape)]
    if plain[0] != plain[1] or not _matches(case, lambda a: a.reshape(case.shape)):
        return None
    return Verdict(SHAPE, f"{said}; its values are right, only axes of length 1 differ: keepdims",
                   f"only reshape: {got} for {case.shape}, values right (keepdims={len(got) > len(case.shape)})")


def _summed(case, got, said):
    for count in range(1, len(got) + 1):
        for axes in combinations(range(len(got)), count):
            for keepdims in (False, True):
                if _matches(case, lambda a, axes=axes, keepdims=keepdims: a.sum(axis=axes, keepdims=keepdims)):
                    words = f"axis {axes[0]}" if count == 1 else f"axes {axes}"
                    return Verdict(NOT_SUMMED, f"{said}; summed over {words} it equals numeric at all {_size(case)} entries, "
                                   f"{EVERYWHERE}", words)
    return None


def _reshaped(case, got, said):
    if int(np.prod(got)) == _size(case) and _matches(case, lambda a: a.reshape(case.shape)):
        return Verdict(SHAPE, f"{said}; its values are right: .reshape{case.shape} is missing".replace(",)", ")"), "only reshape")
    return None


def _transposed(case, got, said):
    if 2 <= len(got) <= 5:
        for order in permutations(range(len(got))):
            if _matches(case, lambda a, order=order: a.transpose(order)):
                return Verdict(TRANSPOSED, f"{said}; transposed to {order} it equals numeric at all {_size(case)} entries, "
                               f"{EVERYWHERE}", f"axes {order}")
    return None


def margin(case):
    """The gradient of the padded picture, from which the padding was not cut off."""
    got = case.looks[0].analytic.shape
    said = f"backward returned shape {got} for {case.name} of shape {case.shape}"
    if len(got) != len(case.shape) or len(got) < 2 or got[:-2] != case.shape[:-2]:
        return None
    dy, dx = got[-2] - case.shape[-2], got[-1] - case.shape[-1]
    if min(dy, dx) < 0 or dy + dx == 0:
        return None
    for top in range(dy + 1):
        for left in range(dx + 1):
            place = (..., slice(top, top + case.shape[-2]), slice(left, left + case.shape[-1]))
            if _matches(case, lambda a, place=place: a[place]):
                return Verdict(PADDED, f"{said}; cut out from row {top} and column {left} on it equals numeric at all "
                               f"{_size(case)} entries, {EVERYWHERE}: the padding was not cut off", "padding not cut off")
    return None


def _matches(case, mend):
    for look in case.looks:
        mended = mend(look.analytic)
        if mended.shape != look.x.shape or not case.agree(mended, look.numeric):
            return False
    return True


def _size(case):
    return case.looks[0].x.size
