"""im2col: every window of an image as a column, and back.

    columns[(c, i, j), (n, h, w)] = x[n, c, h·SH + i − PH, w·SW + j − PW]                           x is 0 outside the image
    dx = col2im(dcolumns), the transpose: each entry is added to the pixel that it was copied from

`im2col` and `col2im` are these two for anybody's arrays. `Im2col` is what ops/convolution.py works with: the maps from weights,
images and output to the matrices of its product, and back.
"""
from ..device import array_module, is_array
from ..fast import kernels
from ..fast.buffers import empty, scratch
from ..fast.threads import images_at_a_time, matmul
from ..windows import output_size, pair


class Im2col:
    """The linear maps into the product's form (weights, columns) and out of it (output), each with its transpose, `..._back`.

        weights  (1, T, C_out/T, K)     one product for each of T = groups towers, and K = C/T·KH·KW
        columns  (1, T, K, P)           a row for each entry of a kernel
        product  (1, T, C_out/T, P)     a column for each window of n images, P = n·OH·OW

    The first axis counts products beside each other: with tiles there is one for each place in a tile, with image_products.py
    one for each image.
    """

    by_image = True  # each core takes images of its own through all steps

    def __init__(self, x, weight, stride, padding, groups, output_size):
        self.kernels, self.weight_shape, self.groups, self.output_size = kernels(x), weight.shape, groups, output_size
        self.geometry = weight.shape[2:], stride, padding
        self.column_shape = (1, groups, weight[0].size, -1)
        self.like, self.rows, self.positions = x, groups * weight[0].size, output_size[0] * output_size[1]

    def weights(self, weight):
        """(C_out, C/T, KH, KW) -> (1, T, C_out/T, K)"""
        return weight.reshape(1, self.groups, len(weight) // self.groups, -1)

    def weights_back(self, dW):
        """(1, T, C_out/T, K) -> (C_out, C/T, KH, KW)"""
        return dW.reshape(self.weight_shape)

    def columns(self, x):
        """(n, C, H, W) -> (1, T, K, P)"""
        columns = scratch("columns", (self.rows, len(x), self.positions), x.dtype, like=x)
        return self.kernels.im2col(x, *self.geometry, out=columns).reshape(self.column_shape)

    def columns_back(self, dcolumns, out):
        """col2im, (1, T, K, P) -> out (n, C, H, W): each entry is added to the pixel that it was copied from."""
        self.kernels.col2im(dcolumns.reshape(self.rows, len(out), -1), out.shape, *self.geometry, out=out)

    def output(self, product, bias, out, finish):
        """(1, T, C_out/T, P), bias (C_out, 1, 1) -> out (n, C_out, OH, OW), the bias added, and `finish` called on it"""
        by_image = product.reshape(out.shape[1], len(out), *self.output_size).swapaxes(0, 1)
        array_module(out).add(by_image, bias, out=out)
        finish(out)

    def output_back(self, dy):
        """(n, C_out, OH, OW) -> (1, T, C_out/T, P)"""
        return dy.swapaxes(0, 1).reshape(1, self.groups, dy.shape[1] // self.groups, -1)

    def multiply(self, a, b, out):
        """out[0, t] = a[0, t] · b[0, t]. One tower at a time: CuPy's batched product copies an operand that is transposed."""
        for tower in range(self.groups):
            matmul(a[0, tower], b[0, tower], out=out[0, tower])
        return out

    def empty_product(self, images):
        """Uninitialised memory for W · columns of so many images."""
        shape = 1, self.groups, self.weight_shape[0] // self.groups, images * self.positions
        return scratch("product", shape, self.like.dtype, like=self.like)

    def empty_columns(self, images):
        """Uninitialised memory for the columns of so many images: on the CPU that of `columns`, which have done their work."""
        shape = 1, self.groups, self.rows // self.groups, images * self.positions
        return scratch("columns", shape, self.like.dtype, like=self.like)

    def empty_images(self, shape):
        """Uninitialised memory for images (N, C, H, W)."""
        return empty(shape, self.like.dtype, like=self.like)

    def images_at_a_time(self):
        """How many images share one buffer of columns."""
        return images_at_a_time(self.positions, self.rows * self.positions * self.like.itemsize, like=self.like)


class OneWindow(Im2col):
    """Kernels as large as the images: the one window is the whole image, which as it lies in memory is its column already, as in
    a fully connected layer. Nothing is copied: LeNet-5's third layer at batch 64, forward and backward, takes 0.42 instead of
    0.63 ms."""

    def columns(self, x):
        """(n, C, H, W) -> (1, T, K, n)"""
        return x.reshape(1, len(x), self.groups, -1).transpose(0, 2, 3, 1)

    def columns_back(self, dcolumns, out):
        """The transpose, (1, T, K, n) -> out (n, C, H, W)"""
        out[...] = dcolumns.transpose(0, 3, 1, 2).reshape(out.shape)


def im2col(array, kernel_size, stride=1, padding=0):
    """Every window of every image as a column: (N, C, H, W) -> (N, C·KH·KW, OH·OW). Plain arrays.

    Row (c·KH + i)·KW + j of image n holds the pixels that kernel entry [c, i, j] meets; outside the image stand zeros.
    Raises ValueError when no window fits.
    """
    kernel_size, stride, padding = _geometry("im2col", array, kernel_size, stride, padding)
    OH, OW = output_size("im2col", array.shape, kernel_size, stride, padding)
    N, C = array.shape[:2]
    columns = array_module(array).empty((N, C * kernel_size[0] * kernel_size[1], OH * OW), dtype=array.dtype)
    kernels(array).im2col(array, kernel_size, stride, padding, out=columns.swapaxes(0, 1))
    return columns


def col2im(columns, image_shape, kernel_size, stride=1, padding=0):
    """The transpose of im2col: (N, C·KH·KW, OH·OW) -> image_shape (N, C, H, W). Overlapping entries are added up.

    Raises ValueError when the columns do not belong to images of that shape.
    """
    kernel_size, stride, padding = _geometry("col2im", columns, kernel_size, stride, padding)
    OH, OW = output_size("col2im", image_shape, kernel_size, stride, padding)
    N, C = image_shape[:2]
    expected = (N, C * kernel_size[0] * kernel_size[1], OH * OW)
    if columns.shape != expected:
        raise ValueError(f"col2im: columns of shape {columns.shape} do not belong to images {tuple(image_shape)} with "
                         f"kernel_size {kernel_size}, stride {stride}, padding {padding}: those have {expected}.")
    columns = array_module(columns).ascontiguousarray(columns.swapaxes(0, 1))
    return kernels(columns).col2im(columns, tuple(image_shape), kernel_size, stride, padding)


def _geometry(name, array, kernel_size, stride, padding):
    if not is_array(array):
        raise TypeError(f"{name} works on plain arrays, got a {type(array).__name__}: pass a Tensor's .data, or "
                        "np.asarray(...) of a list.")
    return pair("kernel_size", kernel_size), pair("stride", stride), pair("padding", padding, smallest=0)
