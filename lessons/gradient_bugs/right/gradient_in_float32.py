"""Linear layer that returns its gradients in float32: seven digits, enough to decide."""
import numpy as np


def forward(x, w):
    return x @ w, (x, w)


def backward(dout, cache):
    x, w = cache
    return (dout @ w.T).astype(np.float32), (x.T @ dout).astype(np.float32)


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 5)), "w": generator.standard_normal((5, 3 + size))}
