"""A sum of which one term is missing, or was added by mistake: numeric − analytic = k · Q for a
quantity Q that has a name.

Candidates are made of what backward has at hand, the inputs, the output, what forward kept, labels
as one-hot rows:

    Q = b                         weight decay: w; a loss's −target
    Q = dout · b                  an identity path: dout
    Q = b · Σ_axes (dout · c)     softmax: y · Σ dout·y; LRN: x · Σ over neighbouring channels of
                                  dout·y/s
    Q = b · Σ_axes (analytic · c)     batch normalisation: x̂ · Σ analytic·x̂

The same k must make both sides equal at every entry in all four trials; or the same k₁ and k₂ for
two of them.
"""
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .case import EVERYWHERE, Case
from .names import TERM, TOO_MANY, Verdict

LIKELY = 1e-9  # of the squared residual: what is fitted so well is tried number by number


def one_term(case: Case) -> Iterator[Verdict]:
    """One named term; or two, where the two derivatives of a mean and of a variance are both
    missing."""
    with np.errstate(all="ignore"):
        per_look = [dict(_of_one_look(case, look)) for look in case.looks]
        Q = {name: np.concatenate([found[name].ravel() for found in per_look])
             for name in per_look[0] if all(name in found for found in per_look)}
        sizes = {name: float(np.sqrt((q ** 2).sum())) for name, q in Q.items()}
    Q = {name: q / sizes[name] for name, q in Q.items() if np.isfinite(sizes[name])
         and sizes[name] > 0}
    sides = [np.concatenate([getattr(look, side).ravel() for look in case.looks])
             for side in ("numeric", "analytic")]
    residual = np.subtract(*sides)
    if not Q or not residual.any():
        return
    where = f"at all {case.size} entries, {EVERYWHERE}"
    names, matrix = list(Q), np.array(list(Q.values()))
    along, total = matrix @ residual, (residual ** 2).sum()
    for best in np.flatnonzero(1 - along ** 2 / total < LIKELY):
        if _exact(case, along[best] * matrix[best], residual):
            name = names[best]
            said = f"numeric − analytic = {along[best] / sizes[name]:.6g} · {name} {where}"
            if "dout" not in name and "analytic" not in name and case.y.size > 1:
                yield Verdict(TOO_MANY, f"{said}: it does not depend on dout, "
                              "so it is no part of this gradient", name)
            yield Verdict(TERM, said, name)
    # numeric − analytic = what is right − what is there is always true
    whole = [abs(matrix @ side) > (1 - LIKELY) * np.linalg.norm(side) for side in sides]
    plain = [i for i, name in enumerate(names) if _is_plain(name) and not whole[0][i] | whole[1][i]
             ] if residual.size >= 12 else []
    gram = matrix[plain] @ matrix[plain].T
    for one, other in combinations(range(len(plain)), 2):
        i, j, cosine = plain[one], plain[other], gram[one, other]
        if 1 - cosine ** 2 < 1e-6:
            continue
        a, b = ((along[p] - cosine * along[q]) / (1 - cosine ** 2) for p, q in ((i, j), (j, i)))
        if abs(1 - (a * along[i] + b * along[j])
               / total) < LIKELY and _exact(case, a * matrix[i] + b * matrix[j], residual):
            yield Verdict(TERM, f"numeric − analytic = {a / sizes[names[i]]:.6g} · "
                          f"{names[i]} + {b / sizes[names[j]]:.6g} · {names[j]} {where}",
                          f"two: {names[i]} and {names[j]}")


def _is_plain(name):
    """Σ driver, b·Σ driver·b, or no sum at all and at most one factor: few enough to be tried two
    by two."""
    if "Σ" not in name:
        return name.count("·") + name.count("/") <= 1
    factor, inside = name.split("Σ")
    own = f"·{factor.rstrip('·')})" if factor else "(dout)"
    return inside.endswith(("(dout)", "(analytic)", own))


