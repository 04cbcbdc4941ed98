"""Convolution as one matrix product (explicit im2col).

    y[n, o, h, w] = b[o] + Σ_{c, i, j} W[o, c, i, j] · x[n, c, h·SH + i − PH, w·SW + j − PW]        x is 0 outside the image

Strictly a cross-correlation: as in every deep-learning library the kernel is not flipped. The sum is a matrix product:

    columns = im2col(x)             every window of the image as one column: (C·KH·KW, OH·OW)
    y  = W · columns + b            W (C_out, C·KH·KW): each row is one kernel
    dW = dy · columnsᵀ              the two transposes of the product
    dcolumns = Wᵀ · dy              dx = col2im(dcolumns): each entry goes back to the pixel that it was copied from
    db = Σ dy

`Conv2d` is these five lines; `Im2col` brings weights, images and output into the form of the product and back. For 3x3 and
5x5 kernels between many channels, kernels/winograd.py does that by the same names in another way, which saves multiplications
on a CPU, and for small layers kernels/image_products.py, which saves copies.

With `groups`, the channels are cut into G towers that do not see each other: G such products side by side.
The columns of a whole batch would fill the memory (conv1's alone 562 MB at 128 images), so a few images at a time share
one buffer, and backward builds the columns again, which is cheaper than keeping them.
"""
from numbers import Integral

from ..backend import array_module, is_array, kernels
from ..parallel import empty, for_rows, images_at_a_time, matmul, scratch, sum_over_images
from ..tensor import Function
from ..windows import output_size, pair
from .linear import same_dtype


class Conv2d(Function):
    fresh_gradients = True

    def __init__(self, stride=1, padding=0, groups=1):
        self.stride = pair("stride", stride)
        self.padding = pair("padding", padding, smallest=0)
        self.groups = groups

    def forward(self, x, weight, bias=None):
        OH, OW = _check(x, weight, bias, self.stride, self.padding, self.groups)
        self.save_for_backward(x, weight)
        maps = self.maps(x, weight, (OH, OW))
        W = maps.weights(weight)
        y = maps.empty_images((len(x), len(weight), OH, OW))
        b = 0 if bias is None else bias.reshape(-1, 1, 1)

        def some_images(images):
            columns = maps.columns(x[images])
            product = maps.multiply(W, columns, out=maps.empty_product(len(x[images])))
            maps.output(product, b, out=y[images], finish=self.finish)

        # Forward there is nothing to add up: some_images returns None.
        sum_over_images(some_images, len(x), maps, like=x, operations=weight.size * OH * OW)
        return y

    def backward(self, grad_output):
        x, weight, *_ = self.saved
        need_x, need_weight, *need_bias = self.needs_input_grad
        maps = self.maps(x, weight, grad_output.shape[2:])
        W = maps.weights(weight)
        dx = maps.empty_images(x.shape) if need_x else None

        def some_images(images):
            dW = db = None
            dy = self.incoming(grad_output, images)
            dproduct = maps.output_back(dy)
            if need_weight:
                dW = maps.multiply(dproduct, _transposed(maps.columns(x[images])), out=empty(W.shape, W.dtype, like=W))
            if need_x:
                dcolumns = maps.multiply(_transposed(W), dproduct, out=maps.empty_columns(len(dy)))
                maps.columns_back(dcolumns, out=dx[images])
            if any(need_bias):
                db = dy.sum(axis=(0, 2, 3))
            return dW, db

        operations = weight.size * grad_output[0, 0].size
        dW, db = sum_over_images(some_images, len(x), maps, like=x, operations=operations)
        if need_weight:
            dW = maps.weights_back(dW)
        return dx, dW, *(db for _ in need_bias)  # without a bias there is no third input

    def maps(self, x, weight, output_size):
        """The linear maps into the product's form and out of it: Im2col, unless there are faster ones for this shape."""
        if x.shape[2:] == weight.shape[2:] and self.padding == (0, 0):
            return OneWindow(x, weight, self.stride, self.padding, self.groups, output_size)
        return (kernels(x).convolution_maps(len(x), weight, self.stride, self.padding, self.groups, output_size)
                or Im2col(x, weight, self.stride, self.padding, self.groups, output_size))

    def finish(self, y):
        """What else happens to the output of some images, in place. Here nothing: Conv2dReLU has its ReLU in this place."""

    def incoming(self, grad_output, images):
        """dL/d(W · columns + b) of these images: dy itself, where nothing else happened to the output."""
        return grad_output[images]


class Conv2dReLU(Conv2d):
    """y = max(W · columns + b, 0);  dy counts where y > 0. The same numbers as a convolution and a ReLU one after the other, but
    ReLU meets each image's output while it is in the cache, and the output before ReLU is never kept."""

    def forward(self, x, weight, bias=None):
        y = super().forward(x, weight, bias)
        self.save_for_backward(x, weight, y)
        return y

    def finish(self, y):
        array_module(y).maximum(y, 0, out=y)

    def incoming(self, grad_output, images):
        xp, dy, y = array_module(grad_output), grad_output[images], self.saved[-1][images]
        out = dy if self.owns_grad_output else xp.empty_like(dy)
        for_rows(lambda dy, y, out: xp.multiply(dy, y > 0, out=out), dy, y, out)
        return out


