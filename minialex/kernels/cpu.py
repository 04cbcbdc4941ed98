"""The hot loops on the CPU. Plain arrays in, plain arrays out; `kernels/gpu.py` has the same names for CuPy arrays.

N, C, H, W: images, channels, height, width.  KH, KW: kernel or window.  OH, OW: output.
"""
import os

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..parallel import empty, for_blocks, for_images, scratch
from ..windows import window_count
from .cpu_dropout import dropout  # noqa: F401 (kernels as those below, in files of their own)
from .cpu_loss import cross_entropy  # noqa: F401
from .winograd import TILES, Winograd

# ------------------------------------------------------------------------------------------------ columns


def _windows(x, kernel_size, stride, output_size):
    """Every window of x (N, C, H, W) as a view (C, KH, KW, N, OH, OW): entry [c, i, j, n, h, w] is
    x[n, c, h·stride + i, w·stride + j]. Nothing is copied; the strides do the work."""
    (KH, KW), (SH, SW), (OH, OW) = kernel_size, stride, output_size
    N, C = x.shape[:2]
    sn, sc, sh, sw = x.strides
    return as_strided(x, (C, KH, KW, N, OH, OW), (sc, sh, sw, sn, sh * SH, sw * SW))


def _copy(target, source):
    """target[...] = source. Rows that are contiguous on both sides are copied as single items: NumPy's loop over 13
    floats costs more than the 13 floats (2.4 times for conv2's columns, measured)."""
    row = source.shape[-1] * source.itemsize
    if source.strides[-1] == target.strides[-1] == source.itemsize:
        source, target = source.view(f"V{row}"), target.view(f"V{row}")
    np.copyto(target, source)


def _padded(x, padding, value):
    """x with PH rows and PW columns of `value` on each side."""
    PH, PW = padding
    if PH == PW == 0:
        return x
    N, C, H, W = x.shape
    padded = np.full((N, C, H + 2 * PH, W + 2 * PW), value, dtype=x.dtype)
    padded[:, :, PH:PH + H, PW:PW + W] = x
    return padded


def _output_size(image_size, kernel_size, stride, padding):
    return tuple(map(window_count, image_size, kernel_size, stride, padding))


def im2col(x, kernel_size, stride, padding, out=None):
    """columns[(c, i, j), n, (h, w)] = x[n, c, h·stride + i − padding, w·stride + j − padding], 0 outside.

    x (N, C, H, W) -> (C·KH·KW, N, OH·OW): one row per kernel entry, one column per window, the images side by side,
    so that all windows of all images make one matrix. `out` may have any strides on its first two axes.
    """
    N, C = x.shape[:2]
    OH, OW = _output_size(x.shape[2:], kernel_size, stride, padding)
    if out is None:
        out = empty((C * kernel_size[0] * kernel_size[1], N, OH * OW), x.dtype)
    row, image, item = out.strides
    by_entry = (row * kernel_size[0] * kernel_size[1], row * kernel_size[1], row, image, item * OW, item)
    entries = as_strided(out, (C, *kernel_size, N, OH, OW), by_entry)
    padded = _padded(x, padding, 0)
    # With a stride of 4, entry j of a kernel's row meets pixels 4w + j: every fourth column of the image, made contiguous once
    # for j = 0, 4, 8, again for 1, 5, 9, and so on. Then rows can be copied whole (conv1: 0.6 → 0.3 ms per image and core).
    for first in range(min(stride[1], kernel_size[1])):
        columns = np.ascontiguousarray(padded[..., first::stride[1]]) if stride[1] > 1 else padded
        part = entries[:, :, first::stride[1]]
        _copy(part, _windows(columns, part.shape[1:3], (stride[0], 1), (OH, OW)))
    return out


