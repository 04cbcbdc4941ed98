"""Convolution as one matrix product (explicit im2col).

    y[n, o, h, w] = b[o] + Σ_{c, i, j} W[o, c, i, j] · x[n, c, h·SH + i − PH, w·SW + j − PW]        x is 0 outside the image

Strictly a cross-correlation: as in every deep-learning library the kernel is not flipped. The sum is a matrix product:

    columns = im2col(x)             every window of the image as one column: (C·KH·KW, OH·OW)
    y  = W · columns + b            W (C_out, C·KH·KW): each row is one kernel
    dW = dy · columnsᵀ              the two transposes of the product
    dcolumns = Wᵀ · dy              dx = col2im(dcolumns): each entry goes back to the pixel that it was copied from
    db = Σ dy

With `groups`, the channels are cut into G towers that do not see each other: G such products side by side.
The columns of a whole batch would fill the memory (conv1's alone 562 MB at 128 images), so a few images at a time share
one buffer, and backward builds the columns again, which is cheaper than keeping them.
"""
from numbers import Integral

from ..backend import array_module, is_array, kernels
from ..parallel import empty, images_at_a_time, sum_over_images
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
        xp, W, C_out = array_module(x), self.per_group(weight), len(weight)
        y = empty((len(x), C_out, OH, OW), x.dtype, like=x)
        b = xp.zeros((C_out, 1, 1, 1), dtype=x.dtype) if bias is None else bias.reshape(C_out, 1, 1, 1)

        def some_images(images):
            columns = self.columns(x[images], weight)
            product = _products(W, columns)
            xp.add(product.reshape(C_out, -1, OH, OW), b, out=y[images].swapaxes(0, 1))

        # Forward there is nothing to add up: some_images returns None.
        sum_over_images(some_images, len(x), self.slice_size(x, weight, OH * OW), like=x)
        return y

    def backward(self, grad_output):
        x, weight = self.saved
        need_x, need_weight, *need_bias = self.needs_input_grad
        W, C_out = self.per_group(weight), len(weight)
        dx = empty(x.shape, x.dtype, like=x) if need_x else None

        def some_images(images):
            dy = grad_output[images].swapaxes(0, 1).reshape(*W.shape[:2], -1)
            dW = db = None
            if need_weight:
                dW = _products(dy, self.columns(x[images], weight).swapaxes(1, 2))
            if need_x:
                dcolumns = _products(W.swapaxes(1, 2), dy)
                kernels(x).col2im(dcolumns, x[images].shape, weight.shape[2:], self.stride, self.padding, out=dx[images])
            if any(need_bias):
                db = dy.sum(axis=2).reshape(C_out)
            return dW, db

        positions = grad_output.shape[2] * grad_output.shape[3]
        dW, db = sum_over_images(some_images, len(x), self.slice_size(x, weight, positions), like=x)
        if need_weight:
            dW = dW.reshape(weight.shape)
        return dx, dW, *(db for _ in need_bias)  # without a bias there is no third input

    def per_group(self, weight):
        """(C_out, C/G, KH, KW) -> (G, C_out/G, K): one matrix per tower, K = C/G·KH·KW."""
        return weight.reshape(self.groups, len(weight) // self.groups, -1)

    def columns(self, x, weight):
        """The columns of these images side by side, (G, K, n·OH·OW)."""
        columns = kernels(x).im2col(x, weight.shape[2:], self.stride, self.padding)
        return columns.reshape(self.groups, columns.shape[0] // self.groups, -1)

    def slice_size(self, x, weight, positions):
        """How many images share one buffer of columns."""
        rows = x.shape[1] * weight.shape[2] * weight.shape[3]
        return images_at_a_time(positions, rows * positions * x.itemsize, like=x)


def _products(a, b):
    """a[g] · b[g] for every tower g. One product at a time: CuPy's batched product copies an operand that is transposed."""
    products = empty((len(a), a.shape[1], b.shape[2]), a.dtype, like=a)
    for tower in range(len(a)):
        array_module(a).matmul(a[tower], b[tower], out=products[tower])
    return products


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
