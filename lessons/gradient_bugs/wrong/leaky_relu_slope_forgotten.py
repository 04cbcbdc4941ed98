"""Leaky ReLU: backward is that of the plain ReLU.

Where it comes from: forward got its slope later.
The mend: `dout * np.where(x > 0, 1, slope)`.
"""
import numpy as np


def leaky_relu(x, slope=0.1):
    return np.where(x > 0, x, slope * x)


def leaky_relu_backward(dy, x, slope=0.1):
    return dy * (x > 0)


EXPECTED = {"x": "wrong where the input is negative"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 3, 2 + size, 3)), "slope": 0.1}
