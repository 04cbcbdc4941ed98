"""Average pooling whose gradient is a read-only view: np.broadcast_to repeats dout without copying
it."""
import numpy as np


def forward(x, k=2):
    N, C, H, W = x.shape
    return x.reshape(N, C, H // k, k, W // k, k).mean(axis=5).mean(axis=3), (x.shape, k)


def backward(dout, cache):
    (N, C, H, W), k = cache
    return np.broadcast_to(dout[:, :, :, None, :, None] / k ** 2,
                           (N, C, H // k, k, W // k, k)).reshape(N, C, H, W)


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 2, 4, 4 + 2 * size)), "k": 2}