def col2im(columns, image_shape, kernel_size, stride, padding, out=None):
    """The transpose of im2col: every column entry is added to the pixel that it was copied from.

    columns (C·KH·KW, N, OH·OW) -> (N, C, H, W). The sum over a window is taken in two steps, first over its rows i, then
    over its columns j: KH + KW additions where the one-step sum has KH·KW, and with stride 1 the KH·KW additions of the first
    step run over whole maps, not over their rows of 13 or 27 numbers (conv2: 2.4 → 1.7 ms per image and core).
    """
    N, C, H, W = image_shape
    (KH, KW), (SH, SW), (PH, PW) = kernel_size, stride, padding
    OH, OW = _output_size((H, W), kernel_size, stride, padding)
    by_entry = columns.reshape(C, KH, KW, N, OH, OW)
    rows = scratch("rows", (C, KW, N, H + 2 * PH, OW), columns.dtype, like=columns)
    rows[...] = 0
    for i in range(KH):
        rows[..., i:i + SH * OH:SH, :] += by_entry[:, i]
    padded = np.zeros((C, N, H + 2 * PH, W + 2 * PW), dtype=columns.dtype)
    for j in range(KW):
        padded[..., j:j + SW * OW:SW] += rows[:, j]
    image = padded[:, :, PH:PH + H, PW:PW + W].swapaxes(0, 1)
    if out is None:
        return np.ascontiguousarray(image)
    out[...] = image
    return out


