"""Brick 7: two kinds of pooling

Windows of z×z that start s pixels apart, in each map of x (N, C, H, W). AlexNet keeps the largest
value of a window, LeNet-5 the mean. What is left at the right and at the bottom, where no window
fits, is not read. Loops over windows are fine.
"""
import numpy as np
from engine import Function, check


class MaxPool(Function):
    def __init__(self, z, s):
        self.z, self.s = z, s

    def forward(self, x):
        """y (N, C, OH, OW)"""
        N, C, H, W = x.shape
        OH, OW = (H - self.z) // self.s + 1, (W - self.z) // self.s + 1
        ...

    def backward(self, g):
        """dL/dx: each window pays its winner; of equal values the first in reading order."""
        ...


class MeanPool(Function):
    def __init__(self, z, s):
        self.z, self.s = z, s

    def forward(self, x):
        """y (N, C, OH, OW)"""
        N, C, H, W = x.shape
        OH, OW = (H - self.z) // self.s + 1, (W - self.z) // self.s + 1
        ...

    def backward(self, g):
        """dL/dx: each pixel of a window gets the same share."""
        ...


check(MaxPool, MeanPool)
