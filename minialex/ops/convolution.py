"""Convolution as one matrix product (explicit im2col).

    y[n, o, h, w] = b[o] + Σ_{c, i, j} W[o, c, i, j] · x[n, c, h·SH + i − PH, w·SW + j − PW]        x is 0 outside the image

Strictly a cross-correlation: as in every deep-learning library the kernel is not flipped. The sum is a matrix product:

    columns = im2col(x)             every window of the image as one column: (C·KH·KW, OH·OW)
    y  = W · columns + b            W (C_out, C·KH·KW): each row is one kernel
    dW = dy · columnsᵀ              the two transposes of the product
    dcolumns = Wᵀ · dy              dx = col2im(dcolumns): each entry goes back to the pixel that it was copied from
    db = Σ dy

`Conv2d` is these five lines; `maps` bring weights, images and output into the form of the product and back. Those of im2col.py do
what is written here. A CPU has faster ones by the same names, with other columns: tiles, which save multiplications (AlexNet's
five layers, from 4 images on: kernels/winograd.py, folding.py), and for small layers products image by image, which save copies
(image_products.py).

With `groups`, the channels are cut into towers that do not see each other: as many such products side by side.
The columns of a whole batch would fill the memory (conv1's alone 562 MB at 128 images), so a few images at a time share
one buffer, and backward builds the columns again, which is cheaper than keeping them.
"""
from numbers import Integral

from ..device import array_module
from ..fast import kernels
from ..fast.buffers import empty
from ..fast.threads import for_rows, sum_over_images
from ..tensor import Function
from ..windows import output_size, pair
from .im2col import Im2col, OneWindow
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
        maps = self.maps(x, weight, grad_output.shape[2:], forward=False)
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

    def maps(self, x, weight, output_size, forward=True):
        """The linear maps into the product's form and out of it: Im2col, unless there are faster ones for this shape."""
        geometry = weight, self.stride, self.padding, self.groups, output_size
        if x.shape[2:] == weight.shape[2:] and self.padding == (0, 0):
            return OneWindow(x, *geometry)
        return kernels(x).convolution_maps(len(x), *geometry, forward) or Im2col(x, *geometry)

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
