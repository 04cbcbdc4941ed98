"""Product along a row with zeros in it: the product of the others, leaving one out at a time."""
import numpy as np


def forward(x):
    return np.prod(x, axis=1), x


def backward(dout, cache):
    columns = [np.prod(np.delete(cache, j, axis=1), axis=1) for j in range(cache.shape[1])]
    return dout[:, None] * np.stack(columns, axis=1)


EXPECTED = {}


def inputs(generator, size):
    x = generator.standard_normal((4, 3 + size))
    x[1, 2] = x[2, 0] = 0
    return {"x": x}
