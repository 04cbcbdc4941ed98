"""Batch normalisation: backward treats mean and variance as constants.

Where it comes from: that is right when testing, with stored statistics. When training both depend
on every x of the batch.
The mend: subtract the mean of dout and its part along x̂: `(d - d.mean(0) - xhat * (d *
xhat).mean(0)) / std`, d = gamma * dout.
"""
import numpy as np


def forward(x, gamma, beta, eps=1e-5):
    std = np.sqrt(x.var(axis=0) + eps)
    xhat = (x - x.mean(axis=0)) / std
    return gamma * xhat + beta, (xhat, gamma, std)


def backward(dout, cache):
    xhat, gamma, std = cache
    return gamma * dout / std, (dout * xhat).sum(axis=0), dout.sum(axis=0)


EXPECTED = {"x": "one term missing"}


def inputs(generator, size):
    N, D = 6, 4 + size
    return {"x": generator.standard_normal((N, D)), "gamma": generator.standard_normal(D),
            "beta": generator.standard_normal(D), "eps": 1e-5}
