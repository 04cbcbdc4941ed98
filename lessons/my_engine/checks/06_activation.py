"""Brick 6: ReLU, with zeros among its inputs, and tanh."""
import numpy as np
from bricks import operation, right

import minialex.functional as F


def check(ReLU, Tanh):
    generator = np.random.default_rng(6)
    x = generator.normal(size=(3, 4, 2))
    x[0, 0, 0] = 0.0
    expected = y, g, (dx,) = right(F.relu, x)
    operation(ReLU, [x], expected, forward=[
        (np.abs(x), "what is negative becomes 0, not positive."),
        (np.minimum(x, 0), "the other side: what is positive stays."),
        ((x > 0).astype(float), "that is the slope. y is x where x > 0."),
        (np.where(x > 0, x, 0.1 * x), "that is exercise 6's ReLU, which leaks. "
         "AlexNet's gives 0 there."),
    ], backward=[("x", [
        (g, "where x was negative, y does not move: the slope is 0 there."),
        (g * (x >= 0), "at 0 itself the slope of this course is 0: x > 0, not x >= 0."),
        ((x > 0).astype(float), "multiply by g: that is dy/dx, dL/dx is wanted."),
        (g * x * (x > 0), "one factor too many: the slope is 1 or 0, without x."),
        (np.maximum(g, 0), "which side it was is decided by x, not by g."),
        (np.where(x > 0, g, 0.1 * g), "that is exercise 6's ReLU, which leaks. "
         "AlexNet's slope is 0 there."),
    ])])
    expected = y, g, (dx,) = right(F.tanh, x)
    operation(Tanh, [x], expected,
              forward=[(1 / (1 + np.exp(-x)), "that is the sigmoid: np.tanh.")], backward=[
        ("x", [(1 - y**2, "multiply by g: that is dy/dx, dL/dx is wanted."),
               (g * (1 - x**2), "the slope is 1 - y², with what came out, not 1 - x²."),
               (g * y * (1 - y), "that is the sigmoid's slope: tanh has 1 - y²."),
               (g * (1 - y), "y is squared: 1 - y²."), (g, "the slope is missing: g·(1 - y²).")])])
    return "Two bends, and what they do to the slopes that pass."
