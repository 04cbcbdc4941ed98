"""Softmax cross-entropy: the gradient is divided by N twice.

Where it comes from: once where dx is made, once more where it is returned, "to be safe".
The mend: one of them.
"""
import numpy as np


def forward(logits, labels):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(labels)), labels]).mean(), (p, labels)


def backward(dout, cache):
    p, labels = cache
    N = len(labels)
    dlogits = p / N
    dlogits[np.arange(N), labels] -= 1 / N
    return dout * dlogits / N


EXPECTED = {"logits": "off by a constant factor"}


def inputs(generator, size):
    N, K = 5, 4 + size
    return {"logits": generator.standard_normal((N, K)), "labels": generator.integers(0, K, N)}
