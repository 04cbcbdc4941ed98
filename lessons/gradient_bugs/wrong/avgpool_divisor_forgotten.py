"""Average pooling: backward forgets to divide by the size of the window.

Where it comes from: "the gradient of a sum goes to all terms unchanged" — but a mean is a sum
divided by k·k.
The mend: `dout / (k * k)`.
"""
import numpy as np


def forward(x, k=2):
    N, C, H, W = x.shape
    return x.reshape(N, C, H // k, k, W // k, k).mean(axis=(3, 5)), k


def backward(dout, cache):
    k = cache
    return np.repeat(np.repeat(dout, k, axis=2), k, axis=3)


EXPECTED = {"x": "off by a constant factor"}


def inputs(generator, size):
    k = 2 + size % 2
    return {"x": generator.standard_normal((2, 3, 2 * k, 3 * k)), "k": k}
