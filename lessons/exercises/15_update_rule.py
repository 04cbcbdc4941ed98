"""Exercise 15: the paper's update

    v ← momentum·v − decay·lr·w − lr·g        w ← w + v

Write the three functions and run this file: it says whether they are right, and if not, why.
"""
from math import log  # noqa: F401

from course import check


def update(w, g, v, lr, momentum, decay):
    """One step for arrays of one shape. Returns the new (w, v); the arrays that come in stay as
    they are."""
    ...
    return ...


def rescale(old_lr, new_lr):
    """The common form is u ← momentum·u + g, w ← w − lr·u. By what must u be multiplied, before the
    first step with the new learning rate, so that it takes the paper's steps?"""
    ...
    return ...


def half_life(lr, momentum, decay):
    """After how many steps a weight that gets no gradient has fallen to one half. Small shrinkage:
    (1 − s)ⁿ = e^(−s·n)."""
    ...
    return ...


check(update, rescale, half_life)
