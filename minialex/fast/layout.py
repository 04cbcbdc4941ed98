"""In which order the numbers of images (N, C, H, W) lie in memory: as they are written, or channels last, as (H, W, N, C).

Both are the same images with the same shape; only the strides differ. Channels last, the N·C numbers of a place (h, w) are
neighbours in memory: a loop of NumPy over them is long, where a row of an image has 13 or 27 numbers. The CPU's convolutions
between many channels give their images that way, and what follows works on either order and keeps it.
"""
import numpy as np
from numpy.typing import DTypeLike

from ..aliases import Array, Shape
from ..device import array_module
from .buffers import empty


def channels_last(x: Array) -> bool:
    """Does x (N, C, H, W) lie in memory as (H, W, N, C)? Where both are true, as for a single pixel, it lies as it is written."""
    return array_module(x) is np and x.ndim == 4 and not x.flags.c_contiguous and swapped(x).flags.c_contiguous


def swapped(x: Array) -> Array:
    """The view (H, W, N, C) of images (N, C, H, W), and the other way round."""
    return x.transpose(2, 3, 0, 1)


def in_memory(x: Array, like: Array) -> Array:
    """The view of x that has its axes in the order in which `like` has them in memory."""
    return swapped(x) if channels_last(like) else x


def lies_like(x: Array, like: Array) -> bool:
    """Does x lie in memory in the same order as `like`, without gaps?"""
    return in_memory(x, like).flags.c_contiguous


def arranged(x: Array, like: Array | None = None) -> Array:
    """x in the memory order of `like`; without it, x in its own order if that is one of the two. Copied only where needed."""
    like = x if like is None else like
    if lies_like(x, like):
        return x
    return in_memory(array_module(x).ascontiguousarray(in_memory(x, like)), like)


def empty_like(like: Array, shape: Shape | None = None, dtype: DTypeLike | None = None) -> Array:
    """An uninitialised array of `shape` (that of `like`) in the memory order of `like`."""
    shape, dtype = like.shape if shape is None else shape, like.dtype if dtype is None else dtype
    if channels_last(like):
        return swapped(empty(shape[2:] + shape[:2], dtype, like=like))
    return empty(shape, dtype, like=like)
