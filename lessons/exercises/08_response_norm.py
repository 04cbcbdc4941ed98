"""Exercise 8: local response normalisation, backwards

b_i = a_i / s_i^β, s_i = k + α·Σ a_j² over the n channels around i. The derivative dL/da_i has two
parts: through a_i above the line of its own b_i, and through a_i inside the s_j of every neighbour
j, i itself included.
"""
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
        ...


check(Norm)
