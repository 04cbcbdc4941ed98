"""Convolution as one matrix product.

    y[n, o, h, w] = b[o] + Σ_{c, i, j} W[o, c, i, j] · x[n, c, h·SH + i − PH, w·SW + j − PW]

x is 0 outside the image. Strictly a cross-correlation: as in every deep-learning library the kernel
is not flipped. The sum is a matrix product. For one image:

    columns = im2col(x)        every window of the image as one column: (C·KH·KW, OH·OW)
    y  = W · columns + b       W (C_out, C·KH·KW): each row is one kernel; y (C_out, OH·OW)

and backwards, with the incoming gradient dy, the two transposes of the product:

    dW = dy · columnsᵀ         added up over the images, which share W
    dcolumns = Wᵀ · dy
    dx = col2im(dcolumns)      each entry is added to the pixel that it was copied from
    db[o] = Σ_{n, h, w} dy[n, o, h, w]

With G = `groups`, the channels are cut into G towers that do not see each other. The rows of
columns run channel by channel, so cutting them into G equal blocks cuts the channels: columns
(N, G, K, P), W (G, C_out/G, K), y (N, G, C_out/G, P), with K = C/G·KH·KW numbers in a window and
P = OH·OW places. These are N·G products side by side.
"""
from numbers import Integral

from ..aliases import Array, Size
from ..device import same_dtype
from ..tensor import Function
from .im2col import col2im, im2col, output_size, pair


class Conv2d(Function):
    def __init__(self, stride: Size = 1, padding: Size = 0, groups: int = 1) -> None:
        self.stride, self.groups = pair("stride", stride), groups
        self.padding = pair("padding", padding, smallest=0)

    def forward(self, x: Array, weight: Array, bias: Array | None = None) -> Array:
        N, C_out, kernel_size, G = len(x), len(weight), weight.shape[2:], self.groups
        OH, OW = output_size("conv2d", x.shape, kernel_size, self.stride, self.padding)
        columns = im2col(x, kernel_size, self.stride, self.padding)
        columns = columns.reshape(N, G, -1, OH * OW)  # (N, G, K, P)
        W = weight.reshape(G, C_out // G, -1)  # (G, C_out/G, K)
        b = 0 if bias is None else bias.reshape(G, C_out // G, 1)  # the same number at every place
        self.save_for_backward(columns, W)
        y = W @ columns + b  # (N, G, C_out/G, P): W repeats over the images
        return y.reshape(N, C_out, OH, OW)

    def backward(self, grad_output: Array) -> tuple[Array, ...]:
        columns, W = self.saved
        x_shape, weight_shape = self.input_shapes[:2]
        N, G, K, P = columns.shape
        dy = grad_output.reshape(N, G, -1, P)
        dW = (dy @ columns.swapaxes(2, 3)).sum(axis=0)
        dcolumns = (W.swapaxes(1, 2) @ dy).reshape(N, G * K, P)
        dx = col2im(dcolumns, x_shape, weight_shape[2:], self.stride, self.padding)
        db = grad_output.sum(axis=(0, 2, 3))
        # Without a bias there is no third input.
        return (dx, dW.reshape(weight_shape), db)[:len(self.input_types)]

    def check_inputs(self, x: Array, weight: Array, bias: Array | None = None) -> None:
        if weight.ndim != 4 or 0 in weight.shape:
            raise ValueError("conv2d: weight must be (C_out, C_in/groups, KH, KW), all above 0, "
                             f"got shape {weight.shape}.")
        output_size("conv2d", x.shape, weight.shape[2:], self.stride, self.padding)
        C, (C_out, C_group), groups = x.shape[1], weight.shape[:2], self.groups
        if not isinstance(groups, Integral) or groups < 1 or C_out % groups:
            raise ValueError(f"conv2d: {groups=} must divide the {C_out} output channels.")
        if C_group * groups != C:
            raise ValueError(f"conv2d: input {x.shape} has {C} channels, but weight {weight.shape} "
                             f"with {groups=} reads {C_group} x {groups} = {C_group * groups}.")
        same_dtype("conv2d", x, weight, bias)
        if bias is not None and bias.shape != (C_out,):
            raise ValueError(f"conv2d: bias of shape {bias.shape} does not fit weight "
                             f"{weight.shape}: it must be ({C_out},), one per output channel.")
