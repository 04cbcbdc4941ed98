"""Which implementation serves which operation, shape, dtype and device: one table. Where no row
fits, the book's own lines run.

An implementation is a Function with the book's options and inputs. functional.py asks
`implementation(op, *inputs)` for it.
"""
import os
from collections.abc import Callable
from functools import cache
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from .. import ops, tensor
from ..aliases import Array
from ..device import array_module, is_array
from ..ops.im2col import window_count
from ..tensor import Function
from ..watching import watching
from . import activation, linear, normalization, pooling, sgd
from .batched import BatchedConvolution
from .im2col import Im2colConvolution
from .space_to_depth import SpaceToDepthConvolution
from .winograd import LONGEST_SUM, WinogradConvolution

# ---------------------------------------------------------------------------- for which shapes


def any_input(op: Any, x: Array, *others: Any) -> bool:
    """any shape"""
    return True


def convolution(op: Any, x: Array, weight: Array, *bias: Array) -> bool:
    """any images and kernels"""
    return x.ndim == weight.ndim == 4 and isinstance(op.groups, Integral) and op.groups > 0


def by_tiles(op: Any, x: Array, weight: Array, *bias: Array) -> bool:
    """3x3 or 5x5 kernels, 32 channels, 4 images"""
    # So many channels that the products are what takes time, and so many images that the transform
    # of the weights is not: a step of the paper's network takes 222 ms by tiles and 271 ms by
    # im2col with 4 images, 212 and 201 with 2. Of float16's 3 digits 5x5 kernels leave 2, and tiles
    # of pixels around 600 exceed its largest number.
    if not convolution(op, x, weight):
        return False
    C_out, C, KH, KW = weight.shape
    S = op.stride[0]
    square = KH == KW and op.stride == (S, S) and (S == 1 or S < KH)
    enough = min(C_out // op.groups, C * S * S) >= 32 and len(x) >= 4
    return square and -(-KH // S) in LONGEST_SUM and enough and weight.dtype.itemsize > 2


def by_folded_tiles(op: Any, x: Array, weight: Array, *bias: Array) -> bool:
    """the same, of S x S pixels as S² channels"""
    return op.stride[0] > 1 and by_tiles(op, x, weight)


def small_products(op: Any, x: Array, weight: Array, *bias: Array) -> bool:
    """10⁶ multiply-adds for an image at most"""
    if not convolution(op, x, weight):
        return False
    OH, OW = map(window_count, x.shape[2:], weight.shape[2:], op.stride, op.padding)
    return weight.size // op.groups * OH * OW <= 10**6


def byte_for_winner(op: Any, x: Array) -> bool:
    """256 pixels in a window at most"""
    return op.kernel_size[0] * op.kernel_size[1] <= 256


def of_images(op: Any, x: Array) -> bool:
    """images"""
    return x.ndim == 4


def in_cuda(op: Any, x: Array, *others: Any) -> bool:
    """float32 or float64"""
    return x.dtype in ("float32", "float64")


def tiles_in_cuda(op: Any, x: Array, weight: Array, *bias: Array) -> bool:
    """3x3 or 5x5 kernels as above, no TF32"""
    # TF32's 10 bits are too few for a tile's differences of large numbers.
    return in_cuda(op, x) and by_tiles(op, x, weight) and os.environ.get("CUPY_TF32", "0") != "1"


def winner_in_cuda(op: Any, x: Array) -> bool:
    """float32 or float64, 256 pixels in a window"""
    return in_cuda(op, x) and byte_for_winner(op, x)


# ---------------------------------------------------------------------------- the table


class Row(NamedTuple):
    operation: type  # the book's
    device: str
    # serves(op, *arrays): does this row do it? Its docstring stands in the printed table.
    serves: object
    implementation: type
    words: str


def on_the_cpu() -> list[Row]:
    """The rows for NumPy's arrays. The first that serves is taken."""
    return [
        Row(ops.Conv2d, "cpu", by_folded_tiles, SpaceToDepthConvolution,
            "space-to-depth, then Winograd"),
        Row(ops.Conv2d, "cpu", by_tiles, WinogradConvolution, "Winograd"),
        Row(ops.Conv2d, "cpu", small_products, BatchedConvolution,
            "im2col, a product for each row"),
        Row(ops.Conv2d, "cpu", convolution, Im2colConvolution, "im2col, some images at a time"),
        Row(ops.Linear, "cpu", any_input, linear.Linear, "products shared by our threads"),
        Row(ops.ReLU, "cpu", any_input, activation.ReLU, "blocks on all cores"),
        Row(ops.Tanh, "cpu", any_input, activation.Tanh, "blocks on all cores"),
        Row(ops.MaxPool2d, "cpu", byte_for_winner, pooling.MaxPool2d,
            "running maxima, rows then columns"),
        Row(ops.AvgPool2d, "cpu", any_input, pooling.AvgPool2d, "rows, then columns"),
        Row(ops.LocalResponseNorm, "cpu", of_images, normalization.LocalResponseNorm,
            "in the cache, in place"),
        Row(ops.sgd_update, "cpu", any_input, sgd.sgd_update, "blocks that fit the cache"),
    ]


def on_a_gpu() -> list[Row]:
    """The rows for CuPy's arrays."""
    from . import gpu, gpu_winograd  # 300 lines that a CPU does not need

    return [
        Row(ops.Conv2d, "cuda", tiles_in_cuda, gpu_winograd.GpuWinogradConvolution,
            "Winograd, batched products"),
        Row(ops.Conv2d, "cuda", convolution, gpu.Conv2d, "im2col, slices as memory allows"),
        Row(ops.Linear, "cuda", any_input, linear.Linear, "products into memory at hand"),
        Row(ops.ReLU, "cuda", any_input, activation.ReLU, "in place of temporaries"),
        Row(ops.Tanh, "cuda", any_input, activation.Tanh, "in place of temporaries"),
        Row(ops.MaxPool2d, "cuda", winner_in_cuda, gpu.MaxPool2d, "one thread for each window"),
        Row(ops.AvgPool2d, "cuda", any_input, pooling.AvgPool2d, "rows, then columns"),
        Row(ops.LocalResponseNorm, "cuda", in_cuda, gpu.LocalResponseNorm,
            "one thread for each number"),
        Row(ops.Dropout, "cuda", in_cuda, gpu.Dropout, "the mask is drawn again"),
        Row(ops.CrossEntropy, "cuda", in_cuda, gpu.CrossEntropy,
            "one block of threads for each row"),
        Row(ops.sgd_update, "cuda", in_cuda, gpu.sgd_update, "one pass over memory"),
    ]


@cache
def _rows(device: str) -> dict[Any, list[Row]]:
    """{operation: its rows}"""
    found = {}
    for row in on_the_cpu() if device == "cpu" else on_a_gpu():
        found.setdefault(row.operation, []).append(row)
    return found


def implementation(op: Any, *inputs: Any) -> Any:
    """The first row of the table that serves these inputs (Tensors or arrays): a Function with the
    options of `op`, or `op` itself where there is none. Of a plain function, such as
    ops.sgd_update, another function."""
    arrays = [value.data if isinstance(value, tensor.Tensor) else value for value in inputs]
    if {type(array) for array in arrays} == {np.ndarray}:
        device = "cpu"
    elif all(map(is_array, arrays)):
        device = "cpu" if array_module(arrays[0]) is np else "cuda"
    else:
        return op  # lists are short
    is_function = isinstance(op, tensor.Function)
    for row in _rows(device).get(type(op) if is_function else op, ()):
        if row.serves(op, *arrays):
            return _with_options(row.implementation, op) if is_function else row.implementation
    return op


def _with_options(kind: type[Function], op: Function) -> Function:
    fast = kind.__new__(kind)
    vars(fast).update(vars(op))
    return fast


# ---------------------------------------------------------------------------- for a reader


def table() -> str:
    """The table as text: one line for each row, and what is asked of the inputs. The first line
    that fits serves."""
    lines = [f"{row.operation.__name__:18} {row.device:5} {row.serves.__doc__:42} "
             f"{_file(row.implementation):24} {row.words}" for row in on_the_cpu() + on_a_gpu()]
    return "\n".join([f"{'operation':18} {'on':5} {'if':42} {'in':24} how", *lines])


def explain(call: Callable[..., Any], *inputs: Any, **options: Any) -> str:
    """Run `call`, such as F.conv2d or a model, and say for each operation in it which
    implementation served it.

    >>> print(explain(F.conv2d, x, weight, padding=1))
    Conv2d: Winograd F(4×4, 3×3), 32 images (fast/winograd.py)
    """
    lines = []

    def observer(direction: str, function: Function, run: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arrays: Array) -> Any:
            result = run(*arrays)
            how = f"{function.describe(*arrays)} " if hasattr(function, "describe") else ""
            layer = f"{function.layer}: " if function.layer else ""
            lines.append(f"{layer}{function.name}: {how}({_file(type(function))})")
            return result
        return noted

    with watching(observer), tensor.no_grad():
        call(*inputs, **options)
    return "\n".join(lines)


def _file(thing: Any) -> str:
    return thing.__module__.removeprefix("minialex.").replace(".", "/") + ".py"
