"""Convolution: the outermost pixels of dx stay zero.

Where it comes from: the full correlation of dout with the flipped kernel needs KH − 1 zeros around
dout. Here dout is padded by one pixel less, and the result is put into the middle of dx so that the
shapes fit.
The mend: pad dout by KH − 1 and KW − 1; then the result is as large as x.
"""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def forward(x, w):
    windows = sliding_window_view(x, (3, 3), axis=(2, 3))
    return np.einsum("ncijkl,fckl->nfij", windows, w), (windows, w, x.shape)


def backward(dout, cache):
    windows, w, shape = cache
    dw = np.einsum("nfij,ncijkl->fckl", dout, windows)
    padded = np.pad(dout, ((0, 0), (0, 0), (1, 1), (1, 1)))
    dx = np.zeros(shape)
    dx[:, :, 1:-1, 1:-1] = np.einsum("nfijkl,fckl->ncij",
                                     sliding_window_view(padded, (3, 3), axis=(2, 3)),
                                     w[:, :, ::-1, ::-1])
    return dx, dw


EXPECTED = {"x": "wrong at the border"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 2, 6 + size, 6)),
            "w": generator.standard_normal((2, 2, 3, 3))}
