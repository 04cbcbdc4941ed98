"""The table of a whole network: what each layer does to a shape, its parameters,
multiply-accumulates and memory.

Only shapes are computed, by the arithmetic of shapes.py: not a single activation. table.py makes a
text of it.
"""
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from . import models, nn
from .aliases import Shape
from .device import array_module
from .shapes import conv_output_size, explain
from .tensor import Tensor, no_grad
from .utils import table
from .utils.table import is_rounded, times


class Row(NamedTuple):
    """One layer, for one picture."""

    name: str
    type: str
    formula: str
    output_shape: tuple
    groups: int
    parameters: int
    # multiply-accumulates, biases not counted; None where only running the layer could tell.
    macs: int
    activation_bytes: int  # the output in float32; 0 for a view of the input


class Totals(NamedTuple):
    parameters: int
    macs: int
    activation_bytes: int
    fully_connected_parameters: int
    fully_connected_macs: int


class Summary:
    """rows: a Row for each layer, in order; totals: their Totals; str() is a table, at most 100
    columns wide."""

    def __init__(self, title: str, input_shape: Shape, rows: list[Row]) -> None:
        self.title, self.input_shape, self.rows = title, input_shape, rows

    @property
    def totals(self) -> Totals:
        linear = [row for row in self.rows if row.type == "Linear"]
        return Totals(
            parameters=sum(row.parameters for row in self.rows),
            macs=sum(row.macs or 0 for row in self.rows),
            activation_bytes=sum(row.activation_bytes for row in self.rows),
            fully_connected_parameters=sum(row.parameters for row in linear),
            fully_connected_macs=sum(row.macs for row in linear),
        )

    def __str__(self) -> str:
        return table.render(self)

    __repr__ = __str__


def summarise(model: nn.Module, input_shape: Shape | None = None) -> Summary:
    """`shapes.summary`, which says what it takes and gives."""
    if not isinstance(model, nn.Module):
        raise TypeError("summary needs a network, a nn.Module such as models.alexnet(), "
                        f"got a {type(model).__name__}.")
    shape = tuple(input_shape or getattr(model, "input_shape", (3, 227, 227)))
    try:
        rows = _rows(model, shape)
    except _Misfit as misfit:
        raise ValueError(f"{misfit} from a picture of {times(shape)}: "
                         f"{_what_fits(model, shape)}.") from None
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


def _rows(model: nn.Module, shape: Shape, run_unknown: bool = True) -> list[Row]:
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
        rows.append(Row(name, kind, effect.formula, tuple(shape), effect.groups, parameters,
                        effect.macs, memory))
    return rows


def _leaves(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """(name, layer) in the order in which they are applied; a Sequential inside a Sequential is
    opened."""
    if type(module).forward not in (nn.Sequential.forward, models.Network.forward):
        yield name or type(module).__name__, module
        return
    for child_name, child in module.named_children():
        yield from _leaves(child, f"{name}.{child_name}" if name else child_name)


def _what_fits(model: nn.Module, input_shape: Shape, largest: int = 1024) -> str:
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
        return (f"no square picture of {channels} channels and up to {largest} pixels fits, "
                "so change the network")
    without = (f"{_ranges(whole)} without a remainder anywhere" if whole
               else "all of them with a remainder somewhere")
    return f"square pictures of {_ranges(fitting)} pixels fit, {without}"


def _ranges(numbers: list[int], most: int = 6) -> str:
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


# ---------------------------------------------------------------------------- what each layer does


def _convolution(layer: Any, shape: Shape) -> _Effect:
    size, formula = _slide(layer, shape)
    if shape[0] != layer.in_channels:
        raise _Misfit(f"expects {layer.in_channels} channels but gets {shape[0]}")
    every_weight_at_every_place = math.prod(size) * layer.weight.size
    return _Effect((layer.out_channels, *size), formula, every_weight_at_every_place, layer.groups)


def _pool(layer: Any, shape: Shape) -> _Effect:
    size, formula = _slide(layer, shape)
    return _Effect((shape[0], *size), formula)


def _slide(layer: Any, shape: Shape) -> tuple[Shape, str]:
    """The (OH, OW) that a layer's windows give, and the formula: one when height and width go
    alike."""
    if len(shape) != 3:
        raise _Misfit(f"slides a window over maps (C, H, W) but gets {times(shape)}")
    size, kernel = shape[1:], layer.kernel_size
    numbers = [size, kernel, layer.stride, getattr(layer, "padding", (0, 0))]
    try:
        output = conv_output_size(*numbers)
    except ValueError:
        raise _Misfit(f"slides a window of {times(kernel)} but gets "
                      f"only {times(size)} values") from None
    alike = all(height == width for height, width in numbers)
    return output, explain(*([height for height, _ in numbers] if alike else numbers))


def _linear(layer: Any, shape: Shape) -> _Effect:
    if len(shape) != 1:
        raise _Misfit("needs nn.Flatten() before it: "
                      f"it expects {layer.in_features} numbers but gets {times(shape)}")
    expected, given = layer.in_features, shape[0]
    if given != expected:
        maps = getattr(shape, "maps", None)
        if not maps:
            raise _Misfit(f"expects {expected} inputs but gets {given}")
        side = math.isqrt(expected // maps[0])
        fits = f" = {maps[0]}·{side}·{side}" if maps[0] * side * side == expected else ""
        raise _Misfit(f"expects {expected}{fits} inputs "
                      f"but gets {'·'.join(map(str, maps))} = {given}")
    return _Effect((layer.out_features,), f"{layer.in_features} → {layer.out_features}",
                   layer.weight.size)


def _flatten(layer: Any, shape: Shape) -> _Effect:
    flat = _Flat((math.prod(shape),))
    flat.maps = shape
    return _Effect(flat, f"{'·'.join(map(str, shape))} = {flat[0]}", view=True)


def _normalisation(layer: Any, shape: Shape) -> _Effect:
    formula = f"n={layer.size} α={layer.alpha:g} β={layer.beta:g} k={layer.k:g}"
    return _Effect(shape, formula, groups=getattr(layer, "groups", 1))


def _dropout(layer: Any, shape: Shape) -> _Effect:
    return _Effect(shape, f"p={layer.p:g}")


def _same(layer: Any, shape: Shape) -> _Effect:
    return _Effect(shape)


def _zero_padding(layer: Any, shape: Shape) -> _Effect:
    channels, height, width = shape
    padded = height + layer.top + layer.bottom, width + layer.left + layer.right
    formula = f"{layer.left} + {width} + {layer.right} = {padded[1]}"
    if (height, layer.top, layer.bottom) != (width, layer.left, layer.right):
        formula = f"height {layer.top} + {height} + {layer.bottom} = {padded[0]}; width {formula}"
    return _Effect((channels, *padded), formula)


def _by_running(layer: Any, shape: Shape) -> _Effect:
    like = next((parameter.data for parameter in layer.parameters()), np.empty(0, dtype=np.float32))
    zeros = array_module(like).zeros((1, *shape), dtype=like.dtype)
    training = layer.training
    layer.eval()  # a layer that learns or draws random numbers in passing does not do so now
    try:
        with no_grad():
            output = layer(Tensor(zeros))
    except (ValueError, TypeError) as error:
        raise _Misfit(f"({type(layer).__name__}) stops with “{error}” when it "
                      f"gets {times(shape)} zeros") from error
    finally:
        layer.train(training)
    return _Effect(output.shape[1:], "found by running it", macs=None)


# Looked up by forward: a subclass that computes the same has the same rule, one that computes
# something else is run.
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
