"""Local response normalisation: backward sums over the channels from c to c + n − 1 instead of
around c.

Where it comes from: the padding is on one side only. In forward the window was right.
The mend: the same window as in forward; it is symmetric, so that it is its own transpose.
"""
import numpy as np


def window_sum(a, n, before):
    padded = np.pad(a, ((0, 0), (before, n - 1 - before), (0, 0), (0, 0)))
    return sum(padded[:, i:i + a.shape[1]] for i in range(n))


def forward(x, n=3, alpha=0.5, beta=0.75, k=2.0):
    s = k + alpha * window_sum(x ** 2, n, before=n // 2)
    y = x * s ** -beta
    return y, (x, y, s, n, alpha, beta)


def backward(dout, cache):
    x, y, s, n, alpha, beta = cache
    return dout * s ** -beta - 2 * alpha * beta * x * window_sum(dout * y / s, n, before=0)


EXPECTED = {"x": "unknown"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 6 + size, 3, 3)), "n": 3, "alpha": 0.5, "beta": 0.75,
            "k": 2.0}
