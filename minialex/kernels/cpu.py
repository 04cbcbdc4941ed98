"""The hot loops on the CPU. Plain arrays in, plain arrays out; `kernels/gpu.py` has the same names for CuPy arrays.

N, C, H, W: images, channels, height, width.  KH, KW: kernel or window.  OH, OW: output.
"""
import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..parallel import empty, for_blocks, for_images
from ..windows import window_count
from .cpu_dropout import dropout  # noqa: F401 (kernels as those below, in files of their own)
from .cpu_loss import cross_entropy  # noqa: F401

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
    windows = _windows(_padded(x, padding, 0), kernel_size, stride, (OH, OW))
    row, image, item = out.strides
    by_entry = (row * kernel_size[0] * kernel_size[1], row * kernel_size[1], row, image, item * OW, item)
    _copy(as_strided(out, windows.shape, by_entry), windows)
    return out


def col2im(columns, image_shape, kernel_size, stride, padding, out=None):
    """The transpose of im2col: every column entry is added to the pixel that it was copied from.

    columns (C·KH·KW, N, OH·OW) -> (N, C, H, W).
    """
    N, C, H, W = image_shape
    (KH, KW), (SH, SW), (PH, PW) = kernel_size, stride, padding
    OH, OW = _output_size((H, W), kernel_size, stride, padding)
    padded = np.zeros((N, C, H + 2 * PH, W + 2 * PW), dtype=columns.dtype)
    by_entry = columns.reshape(C, KH, KW, N, OH, OW).transpose(3, 0, 1, 2, 4, 5)
    for i in range(KH):
        for j in range(KW):
            padded[:, :, i:i + SH * OH:SH, j:j + SW * OW:SW] += by_entry[:, :, i, j]
    image = padded[:, :, PH:PH + H, PW:PW + W]
    if out is None:
        return np.ascontiguousarray(image)
    out[...] = image
    return out


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
    # Where pixel (i, j) of window (c, h, w) stands in the padded image: corner of the window + offset of the pixel.
    corner = (np.arange(C)[:, None, None] * height + np.arange(OH)[:, None] * SH) * width + np.arange(OW) * SW
    offset = (np.arange(KH)[:, None] * width + np.arange(KW)).reshape(-1)
    dx = empty(image_shape, grad.dtype)

    def scatter(images):
        position = offset[argmax[images]]
        position += corner
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


def _power(scale, beta):
    """scale^beta; for the paper's 3/4 by two square roots, which every CPU has in hardware."""
    if beta != 0.75:
        return scale ** scale.dtype.type(beta)
    root = np.sqrt(scale)
    root *= np.sqrt(root)
    return root


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
        _window_sum(part * part, min(before, part.shape[1] - 1), min(after, part.shape[1] - 1), s)
        s *= alpha
        s += k
        np.divide(part, _power(s, beta), out=_towers(y[images], groups))

    for_images(normalise, x)
    return y, scale


def lrn_backward(grad, x, scale, size, alpha, beta, groups):
    """dx = g·s^−β − 2αβ·x·Σ (g·x·s^(−β−1)), the sum over all channels whose window holds this one."""
    dx = empty(x.shape, x.dtype)
    before, after = (size - 1) // 2, size // 2  # the mirrored window: whose window am I in?

    def differentiate(images):
        part, s, out = (_towers(a[images], groups) for a in (x, scale, dx))
        direct = _towers(grad[images], groups) / _power(s, beta)
        ratio = direct * part
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
    number comes from memory once.
    """
    def update(w, g, v):
        step = w * w.dtype.type(weight_decay)
        step += g
        step *= lr
        v *= momentum
        v -= step
        w += v

    for_blocks(update, weight, grad, velocity)
