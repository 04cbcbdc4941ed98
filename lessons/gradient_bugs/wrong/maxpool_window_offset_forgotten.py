"""Max-pooling: the place of the maximum is counted inside its window, and written as if it were
counted in the picture.

Where it comes from: np.argmax(window) gives a number from 0 to k·k − 1. All gradients end up in the
top left corner.
The mend: `dx[n, c, i * k + row, j * k + column]`.
"""
import numpy as np


def forward(x, k=2):
    N, C, H, W = x.shape
    windows = x.reshape(N, C, H // k, k, W // k,
                        k).transpose(0, 1, 2, 4, 3, 5).reshape(N, C, H // k, W // k, k * k)
    return windows.max(axis=-1), (windows.argmax(axis=-1), x.shape, k)


def backward(dout, cache):
    argmax, shape, k = cache
    dx = np.zeros(shape)
    for n, c, i, j in np.ndindex(dout.shape):
        row, column = divmod(argmax[n, c, i, j], k)
        dx[n, c, row, column] += dout[n, c, i, j]
    return dx


EXPECTED = {"x": "unknown"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 2, 4, 4 + 2 * size)), "k": 2}
