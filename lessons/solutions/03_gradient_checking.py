"""Exercise 3: two evaluations for each entry, on copies of x."""
import numpy as np
from course import check


def numeric_gradient(f, x, h=1e-5):
    slope = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        slope[index] = (f(up) - f(down)) / (2 * h)
    return slope


check(numeric_gradient)
