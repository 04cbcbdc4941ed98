"""Exercise 21: sizes rounded up, and a norm within a map. −(−a // b) is a/b rounded up."""
import numpy as np
from course import check


def size_rounded_up(size, kernel, stride):
    return -(-(size - kernel) // stride) + 1


def zeros_needed(size, kernel, stride):
    return (size_rounded_up(size, kernel, stride) - 1) * stride + kernel - size


def within_map(x, size, alpha, beta, k):
    near = size // 2
    y = np.empty_like(x)
    for row in range(x.shape[0]):
        for column in range(x.shape[1]):
            window = x[max(0, row - near) : row + near + 1,
                       max(0, column - near) : column + near + 1]
            y[row, column] = x[row, column] / (k + alpha * (window**2).sum()) ** beta
    return y


check(size_rounded_up, zeros_needed, within_map)
