"""What a network's filters answer to: feature maps of one picture, and the training patches that
excite a filter most."""

import heapq
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .. import nn
from ..device import to_device, to_numpy
from ..errors import UserError
from ..folders.names import shown
from ..models import is_chain
from ..sight import Sight
from ..tensor import Tensor, no_grad
from ..utils.table import shorten, times
from .classifier import Classifier, batches, planes_of
from .plots import QUIET, Path, page

MAPS = 16  # feature maps shown of each layer, the strongest first
PATCHES = 9
BATCH = 32
ACTIVATIONS = (nn.ReLU, nn.Tanh, nn.Sigmoid)

# a filter's answer, the picture's number, row and column of the answer
Found = tuple[float, int, tuple[int, int]]


class _Reached(Exception):
    """The layer that was asked for has answered."""


def activations(model: Any, crops: np.ndarray, last: str | None = None) -> dict[str, np.ndarray]:
    """{path: (N, C, H, W)}, what each layer with maps makes of crops, in the order of their calls;
    the network runs up to `last`.

    The layers tell it themselves, so a network may have a forward of its own.
    """
    found: dict[str, np.ndarray] = {}

    def overhear(name, forward):
        def heard(*inputs, **options):
            out = forward(*inputs, **options)
            if out.ndim == 4:
                found[name] = out.data
            if name == last:
                raise _Reached
            return out
        return heard

    layers = [(name, layer) for name, layer in model.named_modules() if not layer.named_children()]
    for name, layer in layers:
        layer.forward = overhear(name, layer.forward)
    try:
        with no_grad():
            model(Tensor(to_device(crops, model.parameters()[0].device)))
    except _Reached:
        pass
    finally:
        for _, layer in layers:
            vars(layer).pop("forward", None)  # the class's own is back
    return found


def strongest_maps(values: np.ndarray, count: int) -> np.ndarray:
    """The numbers of the maps of (C, H, W) that answer most, on the average, best first."""
    return np.argsort(-np.abs(values).mean(axis=(1, 2)), kind="stable")[:count]


def maps(path: Path, network: Classifier, planes: np.ndarray) -> None:
    """Write a PNG: of each convolution, after its ReLU where it has one, the maps of the picture
    that answer most."""
    found = activations(network.model, network.crops(planes))
    layers, rows, conv = dict(network.model.named_modules()), {}, ""
    for name, values in found.items():
        if isinstance(layers[name], nn.Conv2d):
            conv = name
        if name == conv or isinstance(layers[name], ACTIVATIONS) and conv:
            rows[conv] = to_numpy(values)[0]
            # a second activation has nothing to do with this convolution
            conv = conv if name == conv else ""
    with page(path, 0.3 + 1.7 + 0.62 * MAPS, 0.75 + 0.95 * len(rows)) as paper:
        paper.heading("Feature maps", f"the {MAPS} maps of each layer that answer most; "
                      "the number is the filter's, bright is a strong answer", 0.25)
        for row, (name, values) in enumerate(rows.items()):
            top = 0.72 + 0.95 * row
            paper.text(0.2, top + 0.28, shorten(name, 18), 9.5, fontweight="bold")
            paper.text(0.2, top + 0.46, "×".join(map(str, values.shape)), 8, color=QUIET)
            for column, number in enumerate(strongest_maps(values, MAPS)):
                axes = paper.axes(1.8 + 0.62 * column, top, 0.58, 0.58)
                axes.imshow(values[number], cmap="inferno", interpolation="nearest")
                axes.set_title(str(number), loc="center", fontsize=6.5, pad=1.5, color=QUIET,
                               fontweight="normal")


# ------------------------------------------------------------------------------------------ patches


def parse_filter(model: nn.Module, text: str) -> tuple[str, int]:
    """(layer, filter) for "conv3:17", or "17" for the last convolution. Raises UserError."""
    if not is_chain(model) or any(layer.named_children() for _, layer in model.named_children()):
        raise UserError("--patches needs a network that is one nn.Sequential of layers: "
                        "what a filter sees of a picture follows from the order of the layers, "
                        "which a forward of its own hides.")
    layers = {name: layer for name, layer in model.named_children() if isinstance(layer, nn.Conv2d)}
    name, _, number = text.rpartition(":")
    name = name or next(reversed(layers), "")
    if name not in layers or not number.isdecimal() or int(number) >= layers[name].out_channels:
        known = ", ".join(f"{name}:0 to {name}:{layer.out_channels - 1}"
                          for name, layer in layers.items())
        raise UserError(f"--patches {text} names no filter of this network: choose one of {known}.")
    return name, int(number)


