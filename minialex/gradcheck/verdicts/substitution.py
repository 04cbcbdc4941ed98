"""The right formula with the wrong thing in it: the output where the input is due, a kernel that was not turned, a bias
that was left out.

Such a backward gives the true gradient of forward *at other values*. So forward is differentiated there, along random
directions, and compared with what backward said here:

    numeric at x := f(x)  ==  analytic at x            "uses the output instead of the input"
"""
import numpy as np

from .case import put, root_mean_square
from .names import FLIPPED, INPUT, OUTPUT, TERM, TRANSPOSED, Verdict

STEPS, SINGLE_STEPS = (1e-4, 1e-5, 1e-6), (2e-2, 1e-2)
TRIALS = 2  # directions in each of four looks
WHERE = "along 8 random directions at two sets of values"


def output_for_input(case):
    """The numeric gradient at x' = f(x) is the analytic one at x, or the other way round."""
    if any(look.y.shape != look.x.shape for look in case.looks):
        return None
    if explains(case, lambda look: {case.name: look.y}):
        return Verdict(OUTPUT, f"analytic = the numeric gradient at {case.name} := the output, {WHERE}")
    if _explains_backwards(case):
        return Verdict(INPUT, f"analytic at {case.name} := the output = the numeric gradient at {case.name}, {WHERE}")
    return None


def kernel_not_turned(case):
    """dx with another input's last axes mirrored, or two of its axes swapped."""
    for name, value in case.looks[0].values.items():
        if name == case.name or value.ndim < 2:
            continue
        if value.ndim >= 3:
            for axes in ((-2, -1), (-1,), (-2,)):
                if explains(case, lambda look, name=name, axes=axes: {name: np.flip(look.values[name], axes)}):
                    return Verdict(FLIPPED, f"analytic = the numeric gradient with {name} mirrored along its "
                                   f"{'last two axes' if len(axes) == 2 else f'axis {value.ndim + axes[0]}'}, {WHERE}",
                                   f"of {name}")
        for one in range(value.ndim):
            for other in range(one + 1, value.ndim):
                if value.shape[one] == value.shape[other] > 1 and explains(
                        case, lambda look, name=name, a=one, b=other: {name: look.values[name].swapaxes(a, b)}):
                    return Verdict(TRANSPOSED, f"analytic = the numeric gradient with axes {one} and {other} of {name} swapped, "
                                   f"{WHERE}", f"{name} instead of its transpose")
    return None


def left_out(case):
    """The gradient of forward without one of its inputs or options: with it set to 0."""
    for name in case.looks[0].values:
        if name != case.name and explains(case, lambda look, name=name: {name: np.zeros_like(look.values[name])}):
            return Verdict(TERM, f"analytic = the numeric gradient with {name} = 0, {WHERE}: what belongs to {name} is left out",
                           f"{name}'s")
    for name, value in case.options.items():
        if isinstance(value, float) and value and explains(case, lambda look: {}, {name: 0.0}):
            return Verdict(TERM, f"analytic = the numeric gradient with {name} = 0 instead of {value:g}, {WHERE}: what belongs "
                           f"to {name} is left out", f"{name}'s")
    return None


# ------------------------------------------------------------------------------------------------ how it is tried


def explains(case, changes, options=None):
    """Is the numeric gradient at the changed values the analytic one at the look's own?"""
    return all(look.analytic.shape == look.x.shape and
               agrees_along(case, look, look.analytic, case.which, changes(look), options) for look in case.looks)


def agrees_along(case, look, gradient, which, changes=None, options=None):
    """Is `gradient` that of input number `which`, along random directions, at the look's values with `changes`?"""
    for _ in range(TRIALS):
        direction = case.generator.uniform(-1, 1, gradient.shape)
        if not _same(case, derivative_along(case, look, changes or {}, direction, which, options), gradient * direction):
            return False
    return True


def _explains_backwards(case):
    for look in case.looks:
        try:
            put(case.subject, [look.y if name == case.name else value for name, value in look.values.items()])
            with np.errstate(all="ignore"):
                elsewhere = case.analytic(look.cotangent)
        except Exception:  # outside the domain of the student's code: then it is no explanation
            return False
        if elsewhere.shape != look.x.shape or not case.agree(elsewhere, look.numeric):
            return False
    return True


def _same(case, numeric, terms):
    return numeric is not None and abs(numeric - terms.sum()) <= case.tolerance * max(np.sqrt((terms ** 2).sum()), 1e-300)


def derivative_along(case, look, changes, direction, which, options=None):
    """Σ cotangent · (f(x + h·v) − f(x − h·v)) / 2h at the look's values with `changes`; None where forward fails there or the
    steps do not agree."""
    subject = case.subject
    bases = [changes.get(name, value) for name, value in look.values.items()]
    if any(base.shape != tensor.shape for base, tensor in zip(bases, subject.tensors)):
        return None
    found = []
    try:
        subject.overrides = options or {}
        unit = root_mean_square(bases[which]) or 1.0
        for step in SINGLE_STEPS if case.is_single else STEPS:
            sides = []
            for sign in (1, -1):
                put(subject, bases)
                subject.tensors[which].data[...] += sign * step * unit * direction
                with np.errstate(all="ignore"):
                    sides.append(subject.output())
            if sides[0].shape != look.cotangent.shape or not np.isfinite(sides).all():
                return None
            found.append(float((look.cotangent * (sides[0] - sides[1])).sum()) / (2 * step * unit))
            if len(found) > 1 and abs(found[-1] - found[-2]) <= 1e-7 * abs(found[-1]):
                return found[-1]
    except Exception:  # a value that the student's code refuses: then it is no explanation
        return None
    finally:
        subject.overrides = {}
    return found[-1] if np.isfinite(found[-1]) else None
