"""A sum of which one term is missing, or was added by mistake: numeric − analytic = k · Q for a quantity Q that has a name.

Candidates are made of what backward has at hand, the inputs, the output, what forward kept, labels as one-hot rows:

    Q = b                         weight decay: w; a loss's −target
    Q = dout · b                  an identity path: dout
    Q = b · Σ_axes (dout · c)     softmax: y · Σ dout·y; LRN: x · Σ over neighbouring channels of dout·y/s
    Q = b · Σ_axes (analytic · c)     batch normalisation: x̂ · Σ analytic·x̂

The same k must make both sides equal at every entry in all four trials; or the same k₁ and k₂ for two of them.
"""
from itertools import combinations

import numpy as np

from .case import EVERYWHERE
from .names import TERM, TOO_MANY, Verdict

LIKELY = 1e-9  # of the squared residual: what is fitted so well is tried number by number


def diagonal_only(case):
    """Only the part that each output's own input has in it."""
    if case.looks[0].y.shape != case.shape or case.looks[0].x.size < 2:
        return None

    def own(look):
        jacobian = look.jacobian.reshape(look.y.size, -1)
        return look.cotangent * np.diagonal(jacobian).reshape(look.x.shape)

    if case.holds(own):
        return Verdict(TERM, f"analytic = dout · ∂y[i]/∂{case.name}[i], {EVERYWHERE}: that the other outputs depend on "
                       f"{case.name}[i], too, is left out", "the other outputs'")
    return None


def one_term(case):
    """One named term, or two."""
    looks = case.looks
    if any(look.analytic.shape != look.x.shape for look in looks):
        return None
    names, columns = _quantities(case)
    residual = np.concatenate([(look.numeric - look.analytic).ravel() for look in looks])
    if not names or not residual.any():
        return None
    Q = np.array(columns)
    with np.errstate(all="ignore"):
        sizes = np.sqrt((Q ** 2).sum(axis=1))
    keep = np.isfinite(sizes) & (sizes > 0)
    Q, names, sizes = Q[keep] / sizes[keep, None], [name for name, k in zip(names, keep) if k], sizes[keep]
    return _single(case, Q, names, sizes, residual) or _double(case, Q, names, sizes, residual)


def _single(case, Q, names, sizes, residual):
    along = Q @ residual
    left = 1 - along ** 2 / (residual ** 2).sum()
    for best in np.flatnonzero(left < LIKELY):
        fitted = along[best] * Q[best]
        if _exact(case, fitted, residual):
            return _verdict(case, names[best], along[best] / sizes[best])
    return None


def _double(case, Q, names, sizes, residual):
    """Two terms at once, where the two derivatives of a mean and of a variance are both missing."""
    chosen = [i for i, name in enumerate(names) if _is_plain(name)]
    if len(chosen) < 2 or residual.size < 12:
        return None
    Q, names, sizes = Q[chosen], [names[i] for i in chosen], sizes[chosen]
    gram, along, total = Q @ Q.T, Q @ residual, (residual ** 2).sum()
    for one, other in combinations(range(len(names)), 2):
        determinant = 1 - gram[one, other] ** 2
        if determinant < 1e-6:
            continue
        a = (along[one] - gram[one, other] * along[other]) / determinant
        b = (along[other] - gram[one, other] * along[one]) / determinant
        if abs(1 - (a * along[one] + b * along[other]) / total) < LIKELY and _exact(case, a * Q[one] + b * Q[other], residual):
            k, m = a / sizes[one], b / sizes[other]
            return Verdict(TERM, f"numeric − analytic = {k:.6g} · {names[one]} + {m:.6g} · {names[other]} at all "
                           f"{case.looks[0].x.size} entries, {EVERYWHERE}", f"two: {names[one]} and {names[other]}")
    return None


def _is_plain(name):
    """Σ driver, b·Σ driver·b, or no sum at all and at most one factor: few enough to be tried two by two."""
    if "Σ" not in name:
        return name.count("·") + name.count("/") <= 1
    factor, inside = name.split("Σ")
    return inside.endswith("(dout)") or inside.endswith("(analytic)") or inside.endswith(f"·{factor.rstrip('·')})") and factor


def _exact(case, fitted, residual):
    scale = max(max(abs(look.numeric).max(), abs(look.analytic).max()) for look in case.looks)
    return abs(fitted - residual).max() <= case.tolerance * scale and abs(fitted).max() > 10 * case.tolerance * scale


