"""Exercise 8: da_i = g_i·s_i^-β - 2αβ·a_i·Σ_j g_j·a_j·s_j^(-β-1), j over the window of i."""
import numpy as np
from course import check

import minialex as ma

N, ALPHA, BETA, K = 5, 1e-4, 0.75, 2.0


def window(i, channels):
    """The channels that are within two of channel i. If j is in the window of i, then i is in the
    window of j."""
    return slice(max(0, i - N // 2), min(channels, i + N // 2 + 1))


class Norm(ma.Function):
    """a (C,), the activations of C channels at one pixel."""

    def forward(self, a):
        s = np.array([K + ALPHA * (a[window(i, len(a))] ** 2).sum() for i in range(len(a))])
        self.save_for_backward(a, s)
        return a / s**BETA

    def backward(self, g):
        a, s = self.saved
        da = g / s**BETA
        for i in range(len(a)):
            j = window(i, len(a))
            da[i] -= 2 * ALPHA * BETA * a[i] * (g[j] * a[j] / s[j] ** (BETA + 1)).sum()
        return da


check(Norm)
