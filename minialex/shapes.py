"""Output sizes with the numbers written in, and the table of a whole network.

    output = (size - kernel + 2·padding)/stride + 1

`size - kernel + 2·padding` is how far the first window can slide before it leaves the padded
picture; divided by the stride that is the number of steps, and the window where it started is the
`+ 1`. A division with a remainder is rounded down: the window that would stick out is not taken,
and the last columns are never read.

`summary(model)` applies this to every layer without computing a single activation.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .aliases import Shape, Size
from .ops.im2col import geometry, pair, window_count

if TYPE_CHECKING:
    from .layer_table import Summary
    from .nn import Module

# ---------------------------------------------------------------------------- one layer


def conv_output_size(size: Size, kernel_size: Size, stride: Size = 1, padding: Size = 0) -> Any:
    """How many window positions fit, for a convolution or a pooling layer.

    All in pixels: ints, or (height, width) pairs. Returns an int, or a pair when any argument is a
    pair. Raises ValueError where no window fits, and for a number that makes no sense.
    """
    sizes = [window_count(*numbers) for numbers in _directions(size, kernel_size, stride, padding)]
    return sizes[0] if len(sizes) == 1 else tuple(sizes)


def explain(size: Size, kernel_size: Size, stride: Size = 1, padding: Size = 0) -> str:
    """The formula with the numbers in it, and what a remainder means for the picture.

    >>> explain(227, kernel_size=11, stride=4, padding=0)
    '(227 - 11 + 2·0)/4 + 1 = 216/4 + 1 = 55'
    """
    directions = _directions(size, kernel_size, stride, padding)
    if len(directions) == 1:
        return _explain("column", *directions[0])
    height, width = _explain("row", *directions[0]), _explain("column", *directions[1])
    return f"height {height}; width {width}"


def window_starts(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> range:
    """The first column of every window, as a range; column 0 is the first pixel, negative columns
    are padding."""
    count = conv_output_size(size, kernel_size, stride, padding)
    return range(-padding, -padding + count * stride, stride)


def columns_never_read(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> list[int]:
    """Columns of the padded picture that no window covers, as a list: below 0 and from `size` on
    they are padding."""
    starts = window_starts(size, kernel_size, stride, padding)
    read = {start + offset for start in starts for offset in range(kernel_size)}
    return [column for column in range(-padding, size + padding) if column not in read]


def receptive_field(layers: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """What one output value sees in the first layer's input: (pixels across, pixels from one output
    to its neighbour).

    layers: (kernel_size, stride) of each convolution or pooling layer, first layer first.
    """
    across, step = 1, 1
    for kernel_size, stride in layers:
        across += (kernel_size - 1) * step
        step *= stride
    return across, step


def _directions(size: Size, kernel_size: Size, stride: Size, padding: Size) -> list[Any]:
    """[(size, kernel, stride, padding)] in ints: one for both directions, or one each when any of
    them is a pair."""
    directions = list(zip(pair("size", size), *geometry(kernel_size, stride, padding)))
    for across, kernel, _, pad in directions:
        if kernel > across + 2 * pad:
            raise ValueError(f"a kernel of {kernel} does not fit into {across} + 2·{pad} = "
                             f"{across + 2 * pad} pixels: use an input of at least "
                             f"{kernel - 2 * pad}, a smaller kernel or more padding.")
    paired = any(isinstance(value, (tuple, list)) for value in (size, kernel_size, stride, padding))
    return directions if paired else directions[:1]


def _explain(line: str, size: int, kernel: int, stride: int, padding: int) -> str:
    count = window_count(size, kernel, stride, padding)
    span = size - kernel + 2 * padding
    unread = span % stride
    formula = f"({size} - {kernel} + 2·{padding})/{stride} + 1"
    if not unread:
        return f"{formula} = {span}/{stride} + 1 = {count}"
    missing = stride - unread
    formula += f" = {_decimal(span + stride, stride)} → {count}"
    more = "1 more pixel makes" if missing == 1 else f"{missing} more pixels make"
    return f"{formula}, {_never_read(unread, padding, line)}; {size + missing} or {more} it whole"


def _never_read(unread: int, padding: int, line: str) -> str:
    """The last `unread` lines of the padded picture are lost: first its padding, then pixels."""
    last = f"the last {line}" if unread == 1 else f"the last {unread} {line}s"
    verb = "is" if unread == 1 else "are"
    if unread <= padding:
        return f"{last} {verb} never read, padding only"
    if padding == 0:
        return f"{last} of pixels {verb} never read"
    return f"{last} are never read, {padding} of padding and {unread - padding} of pixels"


def _decimal(numerator: int, denominator: int) -> str:
    """'54.25'; a quotient that does not end within four places is cut and marked: '5.33…'."""
    if numerator * 10_000 % denominator == 0:
        return f"{numerator / denominator:.4f}".rstrip("0").rstrip(".")
    return f"{numerator * 100 // denominator / 100:.2f}…"


def summary(model: Module, input_shape: Shape | None = None) -> Summary:
    """The table of a network: every layer's size with its formula, parameters, multiply-accumulates
    and memory.

    input_shape: one picture, (C, H, W); without it the network's own `input_shape`, or
    (3, 227, 227). Only shapes are computed; a module of a type that is not known here is run once,
    on zeros, to see what comes out of it. Raises ValueError, naming the layer that breaks and the
    sizes that would work, when the picture does not fit, and TypeError for what is no module.
    """
    from .layer_table import summarise  # which needs the arithmetic above

    return summarise(model, input_shape)
