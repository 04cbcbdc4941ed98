"""Exercise 18: where the towers meet

Both towers' maps meet in front of conv3. Write that meeting as a Function, forward and backward,
and count what is sent; then run this file: it says whether they are right, and if not, why.
"""
import numpy as np  # noqa: F401
from course import check

from minialex import Function


class Join(Function):
    """Two arrays (N, A, H, W) and (N, B, H, W) become one of A + B channels."""

    def forward(self, a, b):
        ...
        return ...

    def backward(self, g):
        """The gradients of a and of b."""
        ...
        return ...


def summed(rank, from_own_layer, from_other_layer):
    """The gradient of this tower's C maps. Both towers' layers saw all 2C maps (tower 0's come
    first), so both have a gradient (N, 2C, H, W) for them: from_own_layer, and from_other_layer."""
    ...
    return ...


def floats_sent(batch):
    """How many floats one GPU sends to the other in front of conv3, forward and backward together:
    half of 256 maps of 13×13 for each picture, and gradients of the same size for what it
    received."""
    ...
    return ...


check(Join, summed, floats_sent)
