"""Local response normalisation with two loops over the channels and no padding: the window ends
where the channels end."""
import numpy as np


def forward(x, n=3, alpha=0.5, beta=0.75, k=2.0):
    s = np.full_like(x, k)
    C = x.shape[1]
    for c in range(C):
        for d in range(max(0, c - n // 2), min(C, c + n // 2 + 1)):
            s[:, c] += alpha * x[:, d] ** 2
    return x / s ** beta, (x, s, n, alpha, beta)


def backward(dout, cache):
    x, s, n, alpha, beta = cache
    dx, C = dout / s ** beta, x.shape[1]
    for c in range(C):
        for d in range(max(0, c - n // 2), min(C, c + n // 2 + 1)):
            dx[:, d] -= dout[:, c] * beta * x[:, c] / s[:, c] ** (beta + 1) * alpha * 2 * x[:, d]
    return dx


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 5 + size, 2, 3)), "n": 3, "alpha": 0.5, "beta": 0.75,
            "k": 2.0}