class Im2col:
    """The linear maps into the product's form (weights, columns) and out of it (output), each with its transpose, `..._back`.

        weights  (1, G, C_out/G, K)     one product for each of G towers (for Winograd's tiles the 1 becomes 16)
        columns  (1, G, K, P)           K = C/G·KH·KW rows, one per entry of a kernel
        product  (1, G, C_out/G, P)     P = n·OH·OW columns, one per window of n images
    """

    by_image = True  # each core takes images of its own through all steps

    def __init__(self, x, weight, stride, padding, groups, output_size):
        self.kernels, self.weight_shape, self.groups, self.output_size = kernels(x), weight.shape, groups, output_size
        self.geometry = weight.shape[2:], stride, padding
        self.column_shape = (1, groups, weight[0].size, -1)
        self.like, self.rows, self.positions = x, groups * weight[0].size, output_size[0] * output_size[1]

    def weights(self, weight):
        """(C_out, C/G, KH, KW) -> (1, G, C_out/G, K)"""
        return weight.reshape(1, self.groups, len(weight) // self.groups, -1)

    def weights_back(self, dW):
        """(1, G, C_out/G, K) -> (C_out, C/G, KH, KW)"""
        return dW.reshape(self.weight_shape)

    def columns(self, x):
        """(n, C, H, W) -> (1, G, K, P)"""
        columns = scratch("columns", (self.rows, len(x), self.positions), x.dtype, like=x)
        return self.kernels.im2col(x, *self.geometry, out=columns).reshape(self.column_shape)

    def columns_back(self, dcolumns, out):
        """col2im, (1, G, K, P) -> out (n, C, H, W): each entry is added to the pixel that it was copied from."""
        self.kernels.col2im(dcolumns.reshape(self.rows, len(out), -1), out.shape, *self.geometry, out=out)

    def output(self, product, bias, out, finish):
        """(1, G, C_out/G, P), bias (C_out, 1, 1) -> out (n, C_out, OH, OW), the bias added, and `finish` called on it"""
        by_image = product.reshape(out.shape[1], len(out), *self.output_size).swapaxes(0, 1)
        array_module(out).add(by_image, bias, out=out)
        finish(out)

    def output_back(self, dy):
        """(n, C_out, OH, OW) -> (1, G, C_out/G, P)"""
        return dy.swapaxes(0, 1).reshape(1, self.groups, dy.shape[1] // self.groups, -1)

    def multiply(self, a, b, out):
        """out[0, g] = a[0, g] · b[0, g]. One tower at a time: CuPy's batched product copies an operand that is transposed."""
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
    """Kernels as large as the images: each image is the only column it has, as in a fully connected layer, and nothing is copied
    (LeNet-5's third layer at batch 64, forward and backward: 0.42 instead of 0.63 ms)."""

    def columns(self, x):
        """(n, C, H, W) -> (1, G, K, n)"""
        return x.reshape(1, len(x), self.groups, -1).transpose(0, 2, 3, 1)

    def columns_back(self, dcolumns, out):
        """The transpose, (1, G, K, n) -> out (n, C, H, W)"""
        out[...] = dcolumns.transpose(0, 3, 1, 2).reshape(out.shape)


def _transposed(matrices):
    """Each of the matrices, which are the last two axes, transposed."""
    return matrices.swapaxes(2, 3)


def _check(x, weight, bias, stride, padding, groups):
    """(OH, OW), or a ValueError that says which shapes do not fit."""
    if weight.ndim != 4:
        raise ValueError(f"conv2d: weight must be (C_out, C_in/groups, KH, KW), got shape {weight.shape}.")
    if 0 in weight.shape:
        raise ValueError(f"conv2d: weight of shape {weight.shape} holds no values: every size must be at least 1.")
    size = output_size("conv2d", x.shape, weight.shape[2:], stride, padding)
    C, C_out = x.shape[1], len(weight)
    if not isinstance(groups, Integral) or groups < 1 or C % groups or C_out % groups:
        raise ValueError(f"conv2d: groups={groups} must divide the {C} input channels and the {C_out} output channels.")
    if weight.shape[1] * groups != C:
        raise ValueError(f"conv2d: input {x.shape} has {C} channels, but weight {weight.shape} with groups={groups} reads "
                         f"{weight.shape[1]} x {groups} = {weight.shape[1] * groups}.")
    same_dtype("conv2d", x, weight, bias)
    if bias is not None and bias.shape != (C_out,):
        raise ValueError(f"conv2d: bias of shape {bias.shape} does not fit weight {weight.shape}: it must be ({C_out},), one "
                         "number per output channel.")
    return size


class ZeroPad2d(Function):
    """Rows and columns of zeros around an image, each side its own;  dx = g without them."""

    def __init__(self, left, right, top, bottom):
        self.widths = [(0, 0), (0, 0), (top, bottom), (left, right)]
        if not all(isinstance(width, Integral) and width >= 0 for width in (left, right, top, bottom)):
            raise ValueError(f"zero_pad2d: the widths are whole numbers of pixels, 0 or more, got left={left!r}, "
                             f"right={right!r}, top={top!r}, bottom={bottom!r}.")

    def forward(self, x):
        if x.ndim != 4:
            raise ValueError(f"zero_pad2d: input must be (N, C, H, W), a batch of images, got shape {x.shape}.")
        return array_module(x).pad(x, self.widths)

    def backward(self, grad_output):
        (_, _, H, W), _ = self.input_types[0]
        (top, _), (left, _) = self.widths[2:]
        return grad_output[:, :, top:top + H, left:left + W]


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
