"""Exercise 11: a reshape, no more; and 4·2·2·2 = 32 pixels for each answer."""
from course import check


def as_kernels(W, C, height, width):
    return W.reshape(len(W), C, height, width)


def picture_for(n):
    return 227 + 4 * 2 * 2 * 2 * (n - 1)


check(as_kernels, picture_for)
