"""Inverted dropout: forward divides by 1 − p, backward does not.

Where it comes from: the division was added to forward when the scaling moved from testing to
training.
The mend: `dout * mask / (1 - p)`.
"""
import numpy as np


def forward(x, p=0.5):
    mask = np.random.rand(*x.shape) > p
    return x * mask / (1 - p), mask


def backward(dout, cache):
    return dout * cache


EXPECTED = {"x": "off by a constant factor"}


def inputs(generator, size):
    return {"x": generator.standard_normal((5, 6 + size)), "p": 0.4}
