"""|x| with np.sign, which is 0 at 0: in the middle between the left derivative −1 and the right one
1."""
import numpy as np


def absolute(x):
    return np.abs(x)


def absolute_backward(dy, x):
    return dy * np.sign(x)


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.integers(-2, 3, (3, 6 + size)).astype(float)}
