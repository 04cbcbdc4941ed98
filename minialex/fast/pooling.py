"""Pooling on the CPU, for images in any memory order (layout.py).

    y = max over the window, argmax = i·KW + j, where it stood
    dx: each output's gradient goes to the pixel that won

N, C, H, W: images, channels, height, width.  KH, KW: window.  OH, OW: output.
"""
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from .. import ops
from ..aliases import Array, Pair, Shape
from ..device import array_module
from ..ops.im2col import taps, window_count
from .layout import WRITTEN, arranged, empty_like, order
from .threads import for_each, for_images

# Windows in one part of some rows: pool1 takes 0.21 ms per image, with 2^16 it takes 0.23.
_BLOCK = 1 << 18


class MaxPool2d(ops.MaxPool2d):
    fresh_gradients = True

    def forward(self, x: Array) -> Array:
        y, argmax = self.pool(x, self.kernel_size, self.stride, self.padding)
        self.save_for_backward(argmax)
        return y

    def backward(self, grad_output: Array) -> Array:
        (argmax,) = self.saved
        return self.spread(grad_output, argmax, self.input_types[0][0], self.kernel_size,
                           self.stride, self.padding)

    def pool(self, *arguments: Any) -> Any:
        return max_pool_forward(*arguments)

    def spread(self, *arguments: Any) -> Array:
        return max_pool_backward(*arguments)


def max_pool_forward(x: Array, kernel_size: Pair, stride: Pair,
                     padding: Pair) -> tuple[Array, Array]:
    """y = the largest of each window, and where it stood: argmax = i·KW + j, the first in reading
    order when tied.

    x (N, C, H, W) -> y (N, C, OH, OW) and argmax (the same shape, uint8), in x's memory order.
    Padding counts as −∞; NaN wins. A window's maximum is the maximum of its rows' maxima, which
    windows share: 6 comparisons per window of 3x3 with stride 2 instead of 8.
    """
    (KH, KW), (SH, SW) = kernel_size, stride
    OH, OW = map(window_count, x.shape[2:], kernel_size, stride, padding)
    y = empty_like(x, (*x.shape[:2], OH, OW))
    argmax = empty_like(y, dtype=np.uint8)

    def pool(images: slice, rows: slice) -> None:
        top, height = rows.start * SH, (rows.stop - rows.start - 1) * SH + KH
        image = _padded_rows(x[images], top, top + height, padding, like=x)
        best, column = _running_max("rows", [image[..., j:j + SW * OW:SW] for j in range(KW)],
                                    range(KW), like=x)
        height -= KH - 1  # so that rows i, i + SH, … of `best` are the rows i of the windows
        values, where = _running_max("windows", [best[:, :, i:i + height:SH] for i in range(KH)],
                                     [column[:, :, i:i + height:SH] + np.uint8(i * KW)
                                      for i in range(KH)], like=x)
        y[images, :, rows], argmax[images, :, rows] = values, where

    if order(x) != WRITTEN:  # rows are the outermost axis
        for_each(lambda rows: pool(slice(None), rows), _rows_at_a_time(OH, y.size), numbers=y.size)
    else:
        for_images(lambda images: pool(images, slice(0, OH)), x)
    return y, argmax


def _padded_rows(x: Array, first: int, stop: int, padding: Pair, like: Array) -> Array:
    """Rows first … stop − 1 of the images x with PH rows and PW columns of −∞ on each side."""
    (PH, PW), (N, C, H, W) = padding, x.shape
    if PH == PW == 0:
        return x[:, :, first:stop]
    padded = empty_like(like, (N, C, stop - first, W + 2 * PW))
    padded[...] = -np.inf
    inside = slice(max(first - PH, 0), min(stop - PH, H))
    padded[:, :, inside.start + PH - first:inside.stop + PH - first, PW:PW + W] = x[:, :, inside]
    return padded


def _running_max(name: str, candidates: Sequence[Array], codes: Sequence[Any],
                 like: Array) -> tuple[Array, Array]:
    """The largest candidate and its code, in scratch memory of this name. Codes grow from candidate
    to candidate, so the code of the last one that was strictly larger is the maximum of all codes
    that were."""
    best, code, larger = (empty_like(like, candidates[0].shape, dtype, name=f"{name}: {what}")
                          for what, dtype in (("best", like.dtype), ("code", np.uint8),
                                              ("larger", np.uint8)))
    best[...], code[...] = candidates[0], codes[0]
    for candidate, its_code in zip(candidates[1:], codes[1:]):
        np.greater(candidate, best, out=larger.view(np.bool_))
        np.multiply(larger, np.asarray(its_code, dtype=np.uint8), out=larger)
        np.maximum(code, larger, out=code)
        np.maximum(best, candidate, out=best)
    return best, code


def max_pool_backward(grad: Array, argmax: Array, image_shape: Shape, kernel_size: Pair,
                      stride: Pair, padding: Pair) -> Array:
    """dx, in argmax's memory order: each output's gradient goes to the one pixel that won its
    window; a pixel that won several gets the sum, added up in the reading order of the windows."""
    dx = empty_like(argmax, image_shape, grad.dtype)
    if order(argmax) != WRITTEN:
        _gather(arranged(grad, like=argmax), argmax, kernel_size, stride, padding, out=dx)
    else:
        _scatter(grad, argmax, kernel_size, stride, padding, out=dx)
    return dx


