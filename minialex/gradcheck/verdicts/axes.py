"""All values are there, in the wrong places: axes in another order, a kernel that was not turned, a
shift, another shape.

reshape cuts the same row of numbers anew and never fails when the sizes agree; transpose moves
axes. Mixing them up is the same as reading the true gradient, or dout, in another order of its
axes: every order is tried.
"""
from collections.abc import Callable, Iterator
from itertools import combinations, permutations

import numpy as np

from .case import ON_PURPOSE, Case, Guess, Look
from .names import FLIPPED, MEAN, NOT_SUMMED, PADDED, SHAPE, SHIFTED, TRANSPOSED, Verdict
from .other_values import ALONG, along, at

MIRRORED = ((-2, -1), (-1,), (-2,))  # axes along which a kernel may be turned


def order_of_the_gradient(case: Case) -> Iterator[Guess]:
    """The true gradient with its axes in another order (and, where the lengths differ, reshaped to
    fit)."""
    for change, order in _other_orders(case.shape):
        yield Guess(TRANSPOSED, lambda look: change(look.numeric),
                    f"analytic = numeric with its axes in the order {order}", f"axes {order}")


def order_of_dout(case: Case) -> Iterator[Guess]:
    """What backward would give if dout's axes were in another order."""
    for change, order in _other_orders(case.y.shape):
        yield Guess(TRANSPOSED, lambda look: look.combined(change(look.cotangent)),
                    f"analytic = the gradient for a dout with its axes in the order {order}",
                    f"dout's axes {order}", after=": a reshape where a transpose is due")


def _other_orders(shape):
    """(change, in words): transpose to `order`, cut anew, transpose back by the inverse of `back`;
    the plain ones first. Not those that change nothing."""
    plain = tuple(range(len(shape)))
    orders = list(permutations(plain)) if 2 <= len(shape) <= 4 else []
    probe = np.arange(int(np.prod(shape))).reshape(shape)
    for order, back in sorted(((o, b) for o in orders for b in orders), key=lambda pair: (
            sum(a != b for one in pair for a, b in zip(one, plain)),
            sum(a != b for a, b in zip(pair[0], plain)))):
        def change(array, order=order, back=back):
            cut = array.transpose(order).reshape([array.shape[axis] for axis in back])
            return cut.transpose(np.argsort(back))

        if not np.array_equal(change(probe), probe):
            inverse = tuple(int(i) for i in np.argsort(back))
            yield (change, order if back == plain else f"{order}, read as {back}" if order != plain
                   else inverse)


def turned(case: Case) -> Iterator[Guess]:
    """The gradient of a kernel, mirrored along its last two axes or one of them."""
    for axes in MIRRORED if len(case.shape) >= 3 else ():
        places = tuple(len(case.shape) + axis for axis in axes)
        yield Guess(FLIPPED, lambda look: np.flip(look.numeric, axes),
                    f"analytic = numeric mirrored along {'axes' if len(axes) > 1 else 'axis'} "
                    f"{', '.join(map(str, places))}", f"axes {places}")


def of_another_input(case: Case) -> Iterator[Verdict]:
    """The gradient that belongs to another input: returned in another order."""
    def of_other(look):
        case.go(look)
        return case.analytic(look.cotangent, which)

    for which, name in enumerate(case.subject.names):
        if (which != case.which
            and case.subject.tensors[which].shape == case.looks[0].analytic.shape
            and case.holds(lambda look: along(case, look, look.analytic, which))
            and not case.holds(lambda look: along(case, look, of_other(look), which))):
            yield Verdict(TRANSPOSED, f"it is the gradient of {name}, {ALONG}, "
                          f"and what is returned for {name} is not: the gradients come in another "
                          "order than forward's inputs", f"it is that of {name}")


