"""Softmax cross-entropy: y − p instead of p − y.

Where it comes from: with the sign wrong here and `w += lr * dw` in the update the network learns
all the same, until somebody uses another optimiser.
The mend: `p - y`.
"""
import numpy as np


def forward(x, onehot):
    p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    return -(onehot * np.log(p)).sum() / len(x), (p, onehot)


def backward(dout, cache):
    p, onehot = cache
    return dout * (onehot - p) / len(p)


EXPECTED = {"x": "sign flipped"}


def inputs(generator, size):
    N, K = 4, 5 + size
    return {"x": generator.standard_normal((N, K)),
            "onehot": np.eye(K, dtype=int)[generator.integers(0, K, N)]}
