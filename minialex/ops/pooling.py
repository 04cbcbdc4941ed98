"""Pooling: one number for each window of KH x KW pixels.

    max      y = max over the window; padding counts as −∞        dx: g goes to the pixel that won (the first, when tied)
    average  y = mean over the window                             dx: every pixel of the window gets g / (KH·KW)

OH = ⌊(H + 2·PH − KH)/SH⌋ + 1. The paper's windows overlap: 3x3 with stride 2 (section 3.4).
"""
from typing import Any

from ..aliases import Array, Size
from ..device import array_module
from ..tensor import Function
from .im2col import output_size, pad, pair, taps, unpad


class MaxPool2d(Function):
    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = pair("stride", kernel_size if stride is None else stride)
        self.padding = pair("padding", padding, smallest=0)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size)):
            raise ValueError(f"max_pool2d: padding {self.padding} is more than half of kernel_size {self.kernel_size}: some "
                             "windows would hold nothing but padding. Use less padding.")

    def check_inputs(self, x: Array) -> None:
        output_size("max_pool2d", x.shape, self.kernel_size, self.stride, self.padding)

    def forward(self, x: Array) -> Array:
        size = output_size("max_pool2d", x.shape, self.kernel_size, self.stride, self.padding)
        padded = pad(x, self.padding, -float("inf"))
        windows = array_module(x).stack(taps(padded, self.kernel_size, self.stride, size))  # (KH·KW, N, C, OH, OW)
        self.save_for_backward(windows.argmax(axis=0), padded.shape)
        return windows.max(axis=0)

    def backward(self, g: Array) -> Array:
        winner, padded_shape = self.saved
        xp = array_module(g)
        padded = xp.zeros(padded_shape, dtype=g.dtype)
        for k, pixels in enumerate(taps(padded, self.kernel_size, self.stride, g.shape[2:])):
            pixels += xp.where(winner == k, g, 0)
        return unpad(padded, self.padding)


class AvgPool2d(Function):
    def __init__(self, kernel_size: Size, stride: Size | None = None) -> None:
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = pair("stride", kernel_size if stride is None else stride)

    def check_inputs(self, x: Array) -> None:
        output_size("avg_pool2d", x.shape, self.kernel_size, self.stride, (0, 0))

    def forward(self, x: Array) -> Any:
        size = output_size("avg_pool2d", x.shape, self.kernel_size, self.stride, (0, 0))
        KH, KW = self.kernel_size
        return sum(taps(x, self.kernel_size, self.stride, size)) / (KH * KW)

    def backward(self, g: Array) -> Array:
        KH, KW = self.kernel_size
        dx = array_module(g).zeros(self.input_shapes[0], dtype=g.dtype)
        share = g / (KH * KW)
        for pixels in taps(dx, self.kernel_size, self.stride, g.shape[2:]):
            pixels += share
        return dx
