"""Sorting along a row: the gradient goes back along the permutation, by fancy indexing on both
sides."""
import numpy as np


def forward(x):
    order = x.argsort(axis=1)
    return x[np.arange(len(x))[:, None], order], order


def backward(dout, cache):
    dx = np.empty_like(dout)
    dx[np.arange(len(dout))[:, None], cache] = dout
    return dx


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((3, 5 + size))}