def _verdict(case, name, k):
    evidence = f"numeric − analytic = {k:.6g} · {name} at all {case.looks[0].x.size} entries, {EVERYWHERE}"
    if "dout" not in name and "analytic" not in name and case.looks[0].y.size > 1:
        return Verdict(TOO_MANY, f"{evidence}: it does not depend on dout, so it is no part of this gradient", name)
    return Verdict(TERM, evidence, name)


# ------------------------------------------------------------------------------------------------ what may be missing


def _quantities(case):
    """(names, columns): each column holds one quantity in all four looks, one after the other."""
    with np.errstate(all="ignore"):
        per_look = [dict(_of_one_look(case, look)) for look in case.looks]
    names = [name for name in per_look[0] if all(name in found for found in per_look)]
    return names, [np.concatenate([found[name].ravel() for found in per_look]) for name in names]


def _of_one_look(case, look):
    shape = look.x.shape
    bases = _bases(case, look)
    fitting = {name: base for name, base in bases.items() if _fits(base, shape)}
    scalar = look.cotangent.size == 1
    for name, base in fitting.items():
        yield (f"dout·{name}" if scalar and case.subject_takes_dout() else name), \
            np.broadcast_to(base * (look.cotangent.reshape(()) if scalar else 1), shape)
    if scalar or not _fits(look.cotangent, shape):
        return
    factors = {**fitting, **_ratios(fitting)}
    for name, base in factors.items():
        yield _times("dout", name), np.broadcast_to(look.cotangent * base, shape)
    for driver, array in (("dout", look.cotangent), ("analytic", look.analytic)):
        if array.shape == shape:
            yield from _sums(driver, array, fitting, factors, shape, case)


def _sums(driver, array, fitting, factors, shape, case):
    """b · Σ (driver · c), the sum over whole axes, or over windows along one axis."""
    for name, base in factors.items():
        product = np.broadcast_to(array * base, shape)
        for axes, words in _axes(shape):
            total = product.sum(axis=axes, keepdims=True)
            for other, factor in fitting.items():
                yield _times(other, f"Σ[{words}]({_times(driver, name)})"), np.broadcast_to(total * factor, shape)
        if len(shape) > 1 and shape[1] > 2:
            for width in _widths(case, shape[1]):
                total = _window_sum(product, width)
                for other, factor in fitting.items():
                    yield _times(other, f"Σ[{width} channels]({_times(driver, name)})"), total * factor


def _axes(shape):
    """(axes, words) to sum over. Not axes of length 1: the sum of the analytic gradient would be the analytic gradient, and
    numeric − analytic = −1 · analytic + (what is right) is always true."""
    plain = [axis for axis, length in enumerate(shape) if length > 1]
    for count in range(1, min(len(plain), 4) + 1):
        for axes in combinations(plain, count):
            yield axes, "all" if len(axes) == len(plain) > 1 else "axis " + ",".join(map(str, axes))


def _widths(case, channels):
    options = {value for value in case.options.values() if isinstance(value, int) and not isinstance(value, bool)}
    return sorted(width for width in {3, 5} | options if 1 < width and width // 2 < channels)


def _window_sum(a, width):
    total = np.zeros_like(a)
    for channel in range(a.shape[1]):
        total[:, channel] = a[:, max(0, channel - width // 2):channel - width // 2 + width].sum(axis=1)
    return total


def _bases(case, look):
    bases = {"1": np.ones(())}
    bases.update(look.values)
    bases["out"] = look.y
    for name, value in case.options.items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "iub":
            bases[name] = value.astype(np.float64)
            if value.ndim == 1 and value.dtype.kind in "iu" and look.x.ndim == 2 and len(value) == len(look.x) and \
                    value.size and 0 <= value.min() and value.max() < look.x.shape[1]:
                bases[f"onehot({name})"] = np.eye(look.x.shape[1])[value]
    for name, value in look.rest.items():
        if not any(known.shape == value.shape and np.array_equal(known, value) for known in bases.values()):
            bases[name] = value
    return bases


def _ratios(bases):
    """Products and quotients of two: y/s, γ/σ."""
    found = {}
    for (one, a), (other, b) in combinations([(n, v) for n, v in bases.items() if n != "1"], 2):
        found[f"{one}·{other}"], found[f"{one}/{other}"], found[f"{other}/{one}"] = a * b, a / b, b / a
    found.update({f"1/{name}": 1 / value for name, value in bases.items() if name != "1" and value.all()})
    return found


def _times(one, other):
    return one if other == "1" else other if one == "1" else f"{one}·{other}"


def _fits(array, shape):
    try:
        return np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        return False
