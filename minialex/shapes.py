"""Output sizes with the numbers written in, and the table of a whole network.

    output = (size - kernel + 2·padding)/stride + 1

`size - kernel + 2·padding` is how far the first window can slide before it leaves the padded picture; divided by the
stride that is the number of steps, and the window where it started is the `+ 1`. A division with a remainder is rounded
down: the window that would stick out is not taken, and the last columns are never read.

`summary(model)` applies this to every layer without computing a single activation.
"""
import math
from typing import NamedTuple

import numpy as np

from . import models, nn, table
from .device import array_module
from .ops.im2col import pair, window_count
from .table import is_rounded, times
from .tensor import Tensor, no_grad

# ------------------------------------------------------------------------------------------------ one layer


def conv_output_size(size, kernel_size, stride=1, padding=0):
    """How many window positions fit, for a convolution or a pooling layer.

    All in pixels: ints, or (height, width) pairs. Returns an int, or a pair when any argument is a pair.
    Raises ValueError where no window fits, and for a number that makes no sense.
    """
    sizes = [window_count(*numbers) for numbers in _directions(size, kernel_size, stride, padding)]
    return sizes[0] if len(sizes) == 1 else tuple(sizes)


def explain(size, kernel_size, stride=1, padding=0):
    """The formula with the numbers in it, and what a remainder means for the picture.

    >>> explain(227, kernel_size=11, stride=4, padding=0)
    '(227 - 11 + 2·0)/4 + 1 = 216/4 + 1 = 55'
    """
    directions = _directions(size, kernel_size, stride, padding)
    if len(directions) == 1:
        return _explain(*directions[0], "column")
    height, width = (_explain(*numbers, line) for numbers, line in zip(directions, ("row", "column")))
    return f"height {height}; width {width}"


def window_starts(size, kernel_size, stride=1, padding=0):
    """The first column of every window, as a range; column 0 is the first pixel, negative columns are padding."""
    count = conv_output_size(size, kernel_size, stride, padding)
    return range(-padding, -padding + count * stride, stride)


def columns_never_read(size, kernel_size, stride=1, padding=0):
    """Columns of the padded picture that no window covers, as a list: below 0 and from `size` on they are padding."""
    starts = window_starts(size, kernel_size, stride, padding)
    read = {start + offset for start in starts for offset in range(kernel_size)}
    return [column for column in range(-padding, size + padding) if column not in read]


def receptive_field(layers):
    """What one output value sees: (pixels across, pixels from one output to its neighbour) in the first layer's input.

    layers: (kernel_size, stride) of each convolution or pooling layer, first layer first.
    """
    across, step = 1, 1
    for kernel_size, stride in layers:
        across += (kernel_size - 1) * step
        step *= stride
    return across, step


def _directions(size, kernel_size, stride, padding):
    """[(size, kernel, stride, padding)] in ints: one for both directions, or one each when any of them is a pair."""
    window = pair("kernel_size", kernel_size), pair("stride", stride), pair("padding", padding, smallest=0)
    directions = list(zip(pair("size", size), *window))
    for across, kernel, _, pad in directions:
        if kernel > across + 2 * pad:
            raise ValueError(
                f"a kernel of {kernel} does not fit into {across} + 2·{pad} = {across + 2 * pad} pixels: "
                f"use an input of at least {kernel - 2 * pad}, a smaller kernel or more padding."
            )
    paired = any(isinstance(value, (tuple, list)) for value in (size, kernel_size, stride, padding))
    return directions if paired else directions[:1]


def _explain(size, kernel, stride, padding, line):
    count = window_count(size, kernel, stride, padding)
    span = size - kernel + 2 * padding
    unread = span % stride
    formula = f"({size} - {kernel} + 2·{padding})/{stride} + 1"
    if not unread:
        return f"{formula} = {span}/{stride} + 1 = {count}"
    missing = stride - unread
    formula += f" = {_decimal(span + stride, stride)} → {count}"
    verb = "makes" if missing == 1 else "make"
    return (
        f"{formula}, {_never_read(unread, padding, line)}; "
        f"{size + missing} or {missing} more {'pixel' if missing == 1 else 'pixels'} {verb} it whole"
    )


def _never_read(unread, padding, line):
    """The last `unread` lines of the padded picture are lost: first its padding, then pixels."""
    last = f"the last {line}" if unread == 1 else f"the last {unread} {line}s"
    verb = "is" if unread == 1 else "are"
    if unread <= padding:
        return f"{last} {verb} never read, padding only"
    if padding == 0:
        return f"{last} of pixels {verb} never read"
    return f"{last} are never read, {padding} of padding and {unread - padding} of pixels"