def _scatter(grad: Array, argmax: Array, kernel_size: Pair, stride: Pair, padding: Pair,
             out: Array) -> None:
    """One addition for each window, at the pixel that won."""
    (KH, KW), (SH, SW), (PH, PW) = kernel_size, stride, padding
    N, C, H, W = out.shape
    OH, OW = grad.shape[2:]
    height, width = H + 2 * PH, W + 2 * PW
    # Where pixel (i, j) of window (c, h, w) stands in the padded image: corner of the window +
    # offset of the pixel; image n begins n images further on.
    corner = (np.arange(C)[:, None, None] * height
              + np.arange(OH)[:, None] * SH) * width + np.arange(OW) * SW
    offset = (np.arange(KH)[:, None] * width + np.arange(KW)).reshape(-1)

    def scatter(images: slice) -> None:
        position = offset[argmax[images]]
        position += corner + np.arange(len(position)).reshape(-1, 1, 1, 1) * (C * height * width)
        padded = np.zeros((len(position), C, height, width), dtype=grad.dtype)
        np.add.at(padded.reshape(-1), position.reshape(-1),
                  np.ascontiguousarray(grad[images]).reshape(-1))
        out[images] = padded[:, :, PH:PH + H, PW:PW + W]

    for_images(scatter, grad)


def _gather(grad: Array, argmax: Array, kernel_size: Pair, stride: Pair, padding: Pair,
            out: Array) -> None:
    """The same where rows are the outermost axis: one long addition for each place (i, j) of a
    window, of the gradients of the windows whose pixel (i, j) won, and of zeros for the others.
    (For pool1, channels last, 0.22 ms per image; single additions take 0.35.)"""
    (KH, KW), (SH, SW), (PH, PW) = kernel_size, stride, padding
    # As whole numbers: 0 · ∞ would be NaN, but 0 times the bits of ∞ is 0.
    bits = grad.view(f"i{grad.itemsize}") if grad.itemsize <= 8 else grad

    def gather(rows: slice) -> None:
        dx = out[:, :, rows]
        dx[...] = 0
        # A pixel's last place (i, j) is its place in the first window.
        for code in reversed(range(KH * KW)):
            i, j = divmod(code, KW)
            h, y = _windows_with(rows, i - PH, SH, grad.shape[2])
            w, x = _windows_with(slice(0, dx.shape[3]), j - PW, SW, grad.shape[3])
            windows = bits[:, :, h, w]
            won = empty_like(argmax, windows.shape, bits.dtype, name="won")
            won[...] = argmax[:, :, h, w] == code
            won *= windows
            dx[:, :, y, x] += won.view(grad.dtype)

    for_each(gather, _rows_at_a_time(out.shape[2], grad.size), numbers=grad.size)


def _windows_with(pixels: slice, first: int, stride: int, count: int) -> tuple[slice, slice]:
    """The windows k < count whose pixel first + k·stride is one of `pixels`, and which of these it
    is: two slices."""
    start = max(0, -(-(pixels.start - first) // stride))
    stop = max(start, min(count, -(-(pixels.stop - first) // stride)))
    return slice(start, stop), slice(first + start * stride - pixels.start,
                                     first + stop * stride - pixels.start, stride)


def _rows_at_a_time(H: int, windows: int) -> list[slice]:
    """Slices of the H rows of images with so many windows in all."""
    size = max(1, _BLOCK * H // max(1, windows))
    return [slice(start, min(start + size, H)) for start in range(0, H, size)]


class AvgPool2d(ops.AvgPool2d):
    """Sums of a window's rows first, which are whole rows of the image, then of its columns;
    backward, where windows do not overlap, nothing is added up. LeNet-5's first at batch 64 takes
    0.06 and 0.05 ms."""

    fresh_gradients = True

    def forward(self, x: Array) -> Array:
        (KH, KW), (SH, SW), add = self.kernel_size, self.stride, array_module(x).add
        OH, OW = map(window_count, x.shape[2:], self.kernel_size, self.stride, (0, 0))
        rows = reduce(add, [x[:, :, i:i + SH * OH:SH] for i in range(KH)])
        return reduce(add, [rows[..., j:j + SW * OW:SW] for j in range(KW)]) * (1 / (KH * KW))

    def backward(self, grad_output: Array) -> Array:
        (KH, KW), (SH, SW), (OH, OW) = self.kernel_size, self.stride, grad_output.shape[2:]
        dx = empty_like(grad_output, self.input_types[0][0])
        share = grad_output * (1 / (KH * KW))
        each_pixel_once = self.kernel_size == self.stride and (SH * OH, SW * OW) == dx.shape[2:]
        if not each_pixel_once:
            dx[...] = 0
        for pixels in taps(dx, self.kernel_size, self.stride):
            if each_pixel_once:
                pixels[...] = share
            else:
                pixels += share
        return dx
