"""Convolution: dx slides the kernel over dout, but does not flip it.

Where it comes from: "the gradient of a convolution is a convolution again". It is, with the kernel
turned by 180 degrees: pixel (i, j) met weight (0, 0) in window (i, j), and weight (2, 2) in window
(i − 2, j − 2).
The mend: `w[:, :, ::-1, ::-1]`.
"""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def forward(x, w):
    windows = sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("ncijkl,fckl->nfij", windows, w), (x, w)


def backward(dout, cache):
    x, w = cache
    KH, KW = w.shape[2:]
    dw = np.einsum("nfij,ncijkl->fckl", dout, sliding_window_view(x, (KH, KW), axis=(2, 3)))
    padded = np.pad(dout, ((0, 0), (0, 0), (KH - 1, KH - 1), (KW - 1, KW - 1)))
    dx = np.einsum("nfijkl,fckl->ncij", sliding_window_view(padded, (KH, KW), axis=(2, 3)), w)
    return dx, dw


EXPECTED = {"x": "spatially flipped kernel"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 2, 5 + size, 6)),
            "w": generator.standard_normal((3, 2, 3, 3))}
