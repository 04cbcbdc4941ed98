"""Exercise 4: im2col and its transpose

One picture (C, H, W), square kernels, no padding. Row (c·K + i)·K + j of the columns holds what
kernel entry [c, i, j] meets, window after window: a window with NumPy's .ravel() is one column.
"""
import numpy as np
from course import check


def im2col(image, K, stride):
    """(C, H, W) -> (C·K·K, OH·OW): every window as a column, windows in reading order."""
    C, H, W = image.shape
    OH, OW = (H - K) // stride + 1, (W - K) // stride + 1
    columns = np.zeros((C * K * K, OH * OW))
    ...
    return ...


def col2im(columns, shape, K, stride):
    """(C·K·K, OH·OW) -> (C, H, W) = shape: every entry back to the pixel it was copied from."""
    C, H, W = shape
    OH, OW = (H - K) // stride + 1, (W - K) // stride + 1
    image = np.zeros(shape)
    ...
    return ...


check(im2col, col2im)
