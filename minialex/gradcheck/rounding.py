"""How finely forward and backward compute: float64, or float32 or less somewhere inside.

Forward: along a straight line of five close points, a smooth function has a fourth difference of
about h⁴; what is left of it is rounding, each point's error times √(1 + 16 + 36 + 16 + 1) = √70 (a
difference table, as in J. J. Moré and S. M. Wild, "Estimating computational noise", 2011). Backward
is linear in dout: how far backward(a) + backward(b) is from backward(a + b) is rounding, too.
"""
import numpy as np

from ..device import array_module
from .probing import DOUBLE
from .tensor_function import Checked

# times a typical entry: a wild function is smooth on the smallest, noise is the same on two
SPACINGS = (1e-4, 1e-6, 1e-8)
# what is left on a spacing a hundred times smaller: a fourth difference is 10⁻⁸ of it, that of a
# kink 10⁻²
SAME = 1 / 30
SINGLE = 1e-11  # a rounding larger than this is not that of float64
HALF = 2e-6  # and larger than this not that of float32: too coarse for any numeric derivative
SQUARES = 70 ** 0.5


def of_forward(subject: Checked, generator: np.random.Generator) -> float:
    """The relative rounding of a typical output that moves; at least float64's."""
    directions = [generator.uniform(-1, 1, tensor.shape) for tensor in subject.tensors]
    found = [_at(subject, directions, spacing) for spacing in SPACINGS]
    subject.put(subject.originals)
    coarse, middle, _ = found
    if coarse is not None and middle is not None and middle > SAME * coarse:
        return max(middle, DOUBLE)  # and on the smallest one, float32 does not move at all
    known = [value for value in found if value is not None]
    # of numbers that float32 hardly moves a single spacing may show none by chance
    shown = [value for value in known if value]
    return max(min(shown if len(shown) > 1 else known, default=0.0), DOUBLE)


def _at(subject, directions, spacing):
    points = []
    for position in range(5):
        for tensor, original, direction in zip(subject.tensors, subject.originals, directions):
            size = float(abs(original).mean()) or 1.0
            tensor.data[...] = original + array_module(original).asarray(position * spacing * size
                                                                         * direction)
        with np.errstate(all="ignore"):
            points.append(subject.output())
    xp = array_module(points[0])
    points = xp.stack([point.astype(np.float64).reshape(-1) for point in points])
    moved = (points != points[0]).any(axis=0) & xp.isfinite(points).all(axis=0)
    if not bool(moved.any()):
        return None
    fourth = abs(points[0] - 4 * points[1] + 6 * points[2] - 4 * points[3] + points[4])
    return float(xp.median(fourth[moved] / xp.maximum(abs(points[:, moved]).max(axis=0),
                                                      1e-300))) / SQUARES


def of_backward(subject: Checked, cotangent: np.ndarray, gradients: list,
                generator: np.random.Generator) -> list[float]:
    """For each input how far its gradient is from being linear in dout, at most: 0.0 where that is
    no rounding but a mistake."""
    if not cotangent.ndim or not subject.takes_dout():
        return [0.0] * len(gradients)
    other = np.asarray(generator.standard_normal(cotangent.shape))
    return [_defect(*three) for three in zip(gradients, subject.gradients(other),
                                             subject.gradients(cotangent + other))]


def _defect(a, b, total):
    if (a is None or b is None or total is None or not a.shape == b.shape == total.shape
        or not a.size):
        return 0.0
    with np.errstate(invalid="ignore"):  # infinite gradients are told elsewhere
        defect = float(abs(a + b - total).max())
    return defect if defect < 1e-4 * float(abs(total).max()) else 0.0
