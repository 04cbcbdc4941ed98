"""Average pooling: backward divides by k instead of k·k.

Where it comes from: the one-dimensional case was worked out on paper.
The mend: `dout / (k * k)`.
"""
import numpy as np


def forward(x, k=3):
    N, C, H, W = x.shape
    out = np.zeros((N, C, H // k, W // k))
    for i in range(H // k):
        for j in range(W // k):
            out[:, :, i, j] = x[:, :, i * k:(i + 1) * k, j * k:(j + 1) * k].mean(axis=(2, 3))
    return out, (x.shape, k)


def backward(dout, cache):
    shape, k = cache
    dx = np.zeros(shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            dx[:, :, i * k:(i + 1) * k, j * k:(j + 1) * k] = dout[:, :, i:i + 1, j:j + 1] / k
    return dx


EXPECTED = {"x": "off by a constant factor"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 2 + size, 6, 6)), "k": 3}
