"""Which loss explains what one step of training takes off the weights.

A step is a stepping.Step or an observed.Observed: run(values) gives (record, after), output(record,
after) gives (output, target), step(values, after) what was taken off.
"""
from typing import Any

import numpy as np

from . import objects
from .comparing import code_of, looked_at, moving, of_two, outputs_move
from .functions import Reading
from .layers import STEPPED, NotChecked
from .losses import LOSSES, fits, is_same, usual
from .objects import rates
from .steps import of_one_size

MOST = 8  # losses that are looked at closely
POINTS = 3  # where steps are compared with a loss
UNCOMPARED = "what is compared with the targets was not found in it"


def explained(name: str, step: Any) -> list[Reading]:
    """The step as the gradient of each loss that it may be that of, those that explain most first.
    Raises NotChecked."""
    found, points = ranked(name, step)
    if step.place is None and not found[0][0][0]:  # it may be told, and not meant
        raise NotChecked(UNCOMPARED)
    if is_told := not found[0][0][0] and _is_told(step, points):
        found = [one for one in found if isinstance(one[2], str)]
    names, values = {path: objects.label(path) for path in step.wanted}, step.draw(
        step.wanted, moving(points))
    return [Reading(code_of(name, step, loss, factor, names, is_told),
                    {names[path]: values[path] for path in step.wanted}, words)
            for _, words, loss, factor in found[:MOST]]


def ranked(name: str, step: Any) -> tuple[list, list]:
    """([((how many weights it explains, …), words, loss, factor)], the points where that was looked
    at), the best first. Raises NotChecked."""
    values = step.draw(step.wanted, 0)
    _, after = step.run(values)
    taken = step.step(values, after)
    stepped = of_one_size({objects.label(path): one for path, one in taken.items()})
    step.wanted = [path for path in step.wanted if objects.label(path) not in stepped]
    if not step.wanted:
        raise NotChecked(f"it changes {', '.join(stepped)} by {STEPPED}")
    step.stepped = stepped
    points = [looked_at(step, seed) for seed in range(POINTS)]
    losses = {f"{name}, as it is written": name for name in step.losses}
    rate = next((value for _, value in rates(step.space) if value > 0), None)
    if step.second is not None:
        losses.update(of_two(points, rate or 1.0))
    elif step.place is not None:
        (_, target, _), _ = next(iter(points[0].values()))[1]
        losses.update((f"as the gradient of {words}", loss) for words, loss in usual(
            is_margin(step.place), isinstance(target, tuple)).items())
    if not any(change for point in points for change in outputs_move(point)):
        raise NotChecked("its output is a threshold, which has no derivative, as a perceptron's: "
                         "its rule is the gradient of no loss of this output")
    found = []
    for place, (words, loss) in enumerate(losses.items()):
        fit, factor = fits(points, loss, rate or 1.0)
        if fit is None:
            continue
        off = abs(np.log(factor * (rate or 1.0)))
        by = f", times {1 / (factor * rate):.3g}" if rate and off > 1e-4 else ""
        found.append(((fit, -round(off, 6) if rate else 0, -place), words + by, loss, factor))
    if not found:
        raise NotChecked("no loss of its output is a number")
    found.sort(key=lambda one: one[0], reverse=True)
    return found, points


def is_margin(place: tuple) -> bool:
    """Was it multiplied by its targets, and not compared with them?"""
    return bool(place[0])


def _is_told(step, points):
    """Does the file compute a loss that is one of the usual ones, of all layers' weights? What is
    the gradient of no loss is then wrong."""
    compared = [plus for point in points for _, (plus, _) in point.values()]
    return step.place is not None and sum(
        one.ndim > 1 for one in step.draw(step.wanted, 0).values()) > 1 and any(
            is_same(name, loss, compared) for name in step.losses for loss in LOSSES.values())
