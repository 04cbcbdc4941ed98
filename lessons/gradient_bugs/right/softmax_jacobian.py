"""Softmax with the whole Jacobian written out, row by row: diag(p) − p pᵀ."""
import numpy as np


def softmax(x):
    e = np.exp(x)
    return e / e.sum(axis=1, keepdims=True)


def softmax_backward(dout, x):
    dx = np.empty_like(x)
    for n, p in enumerate(softmax(x)):
        dx[n] = (np.diag(p) - np.outer(p, p)) @ dout[n]
    return dx


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 4 + size))}
