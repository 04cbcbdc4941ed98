"""Pooling: one number for each window of KH x KW pixels.

    max      y = max over the window; padding counts as −∞        dx: g goes to the pixel that won (the first, when tied)
    average  y = mean over the window                             dx: every pixel of the window gets g / (KH·KW)

OH = ⌊(H + 2·PH − KH)/SH⌋ + 1. The paper's windows overlap: 3x3 with stride 2 (section 3.4).
"""
from functools import reduce

from ..device import array_module
from ..fast import kernels
from ..fast.layout import empty_like
from ..fast.threads import for_images
from ..tensor import Function
from ..windows import output_size, pair


class MaxPool2d(Function):
    fresh_gradients = True

    def __init__(self, kernel_size, stride=None, padding=0):
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = pair("stride", kernel_size if stride is None else stride)
        self.padding = pair("padding", padding, smallest=0)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size)):
            raise ValueError(f"max_pool2d: padding {self.padding} is more than half of kernel_size {self.kernel_size}: some "
                             "windows would hold nothing but padding. Use less padding.")
        if self.kernel_size[0] * self.kernel_size[1] > 256:
            raise ValueError(f"max_pool2d: kernel_size {self.kernel_size} has more than 256 positions, which one byte per "
                             "winner cannot number: pool in two steps.")

    def forward(self, x):
        output_size("max_pool2d", x.shape, self.kernel_size, self.stride, self.padding)
        y, argmax = kernels(x).max_pool_forward(x, self.kernel_size, self.stride, self.padding)
        self.save_for_backward(argmax)
        return y

    def backward(self, grad_output):
        (argmax,) = self.saved
        return kernels(argmax).max_pool_backward(grad_output, argmax, self.input_types[0][0], self.kernel_size,
                                                 self.stride, self.padding)


class AvgPool2d(Function):
    fresh_gradients = True

    def __init__(self, kernel_size, stride=None):
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = pair("stride", kernel_size if stride is None else stride)

    def taps(self, image, OH, OW):
        """The KH·KW shifted views of (n, C, H, W), each of which holds one pixel of every window."""
        (KH, KW), (SH, SW) = self.kernel_size, self.stride
        for i in range(KH):
            for j in range(KW):
                yield image[:, :, i:i + SH * OH:SH, j:j + SW * OW:SW]

    def forward(self, x):
        OH, OW = output_size("avg_pool2d", x.shape, self.kernel_size, self.stride, (0, 0))
        (KH, KW), (SH, SW), add = self.kernel_size, self.stride, array_module(x).add
        y = empty_like(x, (*x.shape[:2], OH, OW))

        def average(images):  # first the rows of each window, which are whole rows of the image, then the columns
            rows = reduce(add, [x[images, :, i:i + SH * OH:SH] for i in range(KH)])
            y[images] = reduce(add, [rows[..., j:j + SW * OW:SW] for j in range(KW)])
            y[images] *= 1 / (KH * KW)

        for_images(average, x)
        return y

    def backward(self, grad_output):
        (KH, KW), (SH, SW), (OH, OW) = self.kernel_size, self.stride, grad_output.shape[2:]
        dx = empty_like(grad_output, self.input_types[0][0])
        each_pixel_once = self.kernel_size == self.stride and (SH * OH, SW * OW) == dx.shape[2:]

        def spread(images):
            share = grad_output[images] * (1 / (KH * KW))
            if each_pixel_once:  # by rows: for LeNet-5's first pooling layer at batch 64 0.15 ms, pixel by pixel 0.28
                rows = empty_like(share, (*share.shape[:3], SW * OW))
                for j in range(KW):
                    rows[..., j::KW] = share
                for i in range(KH):
                    dx[images, :, i::KH] = rows
                return
            dx[images] = 0
            for tap in self.taps(dx[images], OH, OW):
                tap += share

        for_images(spread, dx)
        return dx
