"""Brick 8: response normalisation

Exercise 8 did one pixel. This is the same for all pixels of x (N, C, H, W) at once: a[:, window(i,
C)] are the channels around channel i, everywhere.
"""
import numpy as np
from engine import Function, check

N, ALPHA, BETA, K = 5, 1e-4, 0.75, 2.0


def window(i, channels):
    """The channels that are within two of channel i. If j is in the window of i, then i is in the
    window of j."""
    return slice(max(0, i - N // 2), min(channels, i + N // 2 + 1))


class ResponseNorm(Function):
    def forward(self, a):
        """b_i = a_i / s_i^BETA, s_i = K + ALPHA·Σ a_j² over the window of i"""
        ...

    def backward(self, g):
        """dL/da: through a_i itself, and through the s_j of every channel j around it."""
        ...


check(ResponseNorm)
