"""Brick 8: da_i = g_i·s_i^-β - 2αβ·a_i·Σ_j g_j·a_j·s_j^(-β-1), j over the window of i, at all
pixels."""
import numpy as np
from engine import Function, check

N, ALPHA, BETA, K = 5, 1e-4, 0.75, 2.0


def window(i, channels):
    """The channels that are within two of channel i. If j is in the window of i, then i is in the
    window of j."""
    return slice(max(0, i - N // 2), min(channels, i + N // 2 + 1))


class ResponseNorm(Function):
    def forward(self, a):
        s = np.zeros_like(a)
        for i in range(a.shape[1]):
            s[:, i] = K + ALPHA * (a[:, window(i, a.shape[1])] ** 2).sum(axis=1)
        self.save_for_backward(a, s)
        return a / s**BETA

    def backward(self, g):
        a, s = self.saved
        da = g / s**BETA
        for i in range(a.shape[1]):
            j = window(i, a.shape[1])
            da[:, i] -= 2 * ALPHA * BETA * a[:, i] * (g[:, j] * a[:, j]
                                                      / s[:, j] ** (BETA + 1)).sum(axis=1)
        return da


check(ResponseNorm)
