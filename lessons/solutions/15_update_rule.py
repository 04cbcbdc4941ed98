"""Exercise 15: the paper's update. u is divided by the new rate where it was multiplied by the old
one: v = −lr·u stays."""
from math import log

from course import check


def update(w, g, v, lr, momentum, decay):
    v = momentum * v - decay * lr * w - lr * g
    return w + v, v


def rescale(old_lr, new_lr):
    return old_lr / new_lr


def half_life(lr, momentum, decay):
    shrinkage = decay * lr / (1 - momentum)
    return log(2) / shrinkage


check(update, rescale, half_life)
