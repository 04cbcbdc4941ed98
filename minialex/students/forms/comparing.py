"""A step of training code (stepping.Step) beside the derivative of a loss of its output."""
from typing import Any

import numpy as np

from ..called.gradients import Named
from .functions import Composed
from .losses import H, fits, usual, value_of
from .objects import at

SMALL = 1e-4  # of a step: what is done in turn is then done as if at once


def moving(points: list) -> int:
    """The first point at which all weights change: elsewhere the units may be off."""
    return next((place for place, point in enumerate(points)
                 if all(taken for taken, _ in point.values())), 0)


def looked_at(step: Any, seed: int) -> dict:
    """Of one point: {path: (what the step takes off along a direction, [run there, run back])}."""
    values, generator = step.draw(step.wanted, seed), np.random.default_rng([3, seed])
    taken = step.step(values, step.run(values)[1])
    found = {}
    for path in step.wanted:
        direction = generator.standard_normal(values[path].shape)
        there = [_compared(step, *step.run({**values, path: values[path] + h * direction}))
                 for h in (H, -H)]
        found[path] = float((taken[path] * direction).sum()), there
    return found


def _compared(step, record, after):
    return *step.output(record, after), step.written(after)


def outputs_move(point: dict) -> list[bool]:
    """Of each weight: does the output change with it?"""
    return [not np.array_equal(plus[0], minus[0]) for _, (plus, minus) in point.values()]


def of_two(points: list, rate: float) -> dict[str, Any]:
    """{words: loss} of an output in two parts, of which each has a loss of its own, as a policy and
    a value have: the sum of both. Nothing where one of them explains no weight."""
    (_, targets, _), _ = next(iter(points[0].values()))[1]
    found = []
    for place, (target, shape) in enumerate(targets):
        start = sum(int(np.prod(shape)) for _, shape in targets[:place])
        part = slice(start, start + int(np.prod(shape)))
        best: tuple = ((0, 0.0), "", None)
        for words, loss in usual(False, isinstance(target, tuple)).items():
            def of(y, both, loss=loss, part=part, place=place, shape=shape):
                return loss(y[part].reshape(shape), both[place][0])
            fit, factor = fits(points, of, rate)
            if fit and (fit, -abs(np.log(factor * rate))) > best[0]:
                def scaled(y, both, of=of, factor=factor):
                    return of(y, both) / factor
                best = (fit, -abs(np.log(factor * rate))), words, scaled
        found.append(best)
    if not all(fit for (fit, _), *_ in found):
        return {}
    return {f"as the gradient of {' and '.join(words for _, words, _ in found)}":
            lambda y, both: sum(one(y, both) for *_, one in found)}


def code_of(name: str, step: Any, loss: Any, factor: float, names: dict,
            is_told: bool) -> Composed:
    """The loss of a step's output, and what the step takes off the weights."""
    paths = {name: path for path, name in names.items()}
    several = [(1 / (1 + seed), step.draw([], seed)) for seed in range(1 + bool(step.turned))]

    def forward(**given):
        total, cache = 0.0, []
        for part, examples in several:
            values = {**examples, **{paths[name]: value for name, value in given.items()}}
            record, after = step.run(values)
            total += part * value_of(loss, _compared(step, record, after))
            cache.append((values, after))
        return total, cache

    def backward(cache):
        taken = [(part, step.step(*one)) for (part, _), one in zip(several, cache)]
        return Named({names[path]: factor * sum(part * one[path] for part, one in taken)
                      for path in step.wanted})

    def faintly(cache):
        found = []
        for step.share in (SMALL, SMALL / 2):
            found.append(backward([(values, step.run(values)[1]) for values, _ in cache]))
        step.share = 1.0
        return Named({name: (4 * half - one) / SMALL for (name, one), half in zip(
            found[0].items(), found[1].values())})
    code = Composed(forward, backward, f"one step of {name}", step.file)
    code.updating, code.wanted, code.stepped = True, [], step.stepped
    code.missed, code.is_told = step.missed, is_told
    code.data = {name.rpartition(".")[2]: at(step.space, name.split(".")) for name in step.data}
    if hasattr(step, "share"):  # its learning rates can be set
        code.faint = lambda: Composed(forward, faintly, code.title, step.file)
    return code
