"""Convolutions of small layers, such as LeNet-5's: small matrix products for each row of the
output, all images in each.

    y[h] = W · columns[h] + b       dW = Σ_h dy[h] · columns[h]ᵀ       dcolumns[h] = Wᵀ · dy[h]

Images lie in memory with the images last, (H, C, W, N): a row of a kernel's entry is a run of OW·N
numbers, in LeNet-5 at batch 64 seven kilobytes, so columns are copied and added up in long runs;
and y[h] as it comes out of the product is a row of the output. NumPy runs all these products in one
call, and OpenBLAS has a kernel for products of at most 10⁶ multiply-adds that skips the packing of
operands. LeNet-5's second layer takes 0.5 + 1.2 ms on one core, image by image 0.7 + 2.3
(RESULTS.md, "Rows that were not reached").
"""
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..aliases import Array, Pair, Shape
from .buffers import empty, scratch
from .convolution import Convolution
from .layout import copy_rows, from_rows, rows
from .threads import sum_over_images

# Bytes: so many rows of outputs go together that NumPy's calls are worth their while.
_COLUMNS = 8 << 20


class Batched:
    """The plan (convolution.py). For some rows of outputs, OH, and T = groups towers, with P =
    OW·N:

        columns (OH, T, K, P)        y and dy (OH, T, C_out/T, P)        W (T, C_out/T, K)
    """

    both_ways = True

    def __init__(self, x: Array, weight: Array, stride: Pair, padding: Pair, groups: int,
                 output_size: Pair, forward: bool = True) -> None:
        self.kernel_size, self.stride, self.padding, self.groups = (weight.shape[2:], stride,
                                                                    padding, groups)
        self.output_size, self.dtype, self.K = output_size, weight.dtype, weight[0].size
        (N, self.C), OW, self.width = x.shape[:2], output_size[1], x.shape[3] + 2 * padding[1]
        self.row_size, self.row_operations = groups * self.K * OW * N, weight.size * OW * N

    def describe(self) -> str:
        """The plan in a few words."""
        return "batched matmul, a product for each row of outputs"

    def forward(self, x: Array, weight: Array, bias: Array | None,
                epilogue: Callable[[Array], None] | None) -> Array:
        """y (N, C_out, OH, OW). epilogue: called with each part of it, to change it in place."""
        W, windows = self.weights(weight), self.windows(self.pixels(x))
        y = empty((self.output_size[0], len(weight), self.output_size[1], len(x)), self.dtype)

        def some_rows(some: slice) -> None:
            part = y[some]
            np.matmul(W, self.columns(windows[some]), out=self.products(part))
            if bias is not None:
                part += bias.reshape(-1, 1, 1)
            if epilogue:
                epilogue(part)

        self.sum_over_rows(some_rows)
        return from_rows(y)

    def backward(self, x: Array, weight: Array, incoming: Callable[[slice], Array],
                 needed: Sequence[bool]) -> tuple[Array | None, ...]:
        """dL/dx, dL/dweight, dL/dbias, each None where `needed` says so. incoming(images): dL/d(W ·
        columns + b) of a slice."""
        need_x, need_weight, *need_bias = needed
        W, windows, parts = self.weights(weight), self.windows(self.pixels(x)), {}
        dy = rows(incoming(slice(0, len(x))))
        if not dy.flags.c_contiguous:
            dy = self.copied(dy, "output")

        def some_rows(some: slice) -> tuple[Array | None, ...]:
            its_dy, dW = self.products(dy[some]), None
            # dy · columnsᵀ as (columns · dyᵀ)ᵀ: the second layer's takes 0.43 ms this way and 0.76
            # the other.
            if need_weight:
                dW = np.matmul(self.columns(windows[some]), its_dy.swapaxes(2, 3)).sum(axis=0)
            if need_x:
                parts[some.start] = self.columns_back(np.matmul(W.swapaxes(1, 2), its_dy,
                                                                out=self.empty_columns(its_dy)))
            return dW, dy[some].sum(axis=(0, 2, 3)) if any(need_bias) else None

        dW, db = self.sum_over_rows(some_rows)
        return (self.together(parts, x.shape) if need_x else None,
                dW.swapaxes(1, 2).reshape(weight.shape) if need_weight else None, db)

    def sum_over_rows(self, function: Callable[[slice], Any]) -> Any:
        """Call `function(slice)` for all rows of outputs, some at a time, and add up what it
        returns."""
        at_a_time = max(1, _COLUMNS // (self.row_size * self.dtype.itemsize))
        return sum_over_images(function, self.output_size[0], at_a_time, True,
                               operations=self.row_operations)

    def together(self, parts: dict[int, Array], shape: Shape) -> Array:
        """{first row of outputs: gradients of the pixels in its windows and those of some rows
        below} -> dx of this shape"""
        (N, C, H, W), (PH, PW), SH = shape, self.padding, self.stride[0]
        if len(parts) == 1 and len(parts[0]) == H + 2 * PH:
            dpixels = parts[0]
        else:
            dpixels = empty((H + 2 * PH, C, W + 2 * PW, N), self.dtype)
            dpixels[...] = 0
            for first, part in sorted(parts.items()):
                dpixels[first * SH:first * SH + len(part)] += part
        return from_rows(dpixels[PH:PH + H, :, PW:PW + W])

    def weights(self, weight: Array) -> Array:
        """(C_out, C/T, KH, KW) -> (T, C_out/T, K)"""
        return weight.reshape(self.groups, len(weight) // self.groups, -1)

    def pixels(self, x: Array) -> Array:
        """(N, C, H, W) -> (H + 2·PH, C, W + 2·PW, N) with zeros around, a view where possible"""
        x, (PH, PW) = rows(x), self.padding
        if PH == PW == 0:
            return x if x.flags.c_contiguous else self.copied(x, "pixels")
        H, C, W, N = x.shape
        padded = scratch("pixels", (H + 2 * PH, C, W + 2 * PW, N), self.dtype, like=x)
        padded[...] = 0
        copy_rows(padded[PH:PH + H, :, PW:PW + W], x)
        return padded

    def copied(self, x: Array, name: str) -> Array:
        """A copy (H, C, W, N) without gaps."""
        copy = scratch(name, x.shape, self.dtype, like=x)
        copy_rows(copy, x)
        return copy

    def windows(self, pixels: Array) -> Array:
        """Every window as a view, without gaps in `pixels`: entry [h, c, i, j, w, n] is pixels[h·SH
        + i, c, w·SW + j, n]."""
        (KH, KW), (SH, SW), (sh, sc, sw, sn) = self.kernel_size, self.stride, pixels.strides
        shape = (len(pixels) - KH) // SH + 1, self.C, KH, KW, self.output_size[1], pixels.shape[3]
        # as_strided takes 9 µs.
        return np.ndarray(shape, self.dtype, pixels, 0, (SH * sh, sc, sh, sw, SW * sw, sn))

    def columns(self, windows: Array) -> Array:
        """(OH, C, KH, KW, OW, N) -> (OH, T, K, P)"""
        columns = scratch("columns", windows.shape, self.dtype, like=windows)
        np.copyto(columns, windows)
        return columns.reshape(len(columns), self.groups, self.K, -1)

    def columns_back(self, dcolumns: Array) -> Array:
        """The transpose: each entry is added to the pixel that it was copied from. -> (rows of
        pixels, C, W + 2·PW, N)"""
        (KH, KW), N = self.kernel_size, dcolumns.shape[3] // self.output_size[1]
        pixels = empty(((len(dcolumns) - 1) * self.stride[0] + KH, self.C, self.width, N),
                       self.dtype)
        pixels[...] = 0
        windows = self.windows(pixels)
        dcolumns = dcolumns.reshape(windows.shape)
        if windows.shape[0] == windows.shape[4] == 1:
            windows[...] = dcolumns
            return pixels
        for i, j in np.ndindex(KH, KW):
            windows[:, :, i, j] += dcolumns[:, :, i, j]
        return pixels

    def empty_columns(self, dy: Array) -> Array:
        """Uninitialised memory for the columns that belong to `dy`: that of `columns`, which have
        done their work."""
        return scratch("columns", (*dy.shape[:2], self.K, dy.shape[3]), self.dtype, like=dy)

    def products(self, y: Array) -> Array:
        """Rows of outputs (OH, C_out, OW, N) as they come out of the products, a view: (OH, T,
        C_out/T, P)"""
        return y.reshape(len(y), self.groups, y.shape[1] // self.groups, -1)


class BatchedConvolution(Convolution):
    plan = Batched
