"""Softmax cross-entropy with integer labels: p with 1 subtracted in place at the label, divided by
N; None for the labels."""
import numpy as np


def forward(x, y):
    p = np.exp(x - x.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return float(-np.log(p[range(len(y)), y]).mean()), (p, y)


def backward(dout, cache):
    p, y = cache
    dx = p.copy()
    dx[range(len(y)), y] -= 1
    dx /= len(y)
    return dx * dout, None


EXPECTED = {}


def inputs(generator, size):
    N, K = 5, 4 + size
    return {"x": generator.standard_normal((N, K)), "y": generator.integers(0, K, N)}
