"""The operations on a GPU: loops in CUDA for CuPy arrays, by the names, arguments and results of
the CPU's.

The loops themselves are the CUDA files in `cuda/`, each with its formula on top. Every thread there
owns what it writes and gathers what it needs: no atomics, so the same input gives the same bits
every time. Here they are compiled (once, when first used) and launched; nothing in this file waits
for the GPU.

N, C, H, W: images, channels, height, width.  KH, KW: kernel or window.  OH, OW: output.
"""
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any

import numpy as np

from .. import ops
from ..aliases import Array, Pair, Shape
from ..device import array_module, bytes_asked_for, gpu_memory, is_array, loaded_cupy
from ..errors import OutOfMemory
from ..ops.im2col import window_count
from ..random import next_sequence
from .convolution import Convolution
from .im2col import Im2col
from .normalization import LocalResponseNorm as CpuLocalResponseNorm
from .pooling import MaxPool2d as CpuMaxPool2d
from .threads import add_parts

# ---------------------------------------------------------------------------- compiling, launching

_FILES = ("windows.cu", "convolution.cu", "pooling.cu", "normalization.cu", "dropout.cu", "loss.cu",
          "sgd.cu")
KERNELS = ("im2col", "col2im", "max_pool_forward", "max_pool_backward", "lrn_forward",
           "lrn_backward", "dropout", "cross_entropy", "sgd_update")
REALS = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
# argmax, labels
WHOLE_NUMBERS = {"max_pool_forward": np.uint8, "max_pool_backward": np.uint8,
                 "cross_entropy": np.int64}
INDICES = {np.int32: "int", np.int64: "long long"}

_THREADS = 256  # per block
_ROW_THREADS = 256  # per block that shares a row: ROW_THREADS in loss.cu
_MOST_BLOCKS = 1 << 20
# Below this many elements an int can count them, the last step of a grid-stride loop included.
_SHORT = 1 << 30


def source(real: str, index: str, body: str | None = None) -> str:
    """The CUDA source of all kernels for one element type ("float", "double") and one index type
    ("int", "long long").

    64-bit division takes several times as long as 32-bit, so long indices are for arrays that need
    them. body: the text of other kernels (see gpu_winograd.py).
    """
    return f"typedef {real} real;\ntypedef {index} index_t;\n\n{body or text(*_FILES)}"


@cache
def text(*names: str) -> str:
    """What stands in these files of cuda/."""
    found = [Path(__file__).with_name("cuda").joinpath(name).read_text(encoding="utf-8")
             for name in names]
    # CuPy writes it in the locale's encoding, which may lack a Σ.
    return "\n".join(found).encode("ascii", "replace").decode()


@cache
def _kernel(cupy: Any, name: str, *types_and_body: str | None) -> Any:
    return cupy.RawKernel(source(*types_and_body), name)


