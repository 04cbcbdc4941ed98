"""Batch normalisation, back through its graph one node at a time."""
import numpy as np


def forward(x, gamma, beta, bn_param):
    N = len(x)
    mu = 1 / N * np.sum(x, axis=0)
    centred = x - mu
    squares = centred ** 2
    var = 1 / N * np.sum(squares, axis=0)
    std = np.sqrt(var + bn_param["eps"])
    inverse = 1 / std
    xhat = centred * inverse
    return gamma * xhat + beta, (xhat, gamma, centred, inverse, std)


def backward(dout, cache):
    xhat, gamma, centred, inverse, std = cache
    N = len(dout)
    dbeta, dgamma, dxhat = np.sum(dout, axis=0), np.sum(dout * xhat, axis=0), dout * gamma
    dinverse = np.sum(dxhat * centred, axis=0)
    dcentred = dxhat * inverse
    dstd = -dinverse / std ** 2
    dvar = dstd / (2 * std)
    dsquares = 1 / N * np.ones(dout.shape) * dvar
    dcentred += 2 * centred * dsquares
    dmu = -np.sum(dcentred, axis=0)
    return dcentred + 1 / N * np.ones(dout.shape) * dmu, dgamma, dbeta


EXPECTED = {}


def inputs(generator, size):
    N, D = 6, 3 + size
    return {"x": generator.standard_normal((N, D)), "gamma": generator.standard_normal(D),
            "beta": generator.standard_normal(D), "bn_param": {"mode": "train", "eps": 1e-5}}
