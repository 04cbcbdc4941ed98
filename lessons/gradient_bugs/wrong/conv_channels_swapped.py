"""Convolution: dw comes back as (C, F, KH, KW).

Where it comes from: with as many input as output channels the shapes agree, and the letters of an
einsum are quickly swapped.
The mend: `"nfij,ncijkl->fckl"`.
"""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def forward(x, w, b):
    windows = sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("ncijkl,fckl->nfij", windows, w) + b[:, None, None], (windows, w, x.shape)


def backward(dout, cache):
    windows, w, shape = cache
    KH, KW = w.shape[2:]
    dw = np.einsum("nfij,ncijkl->cfkl", dout, windows)
    dx = np.zeros(shape)
    for k in range(KH):
        for m in range(KW):
            dx[:, :, k:k + dout.shape[2], m:m + dout.shape[3]] += np.einsum("nfij,fc->ncij", dout,
                                                                            w[:, :, k, m])
    return dx, dw, dout.sum(axis=(0, 2, 3))


EXPECTED = {"w": "transposed or permuted"}


def inputs(generator, size):
    x, w = generator.standard_normal((2, 3, 5 + size, 5)), generator.standard_normal((3, 3, 3, 2))
    return {"x": x, "w": w, "b": generator.standard_normal(3)}
