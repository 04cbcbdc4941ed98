"""Convolutions of small layers, such as LeNet-5's: one small matrix product for each image.

    y[n] = W · columns[n]           dW = Σ_n dy[n] · columns[n]ᵀ            dcolumns[n] = Wᵀ · dy[n]

Images, output and gradient take part as they lie in memory, (N, C, H, W): nothing is rearranged but for the columns. NumPy runs
all these products in one call, and OpenBLAS has a kernel for products of at most 10⁶ multiply-adds that skips the packing of
operands: those of LeNet-5's first layer at batch 64 take 0.15 ms image by image and 0.35 ms with 16 images in each, those of its
weight gradient 0.18 and 0.94 ms. LeNet-5's step takes 9.6 instead of 11 ms (RESULTS.md, "Rows that were not reached").
"""
from collections.abc import Callable

import numpy as np

from ..aliases import Array
from .buffers import scratch
from .convolution import Convolution
from .im2col import Im2col


class Batched(Im2col):
    """One product for each image and tower: columns (n, T, K, OH·OW), product (n, T, C_out/T, OH·OW)."""

    def describe(self) -> str:
        return "batched matmul, a product for each image"

    def columns(self, x: Array) -> Array:
        """(n, C, H, W) -> (n, T, K, OH·OW)"""
        columns = self.empty_columns(len(x))
        self.im2col(x, *self.geometry, out=self._rows(columns))
        return columns

    def columns_back(self, dcolumns: Array, out: Array) -> None:
        """The transpose, col2im, -> out (n, C, H, W)"""
        self.col2im(self._rows(dcolumns), out.shape, *self.geometry, out=out)

    def output(self, product: Array, bias: Array, out: Array, finish: Callable[[Array], None]) -> None:
        """(n, T, C_out/T, OH·OW), bias (C_out, 1, 1) -> out (n, C_out, OH, OW), the bias added, and `finish` called on it"""
        np.add(product.reshape(out.shape), bias, out=out)
        finish(out)

    def output_back(self, dy: Array) -> Array:
        """(n, C_out, OH, OW) -> (n, T, C_out/T, OH·OW)"""
        return dy.reshape(len(dy), self.groups, -1, self.positions)

    def multiply(self, a: Array, b: Array, out: Array) -> Array:
        """a[n] · b[n] for every image n, written to out[n], or added up if `out` has place for one."""
        if len(out) == len(b):
            return np.matmul(a, b, out=out)
        # dy · columnsᵀ as (columns · dyᵀ)ᵀ: the second layer's takes 0.44 ms this way and 0.78 ms the other.
        return np.matmul(b.swapaxes(2, 3), a.swapaxes(2, 3)).swapaxes(2, 3).sum(axis=0, keepdims=True, out=out)

    def empty_product(self, images: int) -> Array:
        """Uninitialised memory for W · columns of so many images."""
        rows = self.weight_shape[0] // self.groups
        return scratch("product", (images, self.groups, rows, self.positions), self.like.dtype, like=self.like)

    def empty_columns(self, images: int) -> Array:
        """Uninitialised memory for the columns of so many images."""
        rows = self.rows // self.groups
        return scratch("columns", (images, self.groups, rows, self.positions), self.like.dtype, like=self.like)

    def images_at_a_time(self) -> int:
        """So many that NumPy's calls are worth their while and the columns do not exceed 8 MB."""
        return max(1, (8 << 20) // (self.rows * self.positions * self.like.itemsize))

    def _rows(self, columns: Array) -> Array:
        """The same memory as im2col has it: (C·KH·KW, n, OH·OW)."""
        return columns.reshape(len(columns), -1, self.positions).swapaxes(0, 1)


class BatchedConvolution(Convolution):
    plan = Batched
