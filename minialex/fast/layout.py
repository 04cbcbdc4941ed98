"""In which order the numbers of images (N, C, H, W) lie in memory: as they are written, or in one
of two orders that are faster.

    channels last  (H, W, N, C)   the CPU's convolutions between many channels: a place (h, w) has
                                  N·C numbers side by side
    images last    (H, C, W, N)   between few channels: a row of a map has W·N of them

All are the same images of the same shape; only the strides differ. A loop of NumPy over neighbours
in memory is then hundreds of numbers long, where a row of an image has 13 or 27. Convolutions give
their images that way, and what follows works on any order and keeps it.
"""
import numpy as np
from numpy.typing import DTypeLike

from ..aliases import Array, Shape
from ..device import array_module
from .buffers import empty, scratch

WRITTEN, CHANNELS_LAST, IMAGES_LAST = (0, 1, 2, 3), (2, 3, 0, 1), (2, 1, 3, 0)
_BACK = {WRITTEN: WRITTEN, CHANNELS_LAST: CHANNELS_LAST, IMAGES_LAST: (3, 1, 0, 2)}
# Images at a time: these often lie 4096 bytes apart, in one set of the cache, which has eight ways.
_TRANSPOSED = 8


def order(x: Array) -> tuple[int, ...]:
    """The axes of x (N, C, H, W) from the outermost in memory to the innermost. Where several are
    true, as for one pixel, and where none is, x counts as it is written."""
    if x.ndim == 4 and not x.flags.c_contiguous and array_module(x) is np:
        for axes in (CHANNELS_LAST, IMAGES_LAST):
            if x.transpose(axes).flags.c_contiguous:
                return axes
    return WRITTEN


def channels_last(x: Array) -> bool:
    """Does x (N, C, H, W) lie in memory as (H, W, N, C)?"""
    return order(x) == CHANNELS_LAST


def swapped(x: Array) -> Array:
    """The view (H, W, N, C) of images (N, C, H, W), and the other way round."""
    return x.transpose(CHANNELS_LAST)


def rows(x: Array) -> Array:
    """The view (H, C, W, N) of images (N, C, H, W)."""
    return x.transpose(IMAGES_LAST)


def from_rows(x: Array) -> Array:
    """The way back: the view (N, C, H, W) of (H, C, W, N)."""
    return x.transpose(_BACK[IMAGES_LAST])


def copy_rows(target: Array, source: Array) -> None:
    """target[...] = source for two arrays (H, C, W, N): a few images at a time, a fourth of the
    time if N is not innermost."""
    for start in range(0, source.shape[3], _TRANSPOSED):
        target[..., start:start + _TRANSPOSED] = source[..., start:start + _TRANSPOSED]


def in_memory(x: Array, like: Array) -> Array:
    """The view of x that has its axes in the order in which `like` has them in memory."""
    axes = order(like)
    return x if axes == WRITTEN else x.transpose(axes)


def lies_like(x: Array, like: Array) -> bool:
    """Does x lie in memory in the same order as `like`, without gaps?"""
    return in_memory(x, like).flags.c_contiguous


def arranged(x: Array, like: Array | None = None) -> Array:
    """x in the memory order of `like`; without it, x in its own order if that is one of the three.
    Copied only where needed."""
    like = x if like is None else like
    if lies_like(x, like):
        return x
    copy = empty_like(like, x.shape, x.dtype)
    if order(like) == IMAGES_LAST:
        copy_rows(rows(copy), rows(x))
    else:
        copy[...] = x
    return copy


def empty_like(like: Array, shape: Shape | None = None, dtype: DTypeLike | None = None,
               name: str | None = None) -> Array:
    """An uninitialised array of `shape` (that of `like`) in the memory order of `like`; with a
    name, in scratch memory."""
    shape, dtype, axes = (like.shape if shape is None else shape,
                          like.dtype if dtype is None else dtype, order(like))
    if axes != WRITTEN:
        shape = tuple(shape[axis] for axis in axes)
    memory = scratch(name, shape, dtype, like=like) if name else empty(shape, dtype, like=like)
    return memory if axes == WRITTEN else memory.transpose(_BACK[axes])
