"""Rows of length 1: backward divides by the length, as if it were a number.

Where it comes from: y = x / |x|, and |x| was taken out of the derivative. A change of x along x
itself changes nothing.
The mend: `(dout - y * (dout * y).sum(axis=1, keepdims=True)) / length`.
"""
import numpy as np


def forward(x):
    length = np.sqrt((x ** 2).sum(axis=1, keepdims=True))
    return x / length, (x, length)


def backward(dout, cache):
    x, length = cache
    return dout / length


EXPECTED = {"x": "one term missing"}


def inputs(generator, size):
    return {"x": generator.standard_normal((5, 4 + size))}
