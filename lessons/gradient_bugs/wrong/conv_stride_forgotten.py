"""Convolution with a stride: backward visits the windows at (i, j) instead of (i·stride, j·stride).

Where it comes from: the test used stride 1. Nothing is out of bounds with a larger one, so nothing
complains.
The mend: `i * stride`, `j * stride` in backward, too.
"""
import numpy as np


def forward(x, w, stride=2):
    KH, KW = w.shape[2:]
    OH, OW = (x.shape[2] - KH) // stride + 1, (x.shape[3] - KW) // stride + 1
    out = np.zeros((x.shape[0], w.shape[0], OH, OW))
    for i in range(OH):
        for j in range(OW):
            window = x[:, :, i * stride:i * stride + KH, j * stride:j * stride + KW]
            out[:, :, i, j] = np.einsum("nckl,fckl->nf", window, w)
    return out, (x, w)


def backward(dout, cache):
    x, w = cache
    KH, KW = w.shape[2:]
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            dw += np.einsum("nf,nckl->fckl", dout[:, :, i, j], x[:, :, i:i + KH, j:j + KW])
            dx[:, :, i:i + KH, j:j + KW] += np.einsum("nf,fckl->nckl", dout[:, :, i, j], w)
    return dx, dw


EXPECTED = {"x": "unknown", "w": "unknown"}


def inputs(generator, size):
    x, w = generator.standard_normal((2, 2, 7 + 2 * size, 7)), generator.standard_normal((2, 2, 3,
                                                                                          3))
    return {"x": x, "w": w, "stride": 2}
