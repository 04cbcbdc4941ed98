"""Dropout with np.random.rand and the mask in the cache: live, and still to be checked."""
import numpy as np


def forward(x, dropout_param):
    keep = 1 - dropout_param["p"]
    mask = (np.random.rand(*x.shape) < keep) / keep
    return x * mask, (dropout_param, mask)


def backward(dout, cache):
    return dout * cache[1]


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((5, 6 + size)),
            "dropout_param": {"p": 0.4, "mode": "train"}}
