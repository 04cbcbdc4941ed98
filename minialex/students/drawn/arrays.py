"""Arrays: those that are drawn for a layout's letters, other values for them; how they are told."""
import re

import numpy as np

from ...utils.table import times
from ..called import small
from ..reading.sources import thresholds


def of_letters(letters, layout, generator, before, known):
    """An array for the letters of a layout, "ND" of shape (N, D), or for a word in their place,
    "one-hot". before: what is drawn already, whose shape labels follow; known: its role."""
    if letters == "flat":  # the weights and biases of two layers, in one row
        D, J, M = layout.numbers("DJM")
        return generator.standard_normal((D + 1) * J + (J + 1) * M)
    if letters == "index":
        return int(generator.integers(0, layout.sizes["Q"]))
    if letters == "few":
        few = generator.integers(0, min(layout.numbers("MQ")), layout.numbers("N"))
        few[0] = min(layout.numbers("MQ")) - 1  # who counts them as y.max() + 1 sees them all
        return few
    if letters.startswith("hot"):
        columns = letters.endswith("N")
        count = layout.sizes[letters[3]]
        rows = np.eye(count)[generator.integers(0, count, layout.sizes["N"])].astype(int)
        return rows.T if columns else rows
    if letters in ("classes", "classes1", "one-hot", "steps"):
        shapes = [value.shape for value in before.values() if isinstance(value, np.ndarray)
                  and value.ndim >= 2]
        *rows, classes = shapes[0] if shapes else layout.numbers("NQ")
        labels = generator.integers(0, classes, rows if letters != "classes1" else [*rows, 1])
        return np.eye(classes, dtype=int)[labels] if letters == "one-hot" else labels
    if letters in ("id", "ids"):  # from 1 on: 0 may be padding, whose row is kept at zero
        return generator.integers(1, layout.sizes["V"],
                                  layout.numbers("N" if letters == "id" else "NT"))
    if letters == "positive":
        return generator.uniform(0.5, 2, layout.numbers("NQ"))
    known, letters = ("probs", "NQ") if letters == "probs" else (known, letters)
    shape = layout.numbers(letters)
    if known == "mask":
        return generator.integers(0, 2, shape).astype(bool)
    if known == "probs":
        weights = np.exp(generator.standard_normal(shape))
        return weights / weights.sum(axis=-1, keepdims=True)
    drawn = generator.standard_normal(shape)
    # of a number near 0 too much is equal: tanh(x), x
    return drawn if shape else np.asarray(drawn + np.copysign(0.5, drawn))


def whole_numbers(values, seed):
    """The same inputs with the first floating array replaced by whole numbers from −2 to 2: zeros,
    ties. None where it holds probabilities."""
    name = next((name for name, value in values.items() if isinstance(value, np.ndarray)
                 and value.dtype.kind == "f"), None)
    if name is None or values[name].ndim and np.allclose(values[name].sum(axis=-1), 1):
        return None
    return {**values,
            name: np.random.default_rng(seed).integers(-2, 3, values[name].shape).astype(float)}


SMALL = 1e-3
REACH, FAR = 10, 30  # how far values go; from which on a number keeps exp() finite, no more


def wide(values, file):
    """The same inputs with the first floating array so large that it goes beyond the numbers with
    which a file compares, where others do not reach them: the 6 of a ReLU6, the 3 of a Huber loss.
    None elsewhere."""
    whole = whole_numbers(values, 0)
    name = next((name for name in whole or () if whole[name] is not values[name]), None)
    limit = max((number for number in thresholds(file) if 1 < number < FAR), default=0)
    if name is None or not limit or min(small.numbers(file), default=1) <= small.SMALL:
        return None
    reach = min(values[name].max(), -values[name].min())
    return {**values, name: values[name] * max(REACH, 1.5 * limit) / reach} if reach > 0 else None


def others(values: dict, text: str, is_loss: bool) -> list[dict]:
    """The same inputs with other numbers, where those hide what code in this text does: a larger
    eps, where it is a factor, since so little of it as keeps a root from 0 hides what it
    multiplies; arrays so small that a loss's margin is not passed."""
    factors = {name: 0.7 for name, value in values.items() if isinstance(value, float)
               and 0 < value < SMALL
               and re.search(rf"\b{name}\b *\*(?!\*)|[^*]\* *{name}\b", text)}
    near = {name: value / 10 for name, value in values.items() if isinstance(value, np.ndarray)
            and value.dtype.kind == "f"}
    if not (is_loss and re.search(r"maximum\(|max\(|where\(|clip\(|[<>]", text)) or any(
            value.ndim and np.allclose(value.sum(axis=-1), 0.1) for value in near.values()):
        near = {}  # or they are probabilities
    return [{**values, **one} for one in (factors, near) if one]


def told(values):
    """{name: "2×3×7×9"}: shapes of arrays, labels with their range, options as they are."""
    found = {}
    for name, value in values.items():
        if isinstance(value, dict) and any(isinstance(one, np.ndarray) for one in value.values()):
            found.update(told(value))
        elif isinstance(value, (list, tuple)) and any(isinstance(one, np.ndarray) for one in value):
            found.update(told({f"{name}[{i}]": one for i, one in enumerate(value)}))
        else:
            found[str(name)] = _told(value)
    return found


def _told(value):
    if not isinstance(value, np.ndarray):
        return str(value)
    return times(value.shape) + (" whole numbers" if value.dtype.kind in "iu" else "")
