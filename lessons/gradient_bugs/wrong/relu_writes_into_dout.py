"""ReLU: backward sets entries of dout to 0, in place.

Where it comes from: `dx = dout` makes no copy, so dx[x <= 0] = 0 writes into the caller's array.
Where two branches share that gradient, as around a residual block, the other one is now wrong.
The mend: `dx = dout.copy()`, or `dout * (x > 0)`.
"""
import numpy as np


def forward(x):
    return np.maximum(x, 0), x


def backward(dout, cache):
    dx = dout
    dx[cache <= 0] = 0
    return dx


EXPECTED = {"x": "backward changes dout in place"}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 5 + size))}
