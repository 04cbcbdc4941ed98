"""im2col: dw is reshaped to (F, C, KH, KW), but its columns are in the order KH, KW, C.

Where it comes from: a reshape never fails when the sizes agree. It does not move axes, it only cuts
the same row of numbers anew.
The mend: `dw.reshape(F, KH, KW, C).transpose(0, 3, 1, 2)`.
"""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def forward(x, w):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH, OW = H - KH + 1, W - KW + 1
    # N, C, OH, OW, KH, KW
    windows = sliding_window_view(x, (KH, KW), axis=(2, 3))
    columns = windows.transpose(0, 2, 3, 4, 5, 1).reshape(N * OH * OW, KH * KW * C)
    rows = w.transpose(0, 2, 3, 1).reshape(F, KH * KW * C)
    return (columns @ rows.T).reshape(N, OH, OW, F).transpose(0, 3, 1, 2), (x, columns, rows,
                                                                            w.shape)


def backward(dout, cache):
    x, columns, rows, (F, C, KH, KW) = cache
    N, _, OH, OW = dout.shape
    dout = dout.transpose(0, 2, 3, 1).reshape(-1, F)
    dw = (dout.T @ columns).reshape(F, C, KH, KW)
    dcolumns = (dout @ rows).reshape(N, OH, OW, KH, KW, C)
    dx = np.zeros_like(x)
    for i in range(OH):
        for j in range(OW):
            dx[:, :, i:i + KH, j:j + KW] += dcolumns[:, i, j].transpose(0, 3, 1, 2)
    return dx, dw


EXPECTED = {"w": "transposed or permuted"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 2, 5, 5 + size)),
            "w": generator.standard_normal((2, 2, 3, 3))}
