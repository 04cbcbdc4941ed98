"""Columns: the pixels under every window of every image as a matrix, and back. Plain NumPy arrays.

N, C, H, W: images, channels, height, width.  KH, KW: kernel or window.  OH, OW: output.
"""
from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..aliases import Array, Pair, Shape
from ..device import array_module
from ..ops.im2col import window_count
from .buffers import empty, scratch
from .convolution import Convolution, Plan
from .linear import matmul


def _windows(x: Array, kernel_size: Pair, stride: Pair, counts: Pair) -> Array:
    """Every window of x (N, C, H, W) as a view (C, KH, KW, N, OH, OW): entry [c, i, j, n, h, w] is
    x[n, c, h·stride + i, w·stride + j]. Nothing is copied; the strides do the work."""
    (KH, KW), (SH, SW), (OH, OW) = kernel_size, stride, counts
    N, C = x.shape[:2]
    sn, sc, sh, sw = x.strides
    return as_strided(x, (C, KH, KW, N, OH, OW), (sc, sh, sw, sn, sh * SH, sw * SW))


def _copy(target: Array, source: Array) -> None:
    """target[...] = source. Rows that are contiguous on both sides are copied as single items:
    NumPy's loop over 13 floats costs more than the 13 floats (2.4 times for conv2's columns,
    measured)."""
    row = source.shape[-1] * source.itemsize
    if source.strides[-1] == target.strides[-1] == source.itemsize:
        source, target = source.view(f"V{row}"), target.view(f"V{row}")
    np.copyto(target, source)


def _padded(x: Array, padding: Pair, value: float) -> Array:
    """x with PH rows and PW columns of `value` on each side."""
    PH, PW = padding
    if PH == PW == 0:
        return x
    N, C, H, W = x.shape
    padded = np.full((N, C, H + 2 * PH, W + 2 * PW), value, dtype=x.dtype)
    padded[:, :, PH:PH + H, PW:PW + W] = x
    return padded


def _output_size(image_size: Pair, kernel_size: Pair, stride: Pair, padding: Pair) -> Pair:
    return tuple(map(window_count, image_size, kernel_size, stride, padding))


def im2col(x: Array, kernel_size: Pair, stride: Pair, padding: Pair,
           out: Array | None = None) -> Array:
    """columns[(c, i, j), n, (h, w)] = x[n, c, h·stride + i − padding, w·stride + j − padding], 0
    outside.

    x (N, C, H, W) -> (C·KH·KW, N, OH·OW): one row per kernel entry, one column per window, the
    images side by side, so that all windows of all images make one matrix. `out` may have any
    strides on its first two axes.
    """
    N, C = x.shape[:2]
    OH, OW = _output_size(x.shape[2:], kernel_size, stride, padding)
    if out is None:
        out = empty((C * kernel_size[0] * kernel_size[1], N, OH * OW), x.dtype)
    row, image, item = out.strides
    by_entry = (row * kernel_size[0] * kernel_size[1], row * kernel_size[1], row, image, item * OW,
                item)
    entries = as_strided(out, (C, *kernel_size, N, OH, OW), by_entry)
    padded = _padded(x, padding, 0)
    # With a stride of 4, entry j of a kernel's row meets pixels 4w + j: every fourth column of the
    # image, made contiguous once for j = 0, 4, 8, again for 1, 5, 9, and so on. Then rows can be
    # copied whole (conv1: 0.6 → 0.3 ms per image and core).
    for first in range(min(stride[1], kernel_size[1])):
        columns = np.ascontiguousarray(padded[..., first::stride[1]]) if stride[1] > 1 else padded
        part = entries[:, :, first::stride[1]]
        _copy(part, _windows(columns, part.shape[1:3], (stride[0], 1), (OH, OW)))
    return out


