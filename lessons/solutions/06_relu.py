"""Exercise 6: the slope is 1 or 0.1, and what comes from above is multiplied by it."""
import numpy as np
from course import check

import minialex as ma


class LeakyReLU(ma.Function):
    def forward(self, x):
        self.save_for_backward(x)
        return np.where(x > 0, x, 0.1 * x)

    def backward(self, g):
        (x,) = self.saved
        return g * np.where(x > 0, 1, 0.1)


check(LeakyReLU)