def shifted(case: Case) -> Iterator[Guess]:
    """analytic[i, j] = numeric[i − dy, j − dx] wherever both are inside."""
    if len(case.shape) < 2 or min(case.shape[-2:]) < 2:
        return
    H, W = case.shape[-2:]
    offsets = [(dy, dx) for dy in range(-(H // 2), H // 2 + 1)
               for dx in range(-(W // 2), W // 2 + 1) if (dy or dx)
               and (H - abs(dy)) * (W - abs(dx)) >= 2]
    for dy, dx in sorted(offsets, key=lambda offset: abs(offset[0]) + abs(offset[1])):
        yield Guess(SHIFTED, lambda look: _overlap(look, dy, dx),
                    f"analytic[.., i, j] = numeric[.., i − ({dy}), "
                    f"j − ({dx})] wherever both are inside", f"({dy}, {dx})")


def _overlap(look, dy, dx):
    H, W = look.x.shape[-2:]
    numeric = look.numeric[..., max(-dy, 0):H + min(-dy, 0), max(-dx, 0):W + min(-dx, 0)]
    analytic = look.analytic[..., max(dy, 0):H + min(dy, 0), max(dx, 0):W + min(dx, 0)]
    return (numeric, analytic) if np.unique(numeric).size > 1 else None


def kernel_not_turned(case: Case) -> Iterator[Guess]:
    """dx with another input's last axes mirrored, or two of its axes swapped."""
    for name, value in case.looks[0].values.items():
        if name == case.name:
            continue
        for axes in MIRRORED if value.ndim >= 3 else ():
            which = "last two axes" if len(axes) == 2 else f"axis {value.ndim + axes[0]}"
            yield at(FLIPPED, case, lambda look: {name: np.flip(look.values[name], axes)},
                     f"with {name} mirrored along its {which}", f"of {name}")
        for one, other in combinations(range(value.ndim), 2):
            if value.shape[one] == value.shape[other] > 1:
                yield at(TRANSPOSED, case,
                         lambda look: {name: look.values[name].swapaxes(one, other)}, "with axes "
                         f"{one} and {other} of {name} swapped", f"{name} instead of its transpose")


def factor_not_transposed(case: Case) -> Iterator[Guess]:
    """A product with M instead of Mᵀ, M square: numeric = G·Mᵀ or Mᵀ·G, analytic = G·M or M·G, with
    G unknown."""
    if len(case.shape) != 2:
        return
    for name, value in {**case.looks[0].arrays(), "dout": case.looks[0].cotangent}.items():
        for side in (1, 0):
            if value.ndim == 2 and value.shape[0] == value.shape[1] == case.shape[side] > 1:
                for transposed in (False, True):
                    yield Guess(TRANSPOSED, lambda look: _other_way(look, name, side, transposed),
                                f"analytic = numeric with {name} where its transpose is due "
                                "in a product", f"{name} instead of its transpose")


def _other_way(look, name, side, transposed):
    matrix = {**look.arrays(), "dout": look.cotangent}.get(name)
    if matrix is None:
        return None
    matrix = matrix.T if transposed else matrix
    numeric = look.numeric if side == 1 else look.numeric.T
    try:
        found = np.linalg.solve(matrix, numeric.T).T @ matrix
    except np.linalg.LinAlgError:
        return None
    return found if side == 1 else found.T


# ------------------------------------------------------------------------------------ another shape


def margin(case: Case) -> Iterator[Guess]:
    """The gradient of the padded picture, from which the padding was not cut off."""
    got, (*_, H, W) = case.looks[0].analytic.shape, (0, 0, *case.shape)
    if len(got) != len(case.shape) or len(got) < 2 or got[:-2] != case.shape[:-2]:
        return
    for top in range(got[-2] - H + 1):
        for left in range(got[-1] - W + 1):
            yield _mended(PADDED, case, lambda a: a[..., top:top + H, left:left + W],
                          f"cut out from row {top} and column {left} on", "padding not cut off",
                          ": the padding was not cut off")


def another_shape(case: Case) -> Iterator[Guess | Verdict]:
    """Which way leads from the returned shape to the right one, and to the right values?"""
    got = case.looks[0].analytic.shape
    if _long_axes(got) == _long_axes(case.shape):
        yield _mended(SHAPE, case, lambda a: a.reshape(case.shape),
                      "without its axes of length 1 (keepdims)", f"only reshape: {got} for "
                      f"{case.shape}, values right (keepdims={len(got) > len(case.shape)})")
        count, what = case.examples()
        yield _mended(MEAN, case, lambda a: count * a.reshape(case.shape),
                      f"without its axes of length 1, times {count},",
                      f"divided by {count} = {what}, and keepdims", f"; {ON_PURPOSE}",
                      1 / max(count, 1))
    for count in range(1, len(got) + 1):
        for axes in combinations(range(len(got)), count):
            words = f"axis {axes[0]}" if count == 1 else f"axes {axes}"
            for keepdims in (False, True):
                yield _mended(NOT_SUMMED, case, lambda a: a.sum(axes, keepdims=keepdims),
                              f"summed over {words}", words)
    if np.prod(got) == case.size:
        yield _mended(SHAPE, case, lambda a: a.reshape(case.shape),
                      f"with .reshape{case.shape}".replace(",)", ")"), "only reshape")
    for order in permutations(range(len(got))) if 2 <= len(got) <= 5 else ():
        yield _mended(TRANSPOSED, case, lambda a: a.transpose(order), f"transposed to {order}",
                      f"axes {order}")
    yield from margin(case)
    yield from (Verdict(SHAPE, f"{_said(case)}; {other.evidence}", other.detail)
                for other in of_another_input(case))
    yield Verdict(SHAPE, _said(case))


def _mended(verdict: str, case: Case, mend: Callable, how: str, detail: str, after: str = "",
            factor: float | None = None) -> Guess:
    def test(look: Look):
        return mend(look.analytic), look.numeric
    return Guess(verdict, test, f"{_said(case)}; {how} it equals numeric at "
                 f"all {case.size} entries", detail, factor, after)


def _said(case):
    return (f"backward returned shape {case.looks[0].analytic.shape} for {case.name} "
            f"of shape {case.shape}")


def _long_axes(shape):
    return [length for length in shape if length > 1]
