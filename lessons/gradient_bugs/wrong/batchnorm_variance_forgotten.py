"""Batch normalisation: backward goes through the mean, not through the variance.

Where it comes from: the long way through the graph has two branches that lead back to x; the one
through the variance is missed.
The mend: subtract `xhat * (d * xhat).mean(axis=0) / std`.
"""
import numpy as np


def forward(x, gamma, beta, eps=1e-5):
    std = np.sqrt(x.var(axis=0) + eps)
    xhat = (x - x.mean(axis=0)) / std
    return gamma * xhat + beta, (xhat, gamma, std)


def backward(dout, cache):
    xhat, gamma, std = cache
    d = gamma * dout
    return (d - d.mean(axis=0)) / std, (dout * xhat).sum(axis=0), dout.sum(axis=0)


EXPECTED = {"x": "one term missing"}


def inputs(generator, size):
    N, D = 6, 4 + size
    return {"x": generator.standard_normal((N, D)), "gamma": generator.standard_normal(D),
            "beta": generator.standard_normal(D), "eps": 1e-5}