def launch(name: str, total: int, *arguments: Any, block_each: bool = False,
           body: str | None = None) -> None:
    """Run kernel `name` (of `body`) over `total` elements: one thread for each, or with
    `block_each` one block of threads.

    Integers are passed as the index type, floats as the arrays' own type. Raises TypeError when the
    arrays are not all float32 or all float64.
    """
    arrays = [value for value in arguments if is_array(value)]
    reals = {array.dtype for array in arrays if array.dtype != WHOLE_NUMBERS.get(name, np.void)}
    if len(reals) != 1 or not reals <= REALS.keys():
        found = ", ".join(sorted(map(str, reals)))
        raise TypeError(f"{name} needs its arrays all float32 or all float64, got {found}: "
                        "convert them with .astype.")
    if total == 0:
        return
    (dtype,) = reals
    index = np.int32 if max(array.size for array in arrays) < _SHORT else np.int64
    converted = [dtype.type(value) if type(value) is float else index(value)
                 if isinstance(value, int) else value for value in arguments]
    threads, blocks = (_ROW_THREADS, total) if block_each else (_THREADS, -(-total // _THREADS))
    kernel = _kernel(array_module(arrays[0]), name, REALS[dtype], INDICES[index], body)
    kernel((min(blocks, _MOST_BLOCKS),), (threads,), (index(total), *converted))


def _on_its_device(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run `function` on the GPU that holds its first array: new arrays and launches go to the
    current device."""
    @wraps(function)
    def run(array: Any, *args: Any, **kwargs: Any) -> Any:
        with array.device:
            return function(array, *args, **kwargs)
    return run


# ---------------------------------------------------------------------------- columns


def _output_size(image_size: Pair, kernel_size: Pair, stride: Pair, padding: Pair) -> Pair:
    return tuple(map(window_count, image_size, kernel_size, stride, padding))


def _column_strides(columns: Array) -> tuple[int, int]:
    """Elements from one image to the next, and from one row to the next, in columns (C·KH·KW, N,
    OH·OW)."""
    row, image, item = columns.strides
    if item != columns.itemsize:
        raise ValueError(f"columns of shape {columns.shape} must be contiguous along their "
                         "last axis, OH·OW.")
    return image // item, row // item


def contiguous(array: Array) -> Array:
    """The array without gaps between its numbers: itself, or a copy."""
    return array_module(array).ascontiguousarray(array)


def in_place(*arrays: Array) -> None:
    """Kernels count elements from the first to the last: an array that is written to must have no
    gaps between them."""
    if not all(array.flags.c_contiguous for array in arrays):
        raise ValueError("an array that is changed in place on the GPU must be C-contiguous, "
                         "not a strided view.")


@_on_its_device
def im2col(x: Array, kernel_size: Pair, stride: Pair, padding: Pair,
           out: Array | None = None) -> Array:
    """columns[(c, i, j), n, (h, w)] = x[n, c, h·stride + i − padding, w·stride + j − padding], 0
    outside.

    x (N, C, H, W) -> (C·KH·KW, N, OH·OW). `out` may have any strides on its first two axes.
    """
    x = contiguous(x)
    N, C, H, W = x.shape
    OH, OW = _output_size((H, W), kernel_size, stride, padding)
    if out is None:
        out = loaded_cupy().empty((C * kernel_size[0] * kernel_size[1], N, OH * OW), dtype=x.dtype)
    launch("im2col", N * C * OH * OW, x, out, C, H, W, OH, OW, *kernel_size, *stride, *padding,
           *_column_strides(out))
    return out


@_on_its_device
def col2im(columns: Array, image_shape: Shape, kernel_size: Pair, stride: Pair, padding: Pair,
           out: Array | None = None) -> Array:
    """The transpose of im2col: every pixel is the sum of the column entries that were copied from
    it.

    columns (C·KH·KW, N, OH·OW), or contiguous in any other shape of that size -> (N, C, H, W).
    """
    N, C, H, W = image_shape
    OH, OW = _output_size((H, W), kernel_size, stride, padding)
    columns = contiguous(columns).reshape(C * kernel_size[0] * kernel_size[1], N, OH * OW)
    image = loaded_cupy().empty(image_shape, dtype=columns.dtype) if out is None else out
    in_place(image)
    launch("col2im", image.size, columns, image, C, H, W, OH, OW, *kernel_size, *stride, *padding,
            *_column_strides(columns))
    return image


class GpuIm2col(Im2col):
    """Im2col for slices of many images: as the memory allows."""

    im2col, col2im = staticmethod(im2col), staticmethod(col2im)

    def images_at_a_time(self) -> int:
        return images_at_a_time(self.rows * self.positions * self.like.itemsize)

    def sum_over_images(self, function: Callable[..., Any], count: int, operations: float) -> Any:
        return sum_over_images(function, count, self.images_at_a_time())


class Conv2d(Convolution):
    plan = GpuIm2col


# ---------------------------------------------------------------------------- max-pooling


@_on_its_device
def max_pool_forward(x: Array, kernel_size: Pair, stride: Pair,
                     padding: Pair) -> tuple[Array, Array]:
    """y = the largest of each window, and where it stood: argmax = i·KW + j, the first in reading
    order when tied.

    x (N, C, H, W) -> y (N, C, OH, OW) and argmax (the same shape, uint8). Padding counts as −∞; NaN
    wins.
    """
    x = contiguous(x)
    N, C, H, W = x.shape
    OH, OW = _output_size((H, W), kernel_size, stride, padding)
    y = loaded_cupy().empty((N, C, OH, OW), dtype=x.dtype)
    argmax = loaded_cupy().empty((N, C, OH, OW), dtype=np.uint8)
    launch("max_pool_forward", y.size, x, y, argmax, H, W, OH, OW, *kernel_size, *stride, *padding)
    return y, argmax


@_on_its_device
def max_pool_backward(grad: Array, argmax: Array, image_shape: Shape, kernel_size: Pair,
                      stride: Pair, padding: Pair) -> Array:
    """dx: each output's gradient goes to the one pixel that won its window; a pixel that won
    several gets the sum."""
    grad = contiguous(grad)
    dx = loaded_cupy().empty(image_shape, dtype=grad.dtype)
    launch("max_pool_backward", dx.size, grad, argmax, dx, *image_shape[2:], *grad.shape[2:],
            *kernel_size, *stride, *padding)
    return dx


class MaxPool2d(CpuMaxPool2d):
    pool, spread = staticmethod(max_pool_forward), staticmethod(max_pool_backward)


# ---------------------------------------------------------------------------- local response norm


@_on_its_device
def lrn_forward(x: Array, size: int, alpha: float, beta: float, k: float,
                groups: int) -> tuple[Array, Array]:
    """y = x / scale^beta with scale = k + alpha · Σ_{j−size//2 … j+(size−1)//2} x² over
    neighbouring channels."""
    x = contiguous(x)
    y, scale = loaded_cupy().empty_like(x), loaded_cupy().empty_like(x)
    N, C, H, W = x.shape
    launch("lrn_forward", x.size, x, y, scale, H * W, C // groups, size, float(alpha), float(beta),
           float(k))
    return y, scale


@_on_its_device
def lrn_backward(grad: Array, x: Array, scale: Array, size: int, alpha: float, beta: float,
                 groups: int, overwrite: bool = False) -> Array:
    """dx = g·s^−β − 2αβ·x·Σ (g·x·s^(−β−1)), the sum over all channels whose window holds this one.
    overwrite: not used, since each thread reads what its neighbours would overwrite."""
    grad, x, scale = (contiguous(array) for array in (grad, x, scale))
    dx = loaded_cupy().empty_like(x)
    N, C, H, W = x.shape
    launch("lrn_backward", x.size, grad, x, scale, dx, H * W, C // groups, size, float(alpha),
           float(beta))
    return dx


class LocalResponseNorm(CpuLocalResponseNorm):
    normalise, differentiate = staticmethod(lrn_forward), staticmethod(lrn_backward)


# ---------------------------------------------------------------------------- dropout


@_on_its_device
def dropout(x: Array, p: float, key: int, first: int = 0) -> Array:
    """y = x · m / (1 − p), m = 1 where a random number in [0, 1) is at least p, else 0: for the
    same key the same mask."""
    x = contiguous(x)
    y = loaded_cupy().empty_like(x)
    threads = -(-(first % 8 + x.size) // 8) if x.size else 0
    launch("dropout", threads, x, y, x.size, np.uint64(key), np.uint64(first), np.float32(p),
           float(1 / (1 - p)))
    return y


class Dropout(ops.Dropout):
    """The mask is not kept: it follows from one random number, its key, so that backward draws it
    again."""

    fresh_gradients = True

    def forward(self, x: Array) -> Array:
        self.key, self.first = next_sequence(x)
        return dropout(x, self.p, self.key, self.first)

    def backward(self, grad_output: Array) -> Array:
        return dropout(grad_output, self.p, self.key, self.first)


# ---------------------------------------------------------------------------- the loss


@_on_its_device
def cross_entropy(logits: Array, labels: Array) -> tuple[Array, Array]:
    """The losses (N,), −ln p[label], of logits (N, K) and labels (N,), and their mean's gradient
    (N, K): (p − one-hot)/N.

    A label that is none of the K classes makes its row NaN.
    """
    logits, labels = contiguous(logits), contiguous(labels.astype(np.int64, copy=False))
    losses, gradient = loaded_cupy().empty(len(logits),
                                           dtype=logits.dtype), loaded_cupy().empty_like(logits)
    launch("cross_entropy", len(logits), logits, labels, losses, gradient, logits.shape[1],
           block_each=True)
    return losses, gradient


class CrossEntropy(ops.CrossEntropy):
    def forward(self, logits: Array) -> Array:
        labels, share = self.labels_and_shares(logits)
        losses, gradient = cross_entropy(logits, labels)
        self.save_for_backward(gradient, share)
        return (losses[:, None] * share).mean()

    def backward(self, g: Array) -> Array:
        gradient, share = self.saved
        return gradient * share * g


# ---------------------------------------------------------------------------- the update


@_on_its_device
def sgd_update(weight: Array, grad: Array, velocity: Array, lr: float, momentum: float,
               weight_decay: float) -> None:
    """v ← momentum·v − lr·(g + weight_decay·w), w ← w + v, in place (the paper, section 5): one
    pass over memory."""
    in_place(weight, velocity)
    launch("sgd_update", weight.size, weight, contiguous(grad), velocity,
            float(lr), float(momentum), float(weight_decay))


# ---------------------------------------------------------------------------- memory

# Columns of this size keep any GPU busy; more of them would only take memory from the network.
_SLICE_BYTES = 256 << 20
# what has been found out so far, so that no step asks the driver or runs out of memory again
_slice_sizes = {}


def images_at_a_time(column_bytes: int) -> int:
    """How many images share one buffer of columns when one image needs `column_bytes`: 256 MB
    worth, or a quarter of the free memory when that is less."""
    key = loaded_cupy().cuda.Device().id, "bytes", column_bytes
    if key not in _slice_sizes:
        _slice_sizes[key] = max(1, min(_SLICE_BYTES, gpu_memory()[0] // 4) // column_bytes)
    return _slice_sizes[key]


def sum_over_images(function: Callable[..., Any], count: int, at_a_time: int) -> Any:
    """Call `function(slice)` on slices of at most `at_a_time` of `count` images, first to last, and
    add up the tuples of arrays (or None) that it returns.

    When the GPU runs out of memory the slice is halved and tried again. Raises OutOfMemory when one
    image is too much.
    """
    key = loaded_cupy().cuda.Device().id, "images", at_a_time
    total, start = None, 0
    while start < count:
        size = _slice_sizes.get(key, at_a_time)
        images = slice(start, min(start + size, count))
        part, shortage = _attempt(function, images)
        if not shortage:
            total, start = add_parts(total, part), images.stop
        elif images.stop - start > 1:
            _slice_sizes[key] = (images.stop - start) // 2
        else:
            raise OutOfMemory(_too_much(count, shortage))
    return total


def _attempt(function: Callable[..., Any], images: slice) -> tuple[Any, str | None]:
    """(result, None), or (None, CuPy's message) when memory ran out; the function's own arrays are
    free again then."""
    try:
        return function(images), None
    except loaded_cupy().cuda.memory.OutOfMemoryError as error:
        return None, str(error)


def _too_much(count: int, shortage: str) -> str:
    """What was needed, what was free, which batch would fit.

    Of the memory in use, weights and their gradients stay while activations grow with the batch:
    the estimate takes them for half of it each. `shortage` is "Out of memory allocating 1,024 bytes
    (...)", in CuPy's words.
    """
    free, in_use = gpu_memory()
    needed = bytes_asked_for(shortage)
    batch = int(count * (1 + (free - needed) / (in_use / 2))) if in_use else 0
    advice = (f"a batch of about {batch} would fit" if 0 < batch < count
              else "use smaller images or a smaller network")
    return (f"the GPU has no room for even one of these {count} images: {needed:,} bytes were "
            f"needed, {free:,} are free and {in_use:,} in use; {advice}, or run with --device cpu.")
