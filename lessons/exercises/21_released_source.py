"""Exercise 21: sizes rounded up, and a norm within a map

Write the three functions and run this file: it says whether they are right, and if not, why.
"""
import numpy as np  # noqa: F401
from course import check


def size_rounded_up(size, kernel, stride):
    """How many windows there are when one that sticks out, however far, still counts."""
    ...
    return ...


def zeros_needed(size, kernel, stride):
    """How many columns of zeros must follow on the right, so that the last of these windows is
    full."""
    ...
    return ...


def within_map(x, size, alpha, beta, k):
    """y = x / (k + alpha·Σ x²)^beta for one map (H, W): Σ over size × size pixels around each, 0
    outside the map. size is odd."""
    ...
    return ...


check(size_rounded_up, zeros_needed, within_map)
