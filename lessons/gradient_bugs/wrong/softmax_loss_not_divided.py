"""Softmax cross-entropy: the loss is a mean over the batch, its gradient is not divided by N.

Where it comes from: p − y is what the books write, for one example.
The mend: `dx / N`. Otherwise the learning rate depends on the batch size.
"""
import numpy as np


def forward(x, y):
    shifted = x - x.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(y)), y].mean(), (np.exp(log_p), y)


def backward(dout, cache):
    p, y = cache
    dx = p.copy()
    dx[np.arange(len(y)), y] -= 1
    return dout * dx


EXPECTED = {"x": "off by a constant factor"}


def inputs(generator, size):
    N, K = 4 + size, 6
    return {"x": generator.standard_normal((N, K)), "y": generator.integers(0, K, N)}
