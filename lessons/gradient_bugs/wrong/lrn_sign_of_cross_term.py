"""Local response normalisation: the cross-channel term is added instead of subtracted.

Where it comes from: the outer derivative of s^(−β) is −β · s^(−β − 1); the minus is lost on the way
to the code.
The mend: `-`.
"""
import numpy as np


def window_sum(a, n):
    padded = np.pad(a, ((0, 0), (n // 2, n // 2), (0, 0), (0, 0)))
    return sum(padded[:, i:i + a.shape[1]] for i in range(n))


def forward(x, n=5, alpha=0.3, beta=0.75, k=2.0):
    s = k + alpha * window_sum(x ** 2, n)
    y = x * s ** -beta
    return y, (x, y, s, n, alpha, beta)


def backward(dout, cache):
    x, y, s, n, alpha, beta = cache
    return dout * s ** -beta + 2 * alpha * beta * x * window_sum(dout * y / s, n)


EXPECTED = {"x": "one term"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 6 + size, 3, 3)), "n": 5, "alpha": 0.3, "beta": 0.75,
            "k": 2.0}