def _decimal(numerator, denominator):
    """'54.25'; a quotient that does not end within four places is cut and marked: '5.33…'."""
    if numerator * 10_000 % denominator == 0:
        return f"{numerator / denominator:.4f}".rstrip("0").rstrip(".")
    return f"{numerator * 100 // denominator / 100:.2f}…"


# ------------------------------------------------------------------------------------------------ a whole network


class Row(NamedTuple):
    """One layer, for one picture."""

    name: str
    type: str
    formula: str
    output_shape: tuple
    groups: int
    parameters: int
    macs: int  # multiply-accumulates, biases not counted; None where only running the layer could tell
    activation_bytes: int  # the output in float32; 0 for a view of the input


class Totals(NamedTuple):
    parameters: int
    macs: int
    activation_bytes: int
    fully_connected_parameters: int
    fully_connected_macs: int


class Summary:
    """rows: a Row for each layer, in order; totals: their Totals; str() is a table, at most 100 columns wide."""

    def __init__(self, title, input_shape, rows):
        self.title, self.input_shape, self.rows = title, input_shape, rows

    @property
    def totals(self):
        linear = [row for row in self.rows if row.type == "Linear"]
        return Totals(
            parameters=sum(row.parameters for row in self.rows),
            macs=sum(row.macs or 0 for row in self.rows),
            activation_bytes=sum(row.activation_bytes for row in self.rows),
            fully_connected_parameters=sum(row.parameters for row in linear),
            fully_connected_macs=sum(row.macs for row in linear),
        )

    def __str__(self):
        return table.render(self)

    __repr__ = __str__


def summary(model, input_shape=None):
    """The table of a network: every layer's size with its formula, parameters, multiply-accumulates and memory.

    input_shape: one picture, (C, H, W); without it the network's own `input_shape`, or (3, 227, 227). Only shapes are
    computed; a module of a type that is not known here is run once, on zeros, to see what comes out of it.
    Raises ValueError, naming the layer that breaks and the sizes that would work, when the picture does not fit, and
    TypeError for what is no module.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"summary needs a network, a nn.Module such as models.alexnet(), got a {type(model).__name__}.")
    shape = tuple(input_shape or getattr(model, "input_shape", (3, 227, 227)))
    try:
        rows = _rows(model, shape)
    except _Misfit as misfit:
        raise ValueError(f"{misfit} from a picture of {times(shape)}: {_what_fits(model, shape)}.") from None
    return Summary(getattr(model, "variant", type(model).__name__), shape, rows)


class _Misfit(Exception):
    """The layer and what is wrong, as the beginning of a sentence."""


class _Effect(NamedTuple):
    """What a layer does to a shape."""

    shape: tuple
    formula: str = ""
    macs: int = 0
    groups: int = 1
    view: bool = False


class _Flat(tuple):
    """A shape (C·H·W,) that remembers the (C, H, W) it was."""


def _rows(model, shape, run_unknown=True):
    rows = []
    for name, layer in _leaves(model, ""):
        rule = _RULES.get(type(layer).forward, _by_running if run_unknown else None)
        if rule is None:
            raise _Misfit(f"{name} is a {type(layer).__name__}, which has to be run")
        try:
            effect = rule(layer, shape)
        except _Misfit as misfit:
            raise _Misfit(f"{name} {misfit}") from None
        shape = effect.shape
        parameters = sum(parameter.size for parameter in layer.parameters())
        memory = 0 if effect.view else 4 * math.prod(shape)
        kind = type(layer).__name__
        rows.append(Row(name, kind, effect.formula, tuple(shape), effect.groups, parameters, effect.macs, memory))
    return rows


def _leaves(module, name):
    """(name, layer) in the order in which they are applied; a Sequential inside a Sequential is opened."""
    if type(module).forward not in (nn.Sequential.forward, models.Network.forward):
        yield name or type(module).__name__, module
        return
    for child_name, child in module.named_children():
        yield from _leaves(child, f"{name}.{child_name}" if name else child_name)


def _what_fits(model, input_shape, largest=1024):
    """The square pictures that go through, as the end of a sentence."""
    if len(input_shape) != 3:
        return "input_shape is one picture, (channels, height, width), without the batch"
    channels, whole, fitting = input_shape[0], [], []
    for size in range(1, largest + 1):
        try:
            rows = _rows(model, (channels, size, size), run_unknown=False)
        except _Misfit:
            continue
        fitting.append(size)
        whole += [] if any(is_rounded(row) for row in rows) else [size]
    if not fitting:
        return f"no square picture of {channels} channels and up to {largest} pixels fits, so change the network"
    without = f"{_ranges(whole)} without a remainder anywhere" if whole else "all of them with a remainder somewhere"
    return f"square pictures of {_ranges(fitting)} pixels fit, {without}"


def _ranges(numbers, most=6):
    """[1, 2, 3, 7] -> '1 to 3 and 7'."""
    runs = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    texts = [f"{first}" if first == last else f"{first} to {last}" for first, last in runs]
    if len(texts) > most:
        texts[most:] = ["more"]
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))


# ------------------------------------------------------------------------------------------------ what each layer does


def _convolution(layer, shape):
    size, formula = _slide(layer, shape)
    if shape[0] != layer.in_channels:
        raise _Misfit(f"expects {layer.in_channels} channels but gets {shape[0]}")
    every_weight_at_every_place = math.prod(size) * layer.weight.size
    return _Effect((layer.out_channels, *size), formula, every_weight_at_every_place, layer.groups)


def _pool(layer, shape):
    size, formula = _slide(layer, shape)
    return _Effect((shape[0], *size), formula)


def _slide(layer, shape):
    """The (OH, OW) that a layer's windows give, and the formula: one when height and width go alike."""
    if len(shape) != 3:
        raise _Misfit(f"slides a window over maps (C, H, W) but gets {times(shape)}")
    size, kernel = shape[1:], layer.kernel_size
    numbers = [size, kernel, layer.stride, getattr(layer, "padding", (0, 0))]
    try:
        output = conv_output_size(*numbers)
    except ValueError:
        raise _Misfit(f"slides a window of {times(kernel)} but gets only {times(size)} values") from None
    alike = all(height == width for height, width in numbers)
    return output, explain(*([height for height, _ in numbers] if alike else numbers))


