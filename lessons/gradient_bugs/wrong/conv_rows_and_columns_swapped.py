"""Convolution: rows and columns of the kernel are swapped in dw.

Where it comes from: x is width, y is height, and an index [x, y] somewhere in the loop. With a
square kernel the shapes agree.
The mend: `dw[:, :, k, m]`.
"""
import numpy as np


def forward(x, w):
    KH, KW = w.shape[2:]
    OH, OW = x.shape[2] - KH + 1, x.shape[3] - KW + 1
    out = np.zeros((x.shape[0], w.shape[0], OH, OW))
    for k in range(KH):
        for m in range(KW):
            out += np.einsum("ncij,fc->nfij", x[:, :, k:k + OH, m:m + OW], w[:, :, k, m])
    return out, (x, w)


def backward(dout, cache):
    x, w = cache
    OH, OW = dout.shape[2:]
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for k in range(w.shape[2]):
        for m in range(w.shape[3]):
            window = x[:, :, k:k + OH, m:m + OW]
            dw[:, :, m, k] = np.einsum("nfij,ncij->fc", dout, window)
            dx[:, :, k:k + OH, m:m + OW] += np.einsum("nfij,fc->ncij", dout, w[:, :, k, m])
    return dx, dw


EXPECTED = {"w": "transposed or permuted"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 2, 5, 6 + size)),
            "w": generator.standard_normal((3, 2, 3, 3))}
