"""The right formula with the wrong thing in it: the output where the input is due, a kernel that
was not turned, a bias that was left out.

Such a backward gives the true gradient of forward *at other values*. So forward is differentiated
there, along random directions, and compared with what backward said here:

    numeric at x := f(x)  ==  analytic at x            "uses the output instead of the input"
"""
from collections.abc import Callable, Iterator

import numpy as np

from ..probing import Direction, Place, sides
from .case import Case, Guess, Look
from .names import INPUT, OUTPUT, TERM

STEPS, SINGLE_STEPS = (1e-4, 1e-5, 1e-6), (2e-2, 1e-2)
DIRECTIONS = 2  # in each of four looks
ALONG = "along 8 random directions at two sets of values"


def output_for_input(case: Case) -> Iterator[Guess]:
    """The numeric gradient at x' = f(x) is the analytic one at x, or the other way round."""
    if case.y.shape == case.shape:
        yield at(OUTPUT, case, lambda look: {case.name: look.y}, f"at {case.name} := the output")
        yield Guess(INPUT, lambda look: (look.numeric, _analytic_at_the_output(case, look)),
                    f"analytic at {case.name} := the output = the numeric gradient at {case.name}")


def _analytic_at_the_output(case, look):
    case.subject.put([look.y if name == case.name else value
                      for name, value in look.values.items()])
    try:
        return case.analytic(look.cotangent)
    except Exception:  # outside the domain of the student's code: then it is no explanation
        return np.empty(0)


def left_out(case: Case) -> Iterator[Guess]:
    """The gradient of forward without one of its inputs or options: with it set to 0."""
    for name in case.looks[0].values:
        if name != case.name:
            yield at(TERM, case, lambda look: {name: np.zeros_like(look.values[name])},
                     f"with {name} = 0", f"{name}'s", f": what belongs to {name} is left out")
    for name, value in case.options.items():
        if isinstance(value, float) and value:
            yield at(TERM, case, lambda look: {}, f"with {name} = 0 instead of {value:g}",
                     f"{name}'s", f": what belongs to {name} is left out", {name: 0.0})


# ---------------------------------------------------------------------------------- how it is tried


def at(verdict: str, case: Case, changes: Callable[[Look], dict], words: str, detail: str = "",
       after: str = "", options: dict | None = None) -> Guess:
    """The guess that the numeric gradient at the changed values is the analytic one at the look's
    own."""
    def test(look):
        return along(case, look, look.analytic, case.which, changes(look), options)
    return Guess(verdict, test, f"analytic = the numeric gradient {words}", detail, after=after)


def along(case: Case, look: Look, gradient: np.ndarray, which: int, changes: dict | None = None,
          options: dict | None = None) -> tuple[np.ndarray, np.ndarray] | None:
    """What input number `which` changes along random directions, at the look's values with
    `changes`, and what `gradient` says of it: two arrays, each with the size of that sum behind it.
    None where they differ, or forward fails."""
    if gradient.shape != case.subject.tensors[which].shape:
        return None
    for _ in range(DIRECTIONS):
        direction = case.generator.uniform(-1, 1, gradient.shape)
        terms = gradient * direction
        found, size = _derivative(case, look, changes or {}, direction, which,
                                  options), np.sqrt((terms ** 2).sum())
        if found is None or not case.agree(np.array([found, size]), np.array([terms.sum(), size])):
            return None
    return np.array([found]), np.array([found])


def _derivative(case, look, changes, direction, which, options):
    """Σ cotangent · (f(x + h·v) − f(x − h·v)) / 2h at the look's values with `changes`; None where
    forward fails there or the steps do not agree."""
    subject, before = case.subject, None
    subject.overrides = options or {}
    try:
        place = Place(subject, [changes.get(name, value) for name, value in look.values.items()])
        probe = Direction(place, which, direction)
        for step in SINGLE_STEPS if case.is_single else STEPS:
            plus, minus = sides(place, probe, step * probe.unit)
            if plus.shape != look.cotangent.shape or not np.isfinite(plus - minus).all():
                return None
            found = float((look.cotangent * (plus - minus)).sum()) / (2 * step * probe.unit)
            if before is not None and abs(found - before) <= 1e-7 * abs(found):
                return found
            before = found
    except Exception:  # a value that the student's code refuses: then it is no explanation
        return None
    finally:
        subject.overrides = {}
    return found if np.isfinite(found) else None
