"""Local response normalisation: backward treats the denominator as a constant.

Where it comes from: y = x · s^(−β) looks like a product with a number. But s holds the squares of n
channels, x itself among them.
The mend: subtract `2 * alpha * beta * x * window_sum(dout * y / s)`.
"""
import numpy as np


def window_sum(a, n):
    """For every channel the sum over the n channels around it, as far as there are any."""
    padded = np.pad(a, ((0, 0), (n // 2, n // 2), (0, 0), (0, 0)))
    return sum(padded[:, i:i + a.shape[1]] for i in range(n))


def forward(x, n=5, alpha=0.3, beta=0.75, k=2.0):
    s = k + alpha * window_sum(x ** 2, n)
    return x * s ** -beta, (x, s, beta)


def backward(dout, cache):
    x, s, beta = cache
    return dout * s ** -beta


EXPECTED = {"x": "one term missing"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 6 + size, 3, 3)), "n": 5, "alpha": 0.3, "beta": 0.75,
            "k": 2.0}
