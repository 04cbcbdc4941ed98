"""Linear layer: dx stays the array of zeros that it was made as.

Where it comes from: the first layer of a network needs no dx, so the line was never written, and
nothing complains.
The mend: `dx = dout @ w.T`.
"""
import numpy as np


def forward(x, w, b):
    return x @ w + b, (x, w)


def backward(dout, cache):
    x, w = cache
    dx = np.zeros_like(x)
    dw = x.T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


EXPECTED = {"x": "zero"}


def inputs(generator, size):
    D, M = 4 + size, 3
    return {"x": generator.standard_normal((5, D)), "w": generator.standard_normal((D, M)),
            "b": generator.standard_normal(M)}
