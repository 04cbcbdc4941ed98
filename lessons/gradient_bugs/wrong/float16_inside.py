"""tanh in half precision: three digits are too few for a numeric derivative.

Where it comes from: .astype(np.float16) "for speed", as on a GPU. Backward may be right, but
nothing can be said.
The mend: check in float64, train in whatever you like.
"""
import numpy as np


def forward(x):
    out = np.tanh(x.astype(np.float16))
    return out, out


def backward(dout, cache):
    return dout * (1 - cache.astype(np.float64) ** 2)


EXPECTED = {"x": "dtype too low to decide"}


def inputs(generator, size):
    return {"x": generator.standard_normal((3, 4 + size))}
