"""Dropout from a generator of its own: every call draws another mask.

Where it comes from: np.random.default_rng() without a seed inside the function. Backward may be
right, but no comparison of two forward passes means anything, neither here nor in a test.
The mend: pass the generator or the mask in, or draw from np.random.rand, which a checker can hold
still.
"""
import numpy as np


def forward(x, p=0.5):
    mask = np.random.default_rng().random(x.shape) > p
    return x * mask / (1 - p), (mask, p)


def backward(dout, cache):
    mask, p = cache
    return dout * mask / (1 - p)


EXPECTED = {"x": "not deterministic"}


def inputs(generator, size):
    return {"x": generator.standard_normal((5, 6 + size)), "p": 0.5}
