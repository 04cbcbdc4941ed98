"""Local response normalisation: forward divides α by n, as Caffe and PyTorch do, backward does not,
as in the paper.

Where it comes from: forward from the one source, backward from the other.
The mend: `alpha / n` in both, or in neither.
"""
import numpy as np


def window_sum(a, n):
    padded = np.pad(a, ((0, 0), (n // 2, n // 2), (0, 0), (0, 0)))
    return sum(padded[:, i:i + a.shape[1]] for i in range(n))


def forward(x, n=5, alpha=1.0, beta=0.75, k=2.0):
    s = k + alpha / n * window_sum(x ** 2, n)
    y = x * s ** -beta
    return y, (x, y, s, n, alpha, beta)


def backward(dout, cache):
    x, y, s, n, alpha, beta = cache
    return dout * s ** -beta - 2 * alpha * beta * x * window_sum(dout * y / s, n)


EXPECTED = {"x": "one term"}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 6 + size, 3, 3)), "n": 5, "alpha": 1.0, "beta": 0.75,
            "k": 2.0}
