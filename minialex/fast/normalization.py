"""Local response norm across channels on the CPU, for images in any memory order (layout.py).

    s = k + α · Σ x² over the window of channels, the scale
    y = x·s^−β        dx = g·s^−β − 2αβ·x·Σ (g·x·s^(−β−1))
"""
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..aliases import Array
from .buffers import scratch
from .layout import CHANNELS_LAST, arranged, empty_like, lies_like, order
from .threads import for_images

# Numbers in one part, which takes a dozen calls: norm1, channels last, takes 0.36 ms per image with
# 2^17, 0.32 with 2^18 and 0.36 with 2^19.
_BLOCK = 1 << 18


class LocalResponseNorm(ops.LocalResponseNorm):
    fresh_gradients = True

    def forward(self, x: Array) -> Array:
        x = arranged(x)
        y, scale = self.normalise(x, self.size, self.alpha, self.beta, self.k, self.groups)
        self.save_for_backward(x, scale)
        return y

    def backward(self, grad_output: Array) -> Array:
        x, scale = self.saved
        grad = arranged(grad_output, like=x)
        # Not `is`: of a memmap NumPy makes another object with the same memory.
        copied = not lies_like(grad_output, x)
        overwrite = self.owns_grad_output or copied
        return self.differentiate(grad, x, scale, self.size, self.alpha, self.beta, self.groups,
                                  overwrite)

    def normalise(self, *arguments: Any) -> Any:
        return lrn_forward(*arguments)

    def differentiate(self, *arguments: Any) -> Array:
        return lrn_backward(*arguments)


def lrn_forward(x: Array, size: int, alpha: float, beta: float, k: float,
                groups: int) -> tuple[Array, Array]:
    """y = x / scale^beta with scale = k + alpha · Σ_{j−size//2 … j+(size−1)//2} x² over
    neighbouring channels."""
    y, scale = empty_like(x), empty_like(x)

    def normalise(x: Array, y: Array, s: Array) -> None:
        squares = np.multiply(x, x, out=scratch("squares", x.shape, x.dtype, like=x))
        _window_sum(squares, size // 2, (size - 1) // 2, out=s)
        s *= alpha
        s += k
        np.multiply(x, _power(s, -beta), out=y)

    _for_towers(normalise, groups, x, y, scale)
    return y, scale


def lrn_backward(grad: Array, x: Array, scale: Array, size: int, alpha: float, beta: float,
                 groups: int, overwrite: bool = False) -> Array:
    """dx = g·s^−β − 2αβ·x·Σ (g·x·s^(−β−1)), the sum over all channels whose window holds this one.
    The three arrays lie in memory in the same order.

    overwrite: dx may take the place of grad, which nobody else needs (150 MB less for conv1 at
    batch 128).
    """
    dx = grad if overwrite else empty_like(x)

    def differentiate(g: Array, x: Array, s: Array, out: Array) -> None:
        direct = _power(s, -beta)
        direct *= g
        ratio = np.multiply(direct, x, out=scratch("squares", x.shape, x.dtype, like=x))
        ratio /= s
        # The mirrored window: whose window am I in?
        _window_sum(ratio, (size - 1) // 2, size // 2, out)
        out *= x
        out *= -2 * alpha * beta
        out += direct

    _for_towers(differentiate, groups, grad, x, scale, dx)
    return dx


def _for_towers(function: Callable[..., Any], groups: int, *arrays: Array) -> None:
    """Call `function(*parts)` on cache-sized parts of the arrays, in which channels are axis 1 and
    end where their tower ends: (n·groups, C/groups, H·W) and with images last (h·groups, C/groups,
    W·N), or for channels last one row for each tower of each pixel, (pixels·groups, C/groups)."""
    shape, axes = arrays[0].shape, order(arrays[0])
    towers = (-1, shape[1] // groups,
              *([] if axes == CHANNELS_LAST else [shape[axes[2]] * shape[axes[3]]]))
    arrays = [array.transpose(axes).reshape(towers) for array in arrays]
    for_images(lambda part: function(*(array[part] for array in arrays)), arrays[0], at_once=_BLOCK)


def _window_sum(values: Array, before: int, after: int, out: Array) -> None:
    """out[:, c] = Σ values[:, c − before … c + after], stopping at the ends of the channel axis
    (axis 1)."""
    if values.ndim == 2:
        _window_sum_in_rows(values, before, after, out)
        return
    last = values.shape[1] - 1
    out[...] = values
    for shift in range(1, min(before, last) + 1):
        out[:, shift:] += values[:, :-shift]
    for shift in range(1, min(after, last) + 1):
        out[:, :-shift] += values[:, shift:]


def _window_sum_in_rows(values: Array, before: int, after: int, out: Array) -> None:
    """The same for rows of channels: with zeros between them they make one long line, and a window
    that looks past the end of its row finds zeros. So the additions are as long as the line, not as
    a row."""
    rows, C = values.shape
    step = C + max(before, after)  # numbers from one row to the next
    line = scratch("line", (before + rows * step + after,), values.dtype, like=values)
    total = scratch("total", (rows, step), values.dtype, like=values)
    line[:before] = line[before + rows * step:] = 0
    spaced = line[before:before + rows * step].reshape(rows, step)
    spaced[:, :C], spaced[:, C:] = values, 0
    flat = total.reshape(-1)
    so_far = line[:flat.size]
    for shift in range(1, before + after + 1):
        so_far = np.add(so_far, line[shift:shift + flat.size], out=flat)
    out[...] = so_far.reshape(rows, step)[:, :C]


def _power(scale: Array, exponent: float) -> Array:
    """scale^exponent = 2^(exponent · log₂ scale), in half the time of NumPy's own power."""
    power = np.log2(scale, out=scratch("power", scale.shape, scale.dtype, like=scale))
    power *= exponent
    return np.exp2(power, out=power)
