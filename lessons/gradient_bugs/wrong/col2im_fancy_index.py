"""col2im with index arrays: `dx[:, :, rows, columns] += ...` counts a pixel that several windows
use only once.

Where it comes from: it reads like a sum, but NumPy reads all old values first, adds, and writes
back; of several windows at one pixel the last one wins.
The mend: `np.add.at(dx, (slice(None), slice(None), rows, columns), ...)`.
"""
import numpy as np


def _indices(shape, KH, KW):
    OH, OW = shape[2] - KH + 1, shape[3] - KW + 1
    i, j, k, m = np.ogrid[:OH, :OW, :KH, :KW]
    return i + k + 0 * (j + m), j + m + 0 * (i + k)  # both (OH, OW, KH, KW)


def forward(x, w):
    rows, columns = _indices(x.shape, *w.shape[2:])
    return np.einsum("ncijkl,fckl->nfij", x[:, :, rows, columns], w), (x, w)


def backward(dout, cache):
    x, w = cache
    rows, columns = _indices(x.shape, *w.shape[2:])
    dw = np.einsum("nfij,ncijkl->fckl", dout, x[:, :, rows, columns])
    dx = np.zeros_like(x)
    dx[:, :, rows, columns] += np.einsum("nfij,fckl->ncijkl", dout, w)
    return dx, dw


EXPECTED = {"x": "only the last of overlapping windows kept"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 2, 5 + size, 5)),
            "w": generator.standard_normal((2, 2, 3, 3))}