def _exact(case, fitted, residual):
    scale = max(case.allowed(look.numeric, look.analytic) for look in case.looks)
    return abs(fitted - residual).max() <= scale and abs(fitted).max() > 10 * scale


# ------------------------------------------------------------------------------ what may be missing


def _of_one_look(case, look):
    """(name, array of x's shape) of every quantity."""
    shape, dout = look.x.shape, look.cotangent
    bases = {name: base for name, base in _bases(case, look).items() if _fits(base, shape)}
    if dout.size == 1:
        bases[f"sign({case.name})"] = np.sign(look.x)  # of a penalty Σ|w|
        takes_dout = not np.array_equal(case.looks[0].cotangent, case.looks[1].cotangent)
        for name, base in bases.items():
            yield f"dout·{name}" if takes_dout else name, np.broadcast_to(base * dout.reshape(()),
                                                                          shape)
        return
    yield from ((name, np.broadcast_to(base, shape)) for name, base in bases.items())
    factors = {**bases, **_ratios(bases)}
    if _fits(dout, shape):
        yield from ((_times("dout", name), np.broadcast_to(dout * base, shape))
                    for name, base in factors.items())
        for driver, array in (("dout", dout), ("analytic", look.analytic)):
            for name, base in factors.items() if array.shape == shape else ():
                for total, words in _sums(case, np.broadcast_to(array * base, shape)):
                    for other, factor in bases.items():
                        yield (_times(other, f"Σ[{words}]({_times(driver, name)})"),
                               np.broadcast_to(total * factor, shape))


def _sums(case, product):
    """(sum, in words) over whole axes, or over windows of channels. Not over axes of length 1: the
    sum of the analytic gradient would be the analytic gradient, and numeric − analytic = −1 ·
    analytic + (what is right) is always true."""
    long = [axis for axis, length in enumerate(product.shape) if length > 1]
    for count in range(1, min(len(long), 4) + 1):
        for axes in combinations(long, count):
            words = "all" if len(axes) == len(long) > 1 else "axis " + ",".join(map(str, axes))
            yield product.sum(axis=axes, keepdims=True), words
    channels = product.shape[1] if product.ndim > 1 else 0
    options = {value for value in case.options.values() if isinstance(value, int)
               and not isinstance(value, bool)}
    for width in sorted({3, 5} | options) if channels > 2 else ():
        if 1 < width and width // 2 < channels:
            beside = ((0, 0), (width // 2, (width - 1) // 2), *((0, 0),) * (product.ndim - 2))
            windows = sliding_window_view(np.pad(product, beside), width, axis=1)
            yield windows.sum(axis=-1), f"{width} channels"


def _bases(case, look):
    bases = {"1": np.ones(()), **look.values, "out": look.y}
    for name, value in case.options.items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "iub":
            bases[name] = value.astype(np.float64)
            if (value.dtype.kind in "iu" and look.x.ndim == 2 and value.shape == look.x.shape[:1]
                and 0 <= value.min() and value.max() < look.x.shape[1]):
                bases[f"onehot({name})"] = np.eye(look.x.shape[1])[value]
    for name, value in look.rest.items():
        # not the gradient itself, of a loss that returns it
        if not any(np.array_equal(known, value) for known in (look.analytic, *bases.values())):
            bases[name] = value
    return bases


def _ratios(bases):
    """Products and quotients of two: y/s, γ/σ."""
    named = [(name, value) for name, value in bases.items() if name != "1"]
    found = {}
    for (one, a), (other, b) in combinations(named, 2):
        found.update({f"{one}·{other}": a * b, f"{one}/{other}": a / b, f"{other}/{one}": b / a})
    return {**found, **{f"1/{name}": 1 / value for name, value in named if value.all()}}


def _times(one, other):
    return one if other == "1" else other if one == "1" else f"{one}·{other}"


def _fits(array, shape):
    return array.ndim <= len(shape) and all(one in (1, other) for one, other in zip(
        array.shape[::-1], shape[::-1]))
