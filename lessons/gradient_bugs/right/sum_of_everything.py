"""A loss that is a plain Python number; dout is one, too, and dx is a filled array."""
import math

import numpy as np


def forward(x):
    return math.fsum(x.ravel().tolist()), x.shape


def backward(dout, cache):
    return np.full(cache, float(dout))


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((3, 4 + size))}
