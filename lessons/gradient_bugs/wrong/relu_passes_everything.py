"""ReLU: backward lets the gradient through where x was negative, too.

Where it comes from: backward was left at `return dout` "for now". Networks learn a little even so,
so nobody looks again.
The mend: `dout * (x > 0)`.
"""
import numpy as np


def forward(x):
    return np.maximum(x, 0), x


def backward(dout, cache):
    return dout.copy()


EXPECTED = {"x": "wrong where the input is negative"}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 6 + size))}
