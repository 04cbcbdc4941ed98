"""Softmax: backward takes p·(1 − p), as if every output depended on its own input only.

Where it comes from: the derivative of the sigmoid, applied row by row. All inputs of a row move all
its outputs.
The mend: `p * (dout - (dout * p).sum(axis=1, keepdims=True))`.
"""
import numpy as np


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_backward(dout, x):
    p = softmax(x)
    return dout * p * (1 - p)


EXPECTED = {"x": "one term missing"}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 5 + size))}
