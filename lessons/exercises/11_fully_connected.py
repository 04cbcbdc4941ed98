"""Exercise 11: a layer turned into kernels

W (out, C·H·W) is the weight of a fully connected layer that reads flattened maps (C, H, W),
flattened as always: channel by channel, row by row. Give it back as kernels of a convolution. Then:
which width of picture gives n×n answers of AlexNet?
"""
import numpy as np
from course import check


def as_kernels(W, C, height, width):
    """(out, C·height·width) -> (out, C, height, width), so that the convolution gives what the
    layer gives."""
    ...
    return ...


def picture_for(n):
    """The smallest width for which AlexNet, slid over the picture, gives n×n answers. 227 gives
    1×1; conv1 has stride 4, and there are three pools of stride 2."""
    ...
    return ...


check(as_kernels, picture_for)
