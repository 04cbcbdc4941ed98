"""Sigmoid: backward returns y·(1 − y) and forgets to multiply by dout.

Where it comes from: the derivative was asked for, and the derivative it is. The chain rule is
missing: a test that seeds backward with ones sees nothing.
The mend: `dout * y * (1 - y)`.
"""
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_backward(dout, x):
    y = sigmoid(x)
    return y * (1 - y)


EXPECTED = {"x": "ignores dout"}


def inputs(generator, size):
    return {"x": generator.standard_normal((3, 5 + size))}
