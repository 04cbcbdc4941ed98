"""Dropout that seeds its own generator: the same mask in every call, drawn again in backward."""
import numpy as np


def _mask(shape, p):
    return (np.random.default_rng(17).random(shape) >= p) / (1 - p)


def dropout(x, p=0.5):
    return x * _mask(x.shape, p)


def dropout_backward(dy, x, p=0.5):
    return dy * _mask(x.shape, p)


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((5, 6 + size)), "p": 0.5}
