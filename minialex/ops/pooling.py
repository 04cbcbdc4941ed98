"""Pooling: one number for each window of KH x KW pixels.

    max      y = max over the window     dx: g goes to the pixel that won (the first, when tied)
    average  y = mean over the window    dx: every pixel of the window gets g / (KH·KW)

OH = ⌊(H + 2·PH − KH)/SH⌋ + 1. For the maximum, padding counts as −∞. The paper's windows overlap:
3x3 with stride 2 (section 3.4).
"""
from typing import Any

from ..aliases import Array, Size
from ..device import array_module
from ..tensor import Function
from .im2col import geometry, output_size, pad, taps, unpad


class MaxPool2d(Function):
    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        stride = kernel_size if stride is None else stride
        self.kernel_size, self.stride, self.padding = geometry(kernel_size, stride, padding)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size)):
            raise ValueError(f"max_pool2d: padding {self.padding} is more than half of kernel_size "
                             f"{self.kernel_size}: windows would hold padding only. Use less.")

    def check_inputs(self, x: Array) -> None:
        output_size("max_pool2d", x.shape, self.kernel_size, self.stride, self.padding)

    def forward(self, x: Array) -> Array:
        padded = pad(x, self.padding, -float("inf"))
        # (KH·KW, N, C, OH, OW)
        windows = array_module(x).stack(taps(padded, self.kernel_size, self.stride))
        self.save_for_backward(windows.argmax(axis=0), padded.shape)
        return windows.max(axis=0)

    def backward(self, g: Array) -> Array:
        winner, padded_shape = self.saved
        xp = array_module(g)
        padded = xp.zeros(padded_shape, dtype=g.dtype)
        for k, pixels in enumerate(taps(padded, self.kernel_size, self.stride)):
            pixels += xp.where(winner == k, g, 0)
        return unpad(padded, self.padding)


class AvgPool2d(Function):
    def __init__(self, kernel_size: Size, stride: Size | None = None) -> None:
        stride = kernel_size if stride is None else stride
        self.kernel_size, self.stride, _ = geometry(kernel_size, stride, padding=0)

    def check_inputs(self, x: Array) -> None:
        output_size("avg_pool2d", x.shape, self.kernel_size, self.stride, (0, 0))

    def forward(self, x: Array) -> Any:
        KH, KW = self.kernel_size
        return sum(taps(x, self.kernel_size, self.stride)) / (KH * KW)

    def backward(self, g: Array) -> Array:
        KH, KW = self.kernel_size
        dx = array_module(g).zeros(self.input_shapes[0], dtype=g.dtype)
        share = g / (KH * KW)
        for pixels in taps(dx, self.kernel_size, self.stride):
            pixels += share
        return dx
