"""Overlapping max-pooling (the paper's 3×3 with stride 2): backward assigns where windows overlap.

Where it comes from: the layer was written for 2×2 with stride 2, where every pixel lies in one
window.
The mend: `dx[...] += ...`: a pixel that is the largest of two windows gets the gradient of both.
"""
import numpy as np


def forward(x, k=3, stride=2):
    N, C, H, W = x.shape
    OH, OW = (H - k) // stride + 1, (W - k) // stride + 1
    out = np.zeros((N, C, OH, OW))
    for i in range(OH):
        for j in range(OW):
            out[:, :, i, j] = x[:, :, i * stride:i * stride + k, j * stride:j * stride
                                + k].max(axis=(2, 3))
    return out, (x, k, stride, out)


def backward(dout, cache):
    x, k, stride, out = cache
    dx = np.zeros_like(x)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(i * stride, i * stride + k), slice(j * stride, j * stride + k)
            mask = x[:, :, rows, columns] == out[:, :, i:i + 1, j:j + 1]
            dx[:, :, rows, columns] = mask * dout[:, :, i:i + 1, j:j + 1]
    return dx


EXPECTED = {"x": "only the last of overlapping windows kept"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 2, 7 + 2 * size, 7)), "k": 3, "stride": 2}
