"""Max-pooling: every tied pixel of a window gets the whole gradient.

Where it comes from: `window == window.max()` is the shortest mask. After a ReLU whole windows are
zero, so ties are everywhere, and the gradient is counted up to four times.
The mend: give it to one of them, `np.argmax`, or divide by the number of ties.
"""
import numpy as np


def forward(x, k=2):
    N, C, H, W = x.shape
    out = np.zeros((N, C, H // k, W // k))
    for i in range(H // k):
        for j in range(W // k):
            out[:, :, i, j] = x[:, :, i * k:i * k + k, j * k:j * k + k].max(axis=(2, 3))
    return out, (x, k, out)


def backward(dout, cache):
    x, k, out = cache
    dx = np.zeros_like(x)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            window = x[:, :, i * k:i * k + k, j * k:j * k + k]
            mask = window == out[:, :, i:i + 1, j:j + 1]
            dx[:, :, i * k:i * k + k, j * k:j * k + k] = mask * dout[:, :, i:i + 1, j:j + 1]
    return dx


EXPECTED = {"x": "wrong where the input is tied"}


def inputs(generator, size):
    """As after a ReLU, rounded: half the pixels are 0."""
    return {"x": np.maximum(0, generator.integers(-2, 3, (2, 2, 4 + 2 * size, 6))).astype(float),
            "k": 2}
