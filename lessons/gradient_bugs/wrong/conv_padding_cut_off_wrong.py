"""Convolution with padding: dx is cut out of the padded gradient at the wrong place.

Where it comes from: `dx_padded[:, :, :H, :W]` has the right shape, so nothing complains; the
picture's first pixel sits at (padding, padding), though.
The mend: `dx_padded[:, :, padding:padding + H, padding:padding + W]`.
"""
import numpy as np


def forward(x, w, b, padding=1):
    KH, KW = w.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    OH, OW = padded.shape[2] - KH + 1, padded.shape[3] - KW + 1
    out = np.zeros((x.shape[0], w.shape[0], OH, OW))
    for i in range(OH):
        for j in range(OW):
            out[:, :, i, j] = np.einsum("nckl,fckl->nf", padded[:, :, i:i + KH, j:j + KW], w) + b
    return out, (x, padded, w)


def backward(dout, cache):
    x, padded, w = cache
    H, W = x.shape[2:]
    KH, KW = w.shape[2:]
    dx_padded, dw = np.zeros_like(padded), np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            dw += np.einsum("nf,nckl->fckl", dout[:, :, i, j], padded[:, :, i:i + KH, j:j + KW])
            dx_padded[:, :, i:i + KH, j:j + KW] += np.einsum("nf,fckl->nckl", dout[:, :, i, j], w)
    return dx_padded[:, :, :H, :W], dw, dout.sum(axis=(0, 2, 3))


EXPECTED = {"x": "shifted by"}


def inputs(generator, size):
    x, w = generator.standard_normal((2, 2, 5 + size, 5)), generator.standard_normal((2, 2, 3, 3))
    return {"x": x, "w": w, "b": generator.standard_normal(2), "padding": 1}
