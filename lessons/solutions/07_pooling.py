"""Exercise 7: argmax gives the first of the largest; += because windows overlap."""
import numpy as np
from course import check


def max_pool_backward(x, g, z, s):
    dx = np.zeros_like(x)
    OH, OW = g.shape
    for h in range(OH):
        for w in range(OW):
            window = x[s * h : s * h + z, s * w : s * w + z]
            i, j = divmod(int(np.argmax(window)), z)
            dx[s * h + i, s * w + j] += g[h, w]
    return dx


check(max_pool_backward)
