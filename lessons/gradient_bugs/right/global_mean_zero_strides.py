"""Mean over a picture: the gradient is one number per channel, shown H·W times by a view with
strides of 0."""
import numpy as np


def forward(x):
    return x.mean(axis=(2, 3)), x.shape


def backward(dout, cache):
    return np.broadcast_to(dout[:, :, None, None] / (cache[2] * cache[3]), cache)


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 3, 4, 3 + size))}
