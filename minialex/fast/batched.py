"""Convolutions of small layers, such as LeNet-5's: one small matrix product for each image.

    y[n] = W · columns[n]           dW = Σ_n dy[n] · columns[n]ᵀ            dcolumns[n] = Wᵀ · dy[n]

Images, output and gradient take part as they lie in memory, (N, C, H, W): nothing is rearranged but for the columns. NumPy runs
all these products in one call, and OpenBLAS has a kernel for products of at most 10⁶ multiply-adds that skips the packing of
operands: those of LeNet-5's first layer at batch 64 take 0.15 ms image by image and 0.35 ms with 16 images in each, those of its
weight gradient 0.18 and 0.94 ms.
"""
import numpy as np

from .buffers import empty, scratch
from .columns import col2im, im2col

_SMALL = 10**6  # multiply-adds
_FEW_WINDOWS = 64  # fewer would be products with a column or two


def is_small(weight, groups, output_size):
    """Is an image's product so small, and are there windows enough?"""
    windows = output_size[0] * output_size[1]
    return windows >= _FEW_WINDOWS and weight.size // groups * windows <= _SMALL


class ImageProducts:
    """The linear maps of a convolution and their transposes, by the names of `Im2col` in ops/im2col.py.

        weights (1, T, C_out/T, K)      columns (n, T, K, P), K = C/T·KH·KW, P = OH·OW      product (n, T, C_out/T, P)

    T = groups towers; n images.
    """

    by_image = True  # each core takes images of its own through all steps

    def __init__(self, weight, stride, padding, groups, output_size):
        self.weight_shape, self.dtype, self.groups = weight.shape, weight.dtype, groups
        self.geometry = weight.shape[2:], stride, padding
        self.K, self.P = weight[0].size, output_size[0] * output_size[1]

    def weights(self, weight):
        """(C_out, C/T, KH, KW) -> (1, T, C_out/T, K)"""
        return weight.reshape(1, self.groups, -1, self.K)

    def weights_back(self, dW):
        """The transpose"""
        return dW.reshape(self.weight_shape)

    def columns(self, x):
        """(n, C, H, W) -> (n, T, K, P)"""
        columns = self.empty_columns(len(x))
        im2col(x, *self.geometry, out=self._rows(columns))
        return columns

    def columns_back(self, dcolumns, out):
        """The transpose, col2im, -> out (n, C, H, W)"""
        col2im(self._rows(dcolumns), out.shape, *self.geometry, out=out)

    def output(self, product, bias, out, finish):
        """(n, T, C_out/T, P), bias (C_out, 1, 1) -> out (n, C_out, OH, OW), the bias added, and `finish` called on it"""
        np.add(product.reshape(out.shape), bias, out=out)
        finish(out)

    def output_back(self, dy):
        """(n, C_out, OH, OW) -> (n, T, C_out/T, P)"""
        return dy.reshape(len(dy), self.groups, -1, self.P)

    def multiply(self, a, b, out):
        """a[n] · b[n] for every image n, written to out[n], or added up if `out` has place for one."""
        if len(out) == len(b):
            return np.matmul(a, b, out=out)
        # dy · columnsᵀ as (columns · dyᵀ)ᵀ: the second layer's takes 0.44 ms this way and 0.78 ms the other.
        return np.matmul(b.swapaxes(2, 3), a.swapaxes(2, 3)).swapaxes(2, 3).sum(axis=0, keepdims=True, out=out)

    def empty_product(self, images):
        """Uninitialised memory for W · columns of so many images."""
        return scratch("product", (images, self.groups, self.weight_shape[0] // self.groups, self.P), self.dtype, like=self)

    def empty_columns(self, images):
        """Uninitialised memory for the columns of so many images."""
        return scratch("columns", (images, self.groups, self.K, self.P), self.dtype, like=self)

    def empty_images(self, shape):
        """Uninitialised memory for images (N, C, H, W)."""
        return empty(shape, self.dtype)

    def images_at_a_time(self):
        """So many that NumPy's calls are worth their while and the columns do not exceed 8 MB."""
        return max(1, (8 << 20) // (self.groups * self.K * self.P * self.dtype.itemsize))

    def _rows(self, columns):
        """The same memory as im2col has it: (C·KH·KW, n, P)."""
        return columns.reshape(len(columns), -1, self.P).swapaxes(0, 1)
