"""Max-pooling: tied pixels share the gradient evenly. Not what frameworks do, but between the left
and the right derivative."""
import numpy as np


def forward(x, k=3, stride=2):
    N, C, H, W = x.shape
    OH, OW = (H - k) // stride + 1, (W - k) // stride + 1
    out = np.empty((N, C, OH, OW))
    for i, j in np.ndindex(OH, OW):
        out[:, :, i, j] = x[:, :, i * stride:i * stride + k, j * stride:j * stride
                            + k].max(axis=(2, 3))
    return out, (x, out, k, stride)


def backward(dout, cache):
    x, out, k, stride = cache
    dx = np.zeros_like(x)
    for i, j in np.ndindex(dout.shape[2:]):
        place = np.s_[:, :, i * stride:i * stride + k, j * stride:j * stride + k]
        mask = x[place] == out[:, :, i:i + 1, j:j + 1]
        dx[place] += mask * dout[:, :, i:i + 1, j:j + 1] / mask.sum(axis=(2, 3), keepdims=True)
    return dx


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.integers(-2, 3, (2, 2, 5 + 2 * size, 5)).astype(float), "k": 3,
            "stride": 2}
