"""Linear layer whose results are transposed views, neither contiguous nor owners of their data; db
by a product with ones."""
import numpy as np


def forward(x, w, b):
    return (w.T @ x.T + b[:, None]).T, (x, w)


def backward(dout, cache):
    x, w = cache
    return (w @ dout.T).T, (dout.T @ x).T, (np.ones((1, len(dout))) @ dout)[0]


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 3)), "w": generator.standard_normal((3, 2 + size)),
            "b": generator.standard_normal(2 + size)}
