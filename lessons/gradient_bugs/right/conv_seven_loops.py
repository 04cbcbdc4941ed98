"""Convolution as seven nested loops, forward and backward: the definition, letter by letter."""
import numpy as np


def forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    OH, OW = (H + 2 * padding - KH) // stride + 1, (W + 2 * padding - KW) // stride + 1
    out = np.zeros((N, F, OH, OW))
    for n, f, i, j in np.ndindex(N, F, OH, OW):
        out[n, f, i, j] = b[f]
        for c, k, m in np.ndindex(C, KH, KW):
            out[n, f, i, j] += padded[n, c, i * stride + k, j * stride + m] * w[f, c, k, m]
    return out, (padded, w, stride, padding)


def backward(dout, cache):
    padded, w, stride, padding = cache
    dpadded, dw, db = np.zeros_like(padded), np.zeros_like(w), np.zeros(len(w))
    for n, f, i, j in np.ndindex(dout.shape):
        db[f] += dout[n, f, i, j]
        for c, k, m in np.ndindex(w.shape[1:]):
            dpadded[n, c, i * stride + k, j * stride + m] += dout[n, f, i, j] * w[f, c, k, m]
            dw[f, c, k, m] += dout[n, f, i, j] * padded[n, c, i * stride + k, j * stride + m]
    H, W = padded.shape[2] - 2 * padding, padded.shape[3] - 2 * padding
    return dpadded[:, :, padding:padding + H, padding:padding + W], dw, db


EXPECTED = {}


def inputs(generator, size):
    x, w = generator.standard_normal((1, 2, 4, 3 + size)), generator.standard_normal((2, 2, 2, 2))
    return {"x": x, "w": w, "b": generator.standard_normal(2), "stride": 2, "padding": 1}
