"""Convolution: the loops of backward stop one window too early.

Where it comes from: `range(OH - 1)`, because somewhere an index ran over the edge. The last windows
send nothing back.
The mend: `range(OH)`, `range(OW)`.
"""
import numpy as np


def forward(x, w):
    KH, KW = w.shape[2:]
    OH, OW = x.shape[2] - KH + 1, x.shape[3] - KW + 1
    out = np.zeros((x.shape[0], w.shape[0], OH, OW))
    for i in range(OH):
        for j in range(OW):
            out[:, :, i, j] = np.einsum("nckl,fckl->nf", x[:, :, i:i + KH, j:j + KW], w)
    return out, (x, w)


def backward(dout, cache):
    x, w = cache
    KH, KW = w.shape[2:]
    dx = np.zeros_like(x)
    for i in range(dout.shape[2] - 1):
        for j in range(dout.shape[3] - 1):
            dx[:, :, i:i + KH, j:j + KW] += np.einsum("nf,fckl->nckl", dout[:, :, i, j], w)
    windows = np.lib.stride_tricks.sliding_window_view(x, (KH, KW), axis=(2, 3))
    return dx, np.einsum("nfij,ncijkl->fckl", dout, windows)


EXPECTED = {"x": "wrong at the border"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 2, 6 + size, 7)),
            "w": generator.standard_normal((2, 2, 2, 2))}
