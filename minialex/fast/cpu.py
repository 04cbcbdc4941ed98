"""The hot loops on the CPU. Plain arrays in, plain arrays out; `gpu.py` has the same names for CuPy arrays.

N, C, H, W: images, channels, height, width.  KH, KW: kernel or window.  OH, OW: output.
"""
import os

import numpy as np

from .batched import ImageProducts, is_small
from .buffers import scratch
from .columns import col2im, im2col  # noqa: F401 (kernels as those below, in files of their own)
from .dropout import dropout  # noqa: F401
from .loss import cross_entropy  # noqa: F401
from .normalization import lrn_backward, lrn_forward  # noqa: F401
from .pooling import max_pool_backward, max_pool_forward  # noqa: F401
from .space_to_depth import Folded, tiles_are_faster
from .threads import for_blocks
from .winograd import Winograd, tile_size

# ------------------------------------------------------------------------------------------------ convolution


def convolution_maps(images, weight, stride, padding, groups, output_size, forward=True):
    """The fastest maps for this shape where those are not im2col's: tiles (none with MINIALEX_CONVOLUTION=im2col) or a product
    for each image where that is small; else None."""
    geometry = weight, stride, padding, groups, output_size
    if os.environ.get("MINIALEX_CONVOLUTION") != "im2col" and tiles_are_faster(images, weight, stride, groups):
        m = tile_size(-(-weight.shape[2] // stride[0]), images, output_size, forward)
        return Winograd(weight, padding, groups, output_size, m) if stride == (1, 1) else Folded(*geometry, m)
    return ImageProducts(*geometry) if is_small(weight, groups, output_size) else None


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
