"""im2col: dout (N, F, OH, OW) is reshaped to (F, N·OH·OW) without moving the axes first.

Where it comes from: the sizes agree, so the reshape is silent; with a batch of one it is even
right.
The mend: `dout.transpose(1, 0, 2, 3).reshape(F, -1)`.
"""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def forward(x, w):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH, OW = H - KH + 1, W - KW + 1
    columns = sliding_window_view(x, (KH, KW), axis=(2, 3)).transpose(1, 4, 5, 0, 2,
                                                                      3).reshape(C * KH * KW,
                                                                                 N * OH * OW)
    out = (w.reshape(F, -1) @ columns).reshape(F, N, OH, OW).transpose(1, 0, 2, 3)
    return out, (x, w, columns)


def backward(dout, cache):
    x, w, columns = cache
    F, C, KH, KW = w.shape
    N, _, OH, OW = dout.shape
    flat = dout.reshape(F, -1)
    dw = (flat @ columns.T).reshape(w.shape)
    dcolumns = (w.reshape(F, -1).T @ flat).reshape(C, KH, KW, N, OH, OW)
    dx = np.zeros_like(x)
    for k in range(KH):
        for m in range(KW):
            dx[:, :, k:k + OH, m:m + OW] += dcolumns[:, k, m].transpose(1, 0, 2, 3)
    return dx, dw


EXPECTED = {"x": "transposed or permuted", "w": "transposed or permuted"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 2, 4, 4 + size)),
            "w": generator.standard_normal((3, 2, 2, 2))}