def col2im(columns: Array, image_shape: Shape, kernel_size: Pair, stride: Pair, padding: Pair,
           out: Array | None = None) -> Array:
    """The transpose of im2col: every column entry is added to the pixel that it was copied from.

    columns (C·KH·KW, N, OH·OW) -> (N, C, H, W). The sum over a window is taken in two steps, first
    over its rows i, then over its columns j: KH + KW calls of NumPy where the one-step sum has
    KH·KW, and with stride 1 those of the first step run over whole maps, not over their rows of 13
    or 27 numbers (conv2: 2.4 → 1.7 ms per image and core).
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


# ---------------------------------------------------------------------------- the plan


class Im2col(Plan):
    """Explicit im2col: one matrix product for each tower and a few images.

        weights  (1, T, C_out/T, K)     columns  (1, T, K, P)     product  (1, T, C_out/T, P)

    K = C/T·KH·KW entries of a kernel, P = n·OH·OW windows of n images.
    """

    def __init__(self, x: Array, weight: Array, stride: Pair, padding: Pair, groups: int,
                 output_size: Pair, forward: bool = True) -> None:
        self.weight_shape, self.groups, self.output_size, self.like = (weight.shape, groups,
                                                                       output_size, weight)
        self.geometry = weight.shape[2:], stride, padding
        self.rows, self.positions = groups * weight[0].size, output_size[0] * output_size[1]

    def describe(self) -> str:
        """The plan in a few words."""
        return f"im2col, {self.images_at_a_time()} images a product"

    def weights(self, weight: Array) -> Array:
        """(C_out, C/T, KH, KW) -> (1, T, C_out/T, K)"""
        return weight.reshape(1, self.groups, len(weight) // self.groups, -1)

    def weights_back(self, dW: Array) -> Array:
        """(1, T, C_out/T, K) -> (C_out, C/T, KH, KW)"""
        return dW.reshape(self.weight_shape)

    def columns(self, x: Array) -> Array:
        """(n, C, H, W) -> (1, T, K, P)"""
        columns = scratch("columns", (self.rows, len(x), self.positions), x.dtype, like=x)
        return self.im2col(x, *self.geometry, out=columns).reshape(1, self.groups,
                                                                   self.rows // self.groups, -1)

    def columns_back(self, dcolumns: Array, out: Array) -> None:
        """col2im, (1, T, K, P) -> out (n, C, H, W): each entry is added to the pixel that it was
        copied from."""
        self.col2im(dcolumns.reshape(self.rows, len(out), -1), out.shape, *self.geometry, out=out)

    def output(self, product: Array, bias: Array, out: Array,
               finish: Callable[[Array], None]) -> None:
        """(1, T, C_out/T, P), bias (C_out, 1, 1) -> out (n, C_out, OH, OW), the bias added, and
        `finish` called on it"""
        by_image = product.reshape(out.shape[1], len(out), *self.output_size).swapaxes(0, 1)
        array_module(out).add(by_image, bias, out=out)
        finish(out)

    def output_back(self, dy: Array) -> Array:
        """(n, C_out, OH, OW) -> (1, T, C_out/T, P)"""
        return dy.swapaxes(0, 1).reshape(1, self.groups, dy.shape[1] // self.groups, -1)

    def multiply(self, a: Array, b: Array, out: Array) -> Array:
        """out[0, t] = a[0, t] · b[0, t]. One tower at a time: CuPy's batched product copies an
        operand that is transposed."""
        for tower in range(self.groups):
            matmul(a[0, tower], b[0, tower], out=out[0, tower])
        return out

    def empty_product(self, images: int) -> Array:
        """Uninitialised memory for W · columns of so many images."""
        shape = 1, self.groups, self.weight_shape[0] // self.groups, images * self.positions
        return scratch("product", shape, self.like.dtype, like=self.like)

    def empty_columns(self, images: int) -> Array:
        """Uninitialised memory for the columns of so many images: on the CPU that of `columns`,
        which have done their work."""
        shape = 1, self.groups, self.rows // self.groups, images * self.positions
        return scratch("columns", shape, self.like.dtype, like=self.like)

    def empty_images(self, shape: Shape) -> Array:
        """Uninitialised memory for images (N, C, H, W)."""
        return empty(shape, self.like.dtype, like=self.like)

    def images_at_a_time(self) -> int:
        """How many images share one buffer of columns."""
        return images_at_a_time(self.positions, self.rows * self.positions * self.like.itemsize)

    im2col, col2im = staticmethod(im2col), staticmethod(col2im)


def images_at_a_time(positions: int, column_bytes: int) -> int:
    """How many images share one buffer of columns, when one image has `positions` windows in
    `column_bytes` bytes: enough for 512 columns, since a matrix product of 169 (one image of
    conv3-5) runs 10-15 % slower, and for 1 MB."""
    return max(1, -(-512 // positions), (1 << 20) // column_bytes)


class Im2colConvolution(Convolution):
    plan = Im2col
