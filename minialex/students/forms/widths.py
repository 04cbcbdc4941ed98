"""Inputs and targets as wide as a network is whose sizes are written in its constructor."""
import numpy as np

from ..called import binding
from ..drawn import used
from ..names import role
from . import objects
from .preparing import returned


def wide_enough(prototype: object, forward: str, values: dict, weights: list) -> dict:
    """The same inputs, the first as wide as some weights, whose paths are given: of a network whose
    sizes are written in its constructor."""
    name = next((name for name, value in values.items() if np.ndim(value) == 2
                 and binding.is_checked(value)), None)
    arrays = [array for path, array in objects.arrays(prototype) if array.ndim == 2
              and path in weights and role(str(path[-1])) not in ("x", "labels")] if name else []
    sizes = [size - column for column in (0, 1) for array in arrays for size in array.shape]
    N = len(values[name]) if name else 0
    shapes = [shape for size in dict.fromkeys(sizes) for shape in ((N, size), (size, N))]
    for shape in [None, *shapes]:  # a column of ones may be added
        tried = values if shape is None else {**values, name: np.random.default_rng(
            max(shape)).standard_normal(shape)}
        if returned(prototype, forward, tried):
            return tried
    return values


def as_index(prototype: object, forward: str, values: dict, targets: dict,
             backward: object) -> dict:
    """The targets, a class where the output is that of one example and backward looks up what
    stands there: y[label] = 1; of several, p[range(N), y] = 1, classes that there are."""
    outputs = [objects.last_of(result) if objects.is_every_layer(result, values) else
               result[0] if isinstance(result, tuple) else result
               for result in returned(prototype, forward, values)]
    size = max((np.size(one) for one in outputs
                if np.ndim(one) and np.size(one) == max(np.shape(one))), default=0)
    axes = {name: used.axis_of_classes(backward, name) for name in targets} if backward else {}
    for name, axis in axes.items():
        if axis is not None and outputs and np.ndim(outputs[0]) == 2:
            M, N = outputs[0].shape[axis], outputs[0].shape[1 - axis]
            targets = {**targets, name: np.random.default_rng(7).integers(0, M, N)}
    return {name: 1 if size > 1 and used.is_index(backward, name) else target
            for name, target in targets.items()}


def as_wide(prototype: object, forward: str, values: dict, targets: dict,
            columns: bool = False) -> dict:
    """The targets, in the shape of the output where that is none of theirs: of such a network.
    columns: those of a class for each column of probabilities, too."""
    outputs = [one for result in returned(prototype, forward, values)
               for one in (result if isinstance(result, tuple) else [result])
               if isinstance(one, np.ndarray) and one.ndim == 2]
    if not outputs and all(np.ndim(value) < 2 for value in values.values()):  # of one example
        rows = [one for one in returned(prototype, forward, values)
                if isinstance(one, (np.ndarray, list)) and np.iterable(one) and len(one)
                and not any(np.ndim(part) for part in one)]
        return {name: np.eye(len(rows[0]))[1 % len(rows[0])] if np.ndim(target) == 1 and rows
                and np.shape(rows[0]) != np.shape(target) else target
                for name, target in targets.items()}
    shapes = {one.shape for one in outputs} | {one.shape[::-1] for one in outputs}
    parts = outputs[-1] if outputs and forward != "loss" else np.zeros((1, 1))
    axis = next((axis for axis in (0, 1) if parts.shape[axis] > 1 and (parts > 0).all()
                 and np.allclose(parts.sum(axis), 1)), None)
    if axis is not None:  # of probabilities
        hot = np.eye(parts.shape[axis])[np.arange(parts.shape[1 - axis]) % parts.shape[axis]]
        return {name: (hot if axis else hot.T) if np.shape(target) == parts.shape and (
                    binding.is_checked(target)) or np.ndim(target) == 2 and (
                    target.shape not in shapes) or columns and not axis and np.shape(
                        target) == parts.shape[1:] else target for name, target in targets.items()}
    return {name: target if not outputs or np.ndim(target) != 2 or target.shape in shapes
            else one_hot(outputs[-1].shape, len(next(iter(values.values())))) for name, target
            in targets.items()}


def one_hot(shape: tuple, N: int) -> np.ndarray:
    """One class for each of N examples, in rows or else in columns; 0 or 1 for one output."""
    generator, (count, M) = np.random.default_rng(7), shape if shape[0] == N else shape[::-1]
    if M == 1:
        return generator.integers(0, 2, shape)
    rows = np.eye(M, dtype=int)[generator.integers(0, M, count)]
    return rows if shape[0] == N else rows.T
