"""Exercise 6: the leaky ReLU, forward and backward."""
import numpy as np
from checking import call, gradients, same, slopes

import minialex as ma


def check(LeakyReLU):
    generator = np.random.default_rng(6)
    x, g = generator.normal(size=(3, 4)), generator.normal(size=(3, 4))
    slope = np.where(x > 0, 1, 0.1)
    same("forward", call(LeakyReLU().forward, x), slope * x, [
        (np.maximum(x, 0), "that is ReLU: to the left of 0 a tenth of x gets through."),
        (np.abs(slope * x), "to the left y is negative: 0.1·x, not 0.1·|x|."),
        (0.1 * x, "to the right of 0 everything gets through."),
        (np.where(x > 0, 0.1, 1) * x, "the two sides are the other way round."),
        (slope, "that is the slope. y is the slope times x."),
    ])
    (found,) = slopes(LeakyReLU, [x], g)
    same("backward", found, slope * g, [
        (slope, "multiply by g: that is dy/dx, dL/dx is wanted."),
        (np.where(x > 0, g, 0), "that is ReLU's: to the left of 0 a tenth of g gets through."),
        (np.where(x > 0, g, 0.1), "to the left it is 0.1·g."),
        (np.where(x > 0, g, -0.1 * g), "y climbs to the left of 0, too: the slope there is +0.1."),
        (np.where(x > 0, g, 0.1 * x), "to the left it is 0.1·g: the value is 0.1·x, "
         "its slope is 0.1."),
        (slope * x, "that is y. Backward returns the slope times g."),
        (slope * g * x, "one factor too many: dL/dx is the slope times g, without x."),
        (np.where(g > 0, 1, 0.1) * g, "which side it was is decided by x, not by g."),
    ], verdict=lambda: ma.gradcheck(LeakyReLU, [x]))
    gradients("LeakyReLU", LeakyReLU, [x])
    return "The gradient checker agrees."
