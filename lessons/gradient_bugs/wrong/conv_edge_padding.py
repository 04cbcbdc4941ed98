"""Convolution that pads by repeating the border: backward treats the padding as zeros.

Where it comes from: np.pad(..., mode="edge") was tried because it looked better; backward still
just cuts the margin off. A border pixel that was copied into the margin gets the gradient of its
copies, too.
The mend: add each margin row and column to the border that it was copied from.
"""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def forward(x, w):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    windows = sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.einsum("ncijkl,fckl->nfij", windows, w), (windows, w)


def backward(dout, cache):
    windows, w = cache
    dw = np.einsum("nfij,ncijkl->fckl", dout, windows)
    margin = np.pad(dout, ((0, 0), (0, 0), (1, 1), (1, 1)))
    dx = np.einsum("nfijkl,fckl->ncij", sliding_window_view(margin, (3, 3), axis=(2, 3)),
                   w[:, :, ::-1, ::-1])
    return dx, dw


EXPECTED = {"x": "wrong at the border"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 1, 6 + size, 6)),
            "w": generator.standard_normal((2, 1, 3, 3))}
