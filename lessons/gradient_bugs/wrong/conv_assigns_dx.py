"""Convolution: the windows overlap, but backward assigns to dx instead of adding.

Where it comes from: the loop of forward is copied, and with it the `=` of `out[...] = ...`. With a
stride as large as the kernel no windows overlap, and the test passes.
The mend: `dx[...] += ...`.
"""
import numpy as np


def forward(x, w, b, stride=1):
    N, _, H, W = x.shape
    F, _, KH, KW = w.shape
    OH, OW = (H - KH) // stride + 1, (W - KW) // stride + 1
    out = np.zeros((N, F, OH, OW))
    for i in range(OH):
        for j in range(OW):
            window = x[:, :, i * stride:i * stride + KH, j * stride:j * stride + KW]
            out[:, :, i, j] = np.tensordot(window, w, axes=([1, 2, 3], [1, 2, 3])) + b
    return out, (x, w, stride)


def backward(dout, cache):
    x, w, stride = cache
    KH, KW = w.shape[2:]
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), dout.sum(axis=(0, 2, 3))
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(i * stride, i * stride + KH), slice(j * stride, j * stride + KW)
            dw += np.tensordot(dout[:, :, i, j], x[:, :, rows, columns], axes=(0, 0))
            dx[:, :, rows, columns] = np.tensordot(dout[:, :, i, j], w, axes=(1, 0))
    return dx, dw, db


EXPECTED = {"x": "only the last of overlapping windows kept"}


def inputs(generator, size):
    x, w = generator.standard_normal((2, 2, 5 + size, 6 + size)), generator.standard_normal((3, 2,
                                                                                             3, 3))
    return {"x": x, "w": w, "b": generator.standard_normal(3), "stride": 1}