def _linear(layer, shape):
    if len(shape) != 1:
        raise _Misfit(f"needs nn.Flatten() before it: it expects {layer.in_features} numbers but gets {times(shape)}")
    expected, given = layer.in_features, shape[0]
    if given != expected:
        maps = getattr(shape, "maps", None)
        if not maps:
            raise _Misfit(f"expects {expected} inputs but gets {given}")
        side = math.isqrt(expected // maps[0])
        fits = f" = {maps[0]}·{side}·{side}" if maps[0] * side * side == expected else ""
        raise _Misfit(f"expects {expected}{fits} inputs but gets {'·'.join(map(str, maps))} = {given}")
    return _Effect((layer.out_features,), f"{layer.in_features} → {layer.out_features}", layer.weight.size)


def _flatten(layer, shape):
    flat = _Flat((math.prod(shape),))
    flat.maps = shape
    return _Effect(flat, f"{'·'.join(map(str, shape))} = {flat[0]}", view=True)


def _normalisation(layer, shape):
    formula = f"n={layer.size} α={layer.alpha:g} β={layer.beta:g} k={layer.k:g}"
    return _Effect(shape, formula, groups=getattr(layer, "groups", 1))


def _dropout(layer, shape):
    return _Effect(shape, f"p={layer.p:g}")


def _same(layer, shape):
    return _Effect(shape)


def _zero_padding(layer, shape):
    channels, height, width = shape
    padded = height + layer.top + layer.bottom, width + layer.left + layer.right
    formula = f"{layer.left} + {width} + {layer.right} = {padded[1]}"
    if (height, layer.top, layer.bottom) != (width, layer.left, layer.right):
        formula = f"height {layer.top} + {height} + {layer.bottom} = {padded[0]}; width {formula}"
    return _Effect((channels, *padded), formula)


def _by_running(layer, shape):
    like = next((parameter.data for parameter in layer.parameters()), np.empty(0, dtype=np.float32))
    zeros = array_module(like).zeros((1, *shape), dtype=like.dtype)
    training = layer.training
    layer.eval()  # a layer that learns or draws random numbers in passing does not do so now
    try:
        with no_grad():
            output = layer(Tensor(zeros))
    except (ValueError, TypeError) as error:
        raise _Misfit(f"({type(layer).__name__}) stops with “{error}” when it gets {times(shape)} zeros") from error
    finally:
        layer.train(training)
    return _Effect(output.shape[1:], "found by running it", macs=None)


# Looked up by forward: a subclass that computes the same has the same rule, one that computes something else is run.
_RULES = {
    nn.Conv2d.forward: _convolution,
    nn.MaxPool2d.forward: _pool,
    nn.AvgPool2d.forward: _pool,
    nn.Linear.forward: _linear,
    nn.Flatten.forward: _flatten,
    nn.ZeroPad2d.forward: _zero_padding,
    nn.LocalResponseNorm.forward: _normalisation,
    nn.MapResponseNorm.forward: _normalisation,
    nn.Dropout.forward: _dropout,
    nn.ReLU.forward: _same,
    nn.Tanh.forward: _same,
    nn.Sigmoid.forward: _same,
}
