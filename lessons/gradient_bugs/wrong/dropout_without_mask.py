"""Dropout: backward scales, but lets the gradient through where the unit was dropped.

Where it comes from: the mask lived in forward only, and the layer "does nothing when testing".
The mend: `dout * mask / (1 - p)` with the mask of forward.
"""
import numpy as np


def forward(x, p=0.5):
    mask = np.random.rand(*x.shape) > p
    return x * mask / (1 - p), (mask, p)


def backward(dout, cache):
    mask, p = cache
    return dout / (1 - p)


EXPECTED = {"x": "one term missing"}


def inputs(generator, size):
    return {"x": generator.standard_normal((5, 6 + size)), "p": 0.5}
