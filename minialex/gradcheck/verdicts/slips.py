"""The derivative of an activation with a slip in it: 1 − h for 1 − h², s for s·(1 − s).

Where the activation is the output, h = y, the wrong gradient is what the right one gives for dout · wrong(y) / right(y). Where
it was kept by forward and has the input's shape, analytic · right(h) = numeric · wrong(h). And where it stands before a product,
W's gradient Xᵀ·d gives d back as long as there are no more examples than columns of X; a gate is a part of its columns.
"""
import numpy as np

from .case import EVERYWHERE
from .names import SLIP, Verdict

SLIPS = (  # (words, right, wrong) as functions of the activation
    ("1 − h for 1 − h²", lambda h: 1 - h * h, lambda h: 1 - h),
    ("1 + h² for 1 − h²", lambda h: 1 - h * h, lambda h: 1 + h * h),
    ("h² for 1 − h²", lambda h: 1 - h * h, lambda h: h * h),
    ("s·(1 − s), a sigmoid's, for 1 − h²", lambda h: 1 - h * h, lambda h: h * (1 - h)),
    ("s: its (1 − s) is missing", lambda s: s * (1 - s), lambda s: s),
    ("1 − s: its s is missing", lambda s: s * (1 - s), lambda s: 1 - s),
    ("s·(1 + s) for s·(1 − s)", lambda s: s * (1 - s), lambda s: s * (1 + s)),
    ("s·(s − 1) for s·(1 − s)", lambda s: s * (1 - s), lambda s: s * (s - 1)),
    ("1 − s², a tanh's, for s·(1 − s)", lambda s: s * (1 - s), lambda s: 1 - s * s),
    ("1: its 1 − h² is missing", lambda h: 1 - h * h, lambda h: 1 + 0 * h),
    ("1: its s·(1 − s) is missing", lambda s: s * (1 - s), lambda s: 1 + 0 * s),
)


def of_the_output(case):
    """The slip is in the last step, where the output itself is the activation."""
    if not case.looks[0].y.ndim:
        return None
    for words, right, wrong in SLIPS:
        with np.errstate(all="ignore"):
            if case.holds(lambda look, right=right, wrong=wrong: _of_output(look, right, wrong)):
                return Verdict(SLIP, f"analytic = the gradient with {words}, of the output, {EVERYWHERE}", words)
    return None


def _of_output(look, right, wrong):
    scaled = look.cotangent * wrong(look.y) / right(look.y)
    return look.combined(scaled) if np.isfinite(scaled).all() else None


def of_what_was_kept(case):
    """The slip is in an activation of the input's shape that forward kept."""
    if any(look.analytic.shape != look.x.shape for look in case.looks):
        return None
    for name, value in case.looks[0].rest.items():
        for words, right, wrong in SLIPS if value.shape == case.shape else ():
            if all(_cross(case, look.numeric, look.analytic, look.rest.get(name), right, wrong) for look in case.looks):
                return Verdict(SLIP, f"analytic = numeric with {words}, of {name}, {EVERYWHERE}", f"{words}, of {name}")
    return None


def through_a_product(case):
    """The slip is in an activation, or a gate, behind the product X·W."""
    if len(case.shape) != 2 or any(look.analytic.shape != case.shape for look in case.looks):
        return None
    first = case.looks[0]
    factors = [name for name, value in _arrays(first).items() if value.ndim == 2 and value.shape[1] == case.shape[0] and
               value.shape[0] <= value.shape[1]]
    for factor in factors:
        for name, value in _arrays(first).items():
            if value.ndim != 2 or len(value) != len(_arrays(first)[factor]) or case.shape[1] % value.shape[1]:
                continue
            for gate in range(case.shape[1] // value.shape[1]):
                for words, right, wrong in SLIPS:
                    if all(_through(case, look, factor, name, gate, right, wrong) for look in case.looks):
                        return Verdict(SLIP, f"analytic = numeric with {words}, of {name}, {EVERYWHERE}", f"{words}, of {name}")
    return None


def _arrays(look):
    return {**look.values, **look.rest, "the output": look.y}


def _through(case, look, factor, name, gate, right, wrong):
    X, h = _arrays(look).get(factor), _arrays(look).get(name)
    if X is None or h is None:
        return False
    behind = [np.linalg.lstsq(X.T, gradient, rcond=None)[0] for gradient in (look.numeric, look.analytic)]
    if not all(case.agree(X.T @ d, gradient) for d, gradient in zip(behind, (look.numeric, look.analytic))):
        return False
    columns = slice(gate * h.shape[1], (gate + 1) * h.shape[1])
    others = np.delete(np.arange(behind[0].shape[1]), np.arange(behind[0].shape[1])[columns])
    same = not len(others) or case.agree(behind[0][:, others], behind[1][:, others])
    return same and _cross(case, behind[0][:, columns], behind[1][:, columns], h, right, wrong)


def _cross(case, numeric, analytic, h, right, wrong):
    return h is not None and h.shape == numeric.shape and numeric.any() and not case.agree(numeric, analytic) and \
        case.agree(numeric * wrong(h), analytic * right(h))