def convolution_maps(images, weight, stride, padding, groups, output_size):
    """Winograd's maps where they beat im2col's: kernels of 3x3 and 5x5, stride 1, so many channels that the products are what
    takes time, and so many images that the weights' transform is not. None elsewhere, and everywhere with
    MINIALEX_CONVOLUTION=im2col."""
    C_out, C, KH, KW = weight.shape
    many = min(C_out // groups, C) >= 32 and images >= 8
    if many and KH == KW and KH in TILES and stride == (1, 1) and os.environ.get("MINIALEX_CONVOLUTION") != "im2col":
        return Winograd(weight, padding, groups, output_size)
    return None


# ------------------------------------------------------------------------------------------------ max-pooling


def max_pool_forward(x, kernel_size, stride, padding):
    """y = the largest of each window, and where it stood: argmax = i·KW + j, the first in reading order when tied.

    x (N, C, H, W) -> y (N, C, OH, OW) and argmax (the same shape, uint8). Padding counts as −∞; NaN wins.
    A window's maximum is the maximum of its rows' maxima: KW + KH comparisons instead of KW · KH.
    """
    (KH, KW), (SH, SW) = kernel_size, stride
    N, C, H, W = x.shape
    OH, OW = _output_size((H, W), kernel_size, stride, padding)
    y, argmax = empty((N, C, OH, OW), x.dtype), empty((N, C, OH, OW), np.uint8)

    def pool(images):
        padded = _padded(x[images], padding, -np.inf)
        rows, columns = _running_max([padded[..., j:j + SW * OW:SW] for j in range(KW)], range(KW))
        values, where = _running_max([rows[:, :, i:i + SH * OH:SH] for i in range(KH)],
                                     [columns[:, :, i:i + SH * OH:SH] + np.uint8(i * KW) for i in range(KH)])
        y[images], argmax[images] = values, where

    for_images(pool, x)
    return y, argmax


def _running_max(candidates, codes):
    """The largest candidate and its code. Codes grow from candidate to candidate, so the code of the last one that was
    strictly larger is the maximum of all codes that were."""
    best = candidates[0].copy()
    code = np.full(best.shape, codes[0], dtype=np.uint8)
    for candidate, its_code in zip(candidates[1:], codes[1:]):
        larger = (candidate > best).view(np.uint8)
        np.maximum(code, larger * np.asarray(its_code, dtype=np.uint8), out=code)
        np.maximum(best, candidate, out=best)
    return best, code


def max_pool_backward(grad, argmax, image_shape, kernel_size, stride, padding):
    """dx: each output's gradient goes to the one pixel that won its window; a pixel that won several gets the sum."""
    (KH, KW), (SH, SW), (PH, PW) = kernel_size, stride, padding
    N, C, H, W = image_shape
    OH, OW = grad.shape[2:]
    height, width = H + 2 * PH, W + 2 * PW
    # Where pixel (i, j) of window (c, h, w) stands in the padded image: corner of the window + offset of the pixel;
    # image n begins n images further on.
    corner = (np.arange(C)[:, None, None] * height + np.arange(OH)[:, None] * SH) * width + np.arange(OW) * SW
    offset = (np.arange(KH)[:, None] * width + np.arange(KW)).reshape(-1)
    dx = empty(image_shape, grad.dtype)

    def scatter(images):
        position = offset[argmax[images]]
        position += corner + np.arange(len(position)).reshape(-1, 1, 1, 1) * (C * height * width)
        padded = np.zeros((len(position), C, height, width), dtype=grad.dtype)
        np.add.at(padded.reshape(-1), position.reshape(-1), np.ascontiguousarray(grad[images]).reshape(-1))
        dx[images] = padded[:, :, PH:PH + H, PW:PW + W]

    for_images(scatter, grad)
    return dx


# ------------------------------------------------------------------------------------------------ local response norm


def _window_sum(squares, before, after, out):
    """out[:, c] = Σ squares[:, c − before … c + after], stopping at the ends of the channel axis (axis 1)."""
    out[...] = squares
    for shift in range(1, before + 1):
        out[:, shift:] += squares[:, :-shift]
    for shift in range(1, after + 1):
        out[:, :-shift] += squares[:, shift:]


def _power(scale, exponent):
    """scale^exponent = 2^(exponent · log₂ scale), in half the time of NumPy's own power."""
    power = np.log2(scale, out=scratch("power", scale.shape, scale.dtype, like=scale))
    power *= exponent
    return np.exp2(power, out=power)


def _towers(x, groups):
    """(N, C, H, W) -> (N·groups, C/groups, H·W): a window over channels stops at its tower's edge."""
    N, C, H, W = x.shape
    return x.reshape(N * groups, C // groups, H * W)


def lrn_forward(x, size, alpha, beta, k, groups):
    """y = x / scale^beta with scale = k + alpha · Σ_{j−size//2 … j+(size−1)//2} x² over neighbouring channels."""
    y, scale = empty(x.shape, x.dtype), empty(x.shape, x.dtype)
    before, after = size // 2, (size - 1) // 2

    def normalise(images):
        part, s = _towers(x[images], groups), _towers(scale[images], groups)
        squares = np.multiply(part, part, out=scratch("squares", part.shape, part.dtype, like=part))
        _window_sum(squares, min(before, part.shape[1] - 1), min(after, part.shape[1] - 1), s)
        s *= alpha
        s += k
        np.multiply(part, _power(s, -beta), out=_towers(y[images], groups))

    for_images(normalise, x)
    return y, scale


def lrn_backward(grad, x, scale, size, alpha, beta, groups, overwrite=False):
    """dx = g·s^−β − 2αβ·x·Σ (g·x·s^(−β−1)), the sum over all channels whose window holds this one.

    overwrite: dx may take the place of grad, which nobody else needs (150 MB less for conv1 at batch 128).
    """
    dx = grad if overwrite else empty(x.shape, x.dtype)
    before, after = (size - 1) // 2, size // 2  # the mirrored window: whose window am I in?

    def differentiate(images):
        part, s, out = (_towers(a[images], groups) for a in (x, scale, dx))
        direct = _power(s, -beta)
        direct *= _towers(grad[images], groups)
        ratio = np.multiply(direct, part, out=scratch("squares", part.shape, part.dtype, like=part))
        ratio /= s
        _window_sum(ratio, min(before, part.shape[1] - 1), min(after, part.shape[1] - 1), out)
        out *= part
        out *= -2 * alpha * beta
        out += direct

    for_images(differentiate, x)
    return dx


# ------------------------------------------------------------------------------------------------ the update


def sgd_update(weight, grad, velocity, lr, momentum, weight_decay):
    """v ← momentum·v − lr·(g + weight_decay·w);  w ← w + v, in place (the paper, section 5).

    The update moves five arrays of 61 million numbers and computes next to nothing: in blocks that fit the cache each
    number comes from memory once. Six calls per block wait for the interpreter lock, though: it takes 52 ms in blocks of 2^16
    numbers, 36 in blocks of 2^17 and 31 in blocks of 2^18; reading and writing these arrays alone takes 22.
    """
    def update(w, g, v):
        step = scratch("step", w.shape, w.dtype, like=w)
        np.multiply(w, w.dtype.type(weight_decay), out=step)
        step += g
        step *= lr
        v *= momentum
        v -= step
        w += v

    for_blocks(update, weight, grad, velocity, at_a_time=1 << 18)