def sight_of(model: Any, last: str) -> Sight:
    """What the values of a chain's layer `last` see of its picture."""
    sight = Sight.of_picture(model.input_shape)
    for name, layer in model.named_children():
        sight = sight.after(layer)
        if name == last:
            return sight
    raise KeyError(last)


def strongest(network: Classifier, read: Iterable[tuple[int, np.ndarray]], layers: list[str],
              seen: Callable[[int], None] = lambda count: None) -> dict[str, list[list[Found]]]:
    """{layer: for each filter its strongest answers to PATCHES of the pictures (number, planes),
    one of a picture, best first}.

    layers: convolutions, in the order of their calls.
    """
    found: dict[str, list[Any]] = {name: [] for name in layers}
    for batch in batches(read, BATCH):
        crops = np.concatenate([network.crops(planes) for _, planes in batch])
        answers = activations(network.model, crops, layers[-1])
        for name in layers:
            values = to_numpy(answers[name])
            flat = values.reshape(*values.shape[:2], -1)
            places, largest = flat.argmax(axis=2), flat.max(axis=2)
            found[name] = found[name] or [[] for _ in range(values.shape[1])]
            for number, best in enumerate(found[name]):
                new = [(float(largest[at, number]), -index,
                        divmod(int(places[at, number]), values.shape[3]))
                       for at, (index, _) in enumerate(batch)]
                found[name][number] = heapq.nlargest(PATCHES, best + new)
        seen(len(batch))
    return {name: [[(value, -index, place) for value, index, place in best] for best in filters]
            for name, filters in found.items()}


def strongest_patches(network: Classifier, pictures: Any, layer: str, number: int,
                      seen: Callable[[int], None] = lambda count: None) -> list[Found]:
    """The PATCHES pictures in which one filter answers most, best first."""
    filters = strongest(network, planes_of(pictures), [layer], seen)[layer]
    return filters[number] if filters else []


def patches(path: Path, network: Classifier, pictures: Any, layer: str, number: int,
            found: list[Found]) -> None:
    """Write a PNG of the patches that strongest_patches found, each as large as what the filter
    sees of the picture."""
    sight = sight_of(network.model, layer)
    crop = network.model.input_shape[-1]
    edge = (network.size - crop) // 2
    with page(path, 5.4, 6.3) as paper:
        paper.heading(f"What excites filter {number} of {layer} most")
        paper.text(0.2, 0.4, f"the {len(found)} strongest of {len(pictures):,} pictures; it sees "
                   f"{times(sight.size)} pixels, grey lies outside of the picture", 8, color=QUIET)
        for place, (value, index, position) in enumerate(found):
            row, column = divmod(place, 3)
            axes = paper.axes(0.16 + 1.73 * column, 0.68 + 1.91 * row, 1.62, 1.62)
            corner = [start + step * where
                      for start, step, where in zip(sight.start, sight.step, position)]
            axes.imshow(_cut(pictures.planes(index)[:, edge : edge + crop, edge : edge + crop],
                             *corner, *sight.size))
            name = shorten(shown(pictures.classes[int(pictures.labels[index])]), 18)
            axes.set_title(f"{name}  {value:.3g}", loc="center", fontsize=8, pad=2,
                           fontweight="normal")


def _cut(planes, top, left, rows, columns):
    """(rows, columns, 3) of a picture, grey where it ends."""
    height, width = planes.shape[1:]
    padded = np.pad(planes, ((0, 0), (rows, rows), (columns, columns)), constant_values=128)
    top, left = min(max(top, -rows), height), min(max(left, -columns), width)
    return padded[:, top + rows : top + 2 * rows, left + columns : left
                  + 2 * columns].transpose(1, 2, 0)
