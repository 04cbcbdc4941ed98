"""Brick 4: convolution with im2col

im2col and col2im are those of exercise 4, for one picture without padding: copy yours, if you have
them. The class does a whole batch: x (N, C, H, W), W (O, C, K, K), b (O,). Pad with np.pad, and do
what sections 2 and 3 of lesson 04 do.
"""
import numpy as np
from engine import Function, check


def im2col(image, K, stride):
    """(C, H, W) -> (C·K·K, OH·OW): every window as a column, windows in reading order."""
    C, H, W = image.shape
    OH, OW = (H - K) // stride + 1, (W - K) // stride + 1
    columns = np.zeros((C * K * K, OH * OW))
    ...
    return ...


def col2im(columns, shape, K, stride):
    """(C·K·K, OH·OW) -> (C, H, W) = shape: every entry back to the pixel it was copied from, and
    added there."""
    C, H, W = shape
    OH, OW = (H - K) // stride + 1, (W - K) // stride + 1
    image = np.zeros(shape)
    ...
    return ...


class Convolution(Function):
    def __init__(self, stride, padding):
        self.stride, self.padding = stride, padding

    def forward(self, x, W, b):
        """y (N, O, OH, OW). Save what backward needs with self.save_for_backward(...)."""
        ...

    def backward(self, g):
        """g (N, O, OH, OW) is dL/dy. Returns dL/dx, dL/dW and dL/db, in the shapes of x, W and
        b."""
        ...


check(im2col, col2im, Convolution)
