"""A loss that ignores one of its inputs: zeros are its true gradient."""
import numpy as np


def forward(x, bias):
    """A bias before batch normalisation is subtracted again with the mean."""
    shifted = x + bias
    return shifted - shifted.mean(axis=0), None


def backward(dout, cache):
    dx = dout - dout.mean(axis=0)
    return dx, np.zeros(dout.shape[1])


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((5, 3 + size)),
            "bias": generator.standard_normal(3 + size)}
