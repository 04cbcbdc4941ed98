"""What a network's filters answer to: feature maps of one picture, and the training patches that excite a filter most."""

import heapq
import re

import numpy as np

from .. import nn
from ..data.names import shown
from ..device import to_device, to_numpy
from ..errors import UserError
from ..tensor import Tensor, no_grad
from .plots import QUIET, figure, shorten

MAPS = 16  # feature maps shown of each layer, the strongest first
PATCHES = 9
BATCH = 32


def activations(model, crops, last=None):
    """{layer: (N, C, H, W)} on the CPU, what each layer up to `last` makes of crops; all with maps when None."""
    found, x = {}, Tensor(to_device(crops, model.parameters()[0].device))
    with no_grad():
        for name, layer in model.named_children():
            x = layer(x)
            if x.ndim != 4:
                break
            found[name] = x.data
            if name == last:
                break
    return found


def maps(path, network, planes):
    """Write a PNG: the picture's crop, and of each convolution, after its ReLU, the maps that answer most."""
    crops = network.crops(planes)
    found = activations(network.model, crops)
    rows = [name for name in found if re.fullmatch(r"(relu|tanh)\d", name)]
    width, height = 0.3 + 1.7 + 0.62 * MAPS, 0.75 + 0.95 * len(rows)
    with figure(path, width, height) as canvas:
        canvas.text(0.2 / width, 1 - 0.25 / height, "Feature maps", fontsize=11, fontweight="bold", va="center")
        canvas.text(1 - 0.2 / width, 1 - 0.25 / height, f"the {MAPS} maps of each layer that answer most; the number is the "
                     "filter's, bright is a strong answer", fontsize=8.5, color=QUIET, va="center", ha="right")
        for row, name in enumerate(rows):
            bottom = height - 0.55 - 0.95 * (row + 1) + 0.2
            values = to_numpy(found[name])[0]
            canvas.text(0.2 / width, (bottom + 0.3) / height, f"conv{name[4:]}", fontsize=9.5, fontweight="bold", va="center")
            canvas.text(0.75 / width, (bottom + 0.3) / height, "×".join(map(str, values.shape)), fontsize=8, color=QUIET,
                         va="center")
            strongest = np.argsort(-np.abs(values).mean(axis=(1, 2)), kind="stable")[:MAPS]
            for column, number in enumerate(strongest):
                axes = canvas.add_axes([(1.8 + 0.62 * column) / width, bottom / height, 0.58 / width, 0.58 / height])
                axes.imshow(values[number], cmap="inferno", interpolation="nearest")
                axes.set_title(str(number), loc="center", fontsize=6.5, pad=1.5, color=QUIET, fontweight="normal")
                axes.axis("off")


def parse_filter(model, text):
    """(layer, filter) for "conv3:17", or "17" for the last convolution. Raises UserError."""
    layers = {name: layer for name, layer in model.named_children() if isinstance(layer, nn.Conv2d)}
    name, _, number = text.rpartition(":")
    name = name or list(layers)[-1]
    if name not in layers or not number.isdecimal() or int(number) >= layers[name].out_channels:
        known = ", ".join(f"{name}:0 to {name}:{layer.out_channels - 1}" for name, layer in layers.items())
        raise UserError(f"--patches {text} names no filter of this network: choose one of {known}.")
    return name, int(number)


def receptive_field(model, last):
    """(pixels a side, pixels between neighbours, first pixel) of what one value after layer `last` sees.

    With each layer of kernel k, stride s, padding p:  start − p·step,  size + (k − 1)·step,  step·s.
    """
    size, step, start = 1, 1, 0
    for name, layer in model.named_children():
        if isinstance(layer, nn.ZeroPad2d):
            start -= layer.left * step
        if hasattr(layer, "kernel_size"):
            start -= layer.padding[0] * step
            size += (layer.kernel_size[0] - 1) * step
            step *= layer.stride[0]
        if name == last:
            return size, step, start
    raise KeyError(last)


def strongest_patches(network, pictures, layer, number, seen=lambda count: None):
    """The PATCHES pictures in which a filter answers most: (value, picture number, (row, column) of the answer), best first."""
    best = []
    for indices, crops in _batches(network, pictures):
        answers = to_numpy(activations(network.model, crops, layer)[layer][:, number])
        for index, answer in zip(indices, answers):
            place = np.unravel_index(answer.argmax(), answer.shape)
            heapq.heappush(best, (float(answer[place]), -index, tuple(map(int, place))))
        best = heapq.nlargest(PATCHES, best)[::-1]  # from the smallest up: a heap again
        seen(len(indices))
    return [(value, -index, place) for value, index, place in sorted(best, reverse=True)]


def _batches(network, pictures):
    """(numbers, crops) of the pictures that can be read, some at a time; what is wrong with the others is said when read."""
    kept = []
    for index in range(len(pictures)):
        try:
            kept.append((index, network.crops(pictures.planes(index))))
        except UserError:
            pass
        if kept and (len(kept) == BATCH or index == len(pictures) - 1):
            indices, crops = zip(*kept)
            yield indices, np.concatenate(crops)
            kept = []


def patches(path, network, pictures, layer, number, found):
    """Write a PNG of the patches that strongest_patches found, each as large as what the filter sees of the picture."""
    size, step, start = receptive_field(network.model, layer)
    crop = network.model.input_shape[-1]
    edge = (network.size - crop) // 2
    with figure(path, 5.4, 6.3) as canvas:
        canvas.text(0.03, 0.97, f"What excites filter {number} of {layer} most", fontsize=11, fontweight="bold", va="center")
        canvas.text(0.03, 0.938, f"the {len(found)} strongest of {len(pictures):,} pictures; it sees {size}×{size} pixels, "
                     "grey lies outside of the picture", fontsize=8, color=QUIET, va="center")
        for place, (value, index, position) in enumerate(found):
            row, column = divmod(place, 3)
            axes = canvas.add_axes([0.03 + 0.32 * column, 0.645 - 0.305 * row, 0.3, 0.3 * 5.4 / 6.3])
            top, left = (start + step * where for where in position)
            axes.imshow(_cut(pictures.planes(index)[:, edge : edge + crop, edge : edge + crop], top, left, size))
            name = shorten(shown(pictures.classes[int(pictures.labels[index])]), 18)
            axes.set_title(f"{name}  {value:.3g}", loc="center", fontsize=8, pad=2, fontweight="normal")
            axes.axis("off")


def _cut(planes, top, left, size):
    """(size, size, 3) of a picture, grey where it ends."""
    out = np.full((size, size, 3), 128, dtype=np.uint8)
    height, width = planes.shape[1:]
    rows, columns = slice(max(top, 0), min(top + size, height)), slice(max(left, 0), min(left + size, width))
    target = out[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    target[...] = planes[:, rows, columns].transpose(1, 2, 0)
    return out
