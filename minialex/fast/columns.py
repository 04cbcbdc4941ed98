"""Columns: the pixels under every window of every image as a matrix, and back. Plain NumPy arrays.

N, C, H, W: images, channels, height, width.  KH, KW: kernel or window.  OH, OW: output.
"""
import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..windows import window_count
from .buffers import empty, scratch


def _windows(x, kernel_size, stride, counts):
    """Every window of x (N, C, H, W) as a view (C, KH, KW, N, OH, OW): entry [c, i, j, n, h, w] is
    x[n, c, h·stride + i, w·stride + j]. Nothing is copied; the strides do the work."""
    (KH, KW), (SH, SW), (OH, OW) = kernel_size, stride, counts
    N, C = x.shape[:2]
    sn, sc, sh, sw = x.strides
    return as_strided(x, (C, KH, KW, N, OH, OW), (sc, sh, sw, sn, sh * SH, sw * SW))


def _copy(target, source):
    """target[...] = source. Rows that are contiguous on both sides are copied as single items: NumPy's loop over 13
    floats costs more than the 13 floats (2.4 times for conv2's columns, measured)."""
    row = source.shape[-1] * source.itemsize
    if source.strides[-1] == target.strides[-1] == source.itemsize:
        source, target = source.view(f"V{row}"), target.view(f"V{row}")
    np.copyto(target, source)


def _padded(x, padding, value):
    """x with PH rows and PW columns of `value` on each side."""
    PH, PW = padding
    if PH == PW == 0:
        return x
    N, C, H, W = x.shape
    padded = np.full((N, C, H + 2 * PH, W + 2 * PW), value, dtype=x.dtype)
    padded[:, :, PH:PH + H, PW:PW + W] = x
    return padded


def _output_size(image_size, kernel_size, stride, padding):
    return tuple(map(window_count, image_size, kernel_size, stride, padding))


def im2col(x, kernel_size, stride, padding, out=None):
    """columns[(c, i, j), n, (h, w)] = x[n, c, h·stride + i − padding, w·stride + j − padding], 0 outside.

    x (N, C, H, W) -> (C·KH·KW, N, OH·OW): one row per kernel entry, one column per window, the images side by side,
    so that all windows of all images make one matrix. `out` may have any strides on its first two axes.
    """
    N, C = x.shape[:2]
    OH, OW = _output_size(x.shape[2:], kernel_size, stride, padding)
    if out is None:
        out = empty((C * kernel_size[0] * kernel_size[1], N, OH * OW), x.dtype)
    row, image, item = out.strides
    by_entry = (row * kernel_size[0] * kernel_size[1], row * kernel_size[1], row, image, item * OW, item)
    entries = as_strided(out, (C, *kernel_size, N, OH, OW), by_entry)
    padded = _padded(x, padding, 0)
    # With a stride of 4, entry j of a kernel's row meets pixels 4w + j: every fourth column of the image, made contiguous once
    # for j = 0, 4, 8, again for 1, 5, 9, and so on. Then rows can be copied whole (conv1: 0.6 → 0.3 ms per image and core).
    for first in range(min(stride[1], kernel_size[1])):
        columns = np.ascontiguousarray(padded[..., first::stride[1]]) if stride[1] > 1 else padded
        part = entries[:, :, first::stride[1]]
        _copy(part, _windows(columns, part.shape[1:3], (stride[0], 1), (OH, OW)))
    return out


def col2im(columns, image_shape, kernel_size, stride, padding, out=None):
    """The transpose of im2col: every column entry is added to the pixel that it was copied from.

    columns (C·KH·KW, N, OH·OW) -> (N, C, H, W). The sum over a window is taken in two steps, first over its rows i, then
    over its columns j: KH + KW calls of NumPy where the one-step sum has KH·KW, and with stride 1 those of the first step
    run over whole maps, not over their rows of 13 or 27 numbers (conv2: 2.4 → 1.7 ms per image and core).
    """
    N, C, H, W = image_shape
    (KH, KW), (SH, SW), (PH, PW) = kernel_size, stride, padding
    OH, OW = _output_size((H, W), kernel_size, stride, padding)
    by_entry = columns.reshape(C, KH, KW, N, OH, OW)
    rows = scratch("rows", (C, KW, N, H + 2 * PH, OW), columns.dtype, like=columns)
    rows[...] = 0
    for i in range(KH):
        rows[..., i:i + SH * OH:SH, :] += by_entry[:, i]
    padded = np.zeros((C, N, H + 2 * PH, W + 2 * PW), dtype=columns.dtype)
    for j in range(KW):
        padded[..., j:j + SW * OW:SW] += rows[:, j]
    image = padded[:, :, PH:PH + H, PW:PW + W].swapaxes(0, 1)
    if out is None:
        return np.ascontiguousarray(image)
    out[...] = image
    return out
