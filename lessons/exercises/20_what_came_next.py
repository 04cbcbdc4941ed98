"""Exercise 20: what a stack sees and what it costs

Write the three functions and run this file: it says whether they are right, and if not, why.
"""
from course import check


def sees(layers):
    """How many pixels across one value sees. layers: (kernel, stride) pairs, the first layer first;
    no padding needed."""
    ...
    return ...


def weights(kernel, count, channels):
    """How many weights (no biases) `count` layers of kernel × kernel have, each from `channels`
    maps to `channels` maps."""
    ...
    return ...


def stack_for(kernel):
    """How many 3×3 convolutions, one after the other with stride 1, see kernel × kernel pixels.
    kernel is odd."""
    ...
    return ...


check(sees, weights, stack_for)
