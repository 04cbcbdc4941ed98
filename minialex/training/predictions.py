"""Validation pictures with the network's five best guesses (the paper's Figure 4)."""

import numpy as np

from .. import backend
from .. import functional as F
from ..data import UnreadablePicture
from ..tensor import Tensor, no_grad
from . import style
from .experiment import Sample, spread, validation_loader

COLUMNS, ROWS = 4, 2


def probabilities(experiment, pictures):
    """softmax of the network's outputs for pictures, float32 (N, classes), on the CPU."""
    experiment.model.eval()
    device = experiment.model.parameters()[0].device
    with no_grad():
        parts = [backend.to_numpy(F.softmax(experiment.model(Tensor(backend.to_device(images, device)))).data)
                 for images, _ in validation_loader(experiment, pictures)]
    return np.concatenate(parts)


def readable(pictures, count):
    """Up to `count` pictures from all over a set, as a Sample of it: unreadable ones are passed over."""
    chosen = []
    for index in spread(min(count, len(pictures)), len(pictures)):
        try:
            pictures.planes(int(index))
            chosen.append(index)
        except UnreadablePicture:
            continue
    return Sample(pictures, np.array(chosen, dtype=int))


def predictions(path, experiment):
    """Write the PNG: each picture, its class, and bars for the five most probable classes, the right one in red."""
    sample = readable(experiment.val, COLUMNS * ROWS)
    if not len(sample):
        return
    classes = experiment.train.classes
    rows = -(-len(sample) // COLUMNS)
    height = 0.35 + 3.7 * rows
    with style.figure(path, 10, height) as drawing:
        line = 1 - 0.2 / height
        drawing.text(0.02, line, "Validation pictures and the network's guesses", fontsize=11, fontweight="bold", va="center")
        drawing.text(0.98, line, "the five most probable classes; red: the right one", fontsize=8.5, color=style.QUIET,
                     va="center", ha="right")
        for number, p in enumerate(probabilities(experiment, sample)):
            row, column = divmod(number, COLUMNS)
            left, top, width = 0.02 + 0.2433 * column, height - 0.7 - 3.7 * row, 0.23
            label = int(sample.labels[number])
            _picture(drawing.add_axes([left, (top - 2.3) / height, width, 2.3 / height]), sample.planes(number), classes[label])
            _bars(drawing.add_axes([left, (top - 3.25) / height, width, 0.9 / height]), p, label, classes)


def _picture(axes, planes, name):
    axes.imshow(planes.transpose(1, 2, 0), interpolation="antialiased")
    axes.set_title(style.shorten(name, 30), loc="center", fontsize=9.5, pad=4)
    axes.axis("off")


def _bars(axes, p, label, classes):
    best = np.argsort(-p, kind="stable")[:5]
    colours = [style.RIGHT if index == label else style.OTHER for index in best]
    axes.barh(range(len(best)), p[best], height=0.82, color=colours)
    axes.barh(range(len(best)), 1, height=0.82, color="#f3f4f6", zorder=0)
    for place, index in enumerate(best):
        axes.text(0.015, place, style.shorten(classes[index], 24), va="center", fontsize=8,
                  fontweight="bold" if index == label else "normal")
        axes.text(0.985, place, f"{p[index]:.0%}", va="center", ha="right", fontsize=8)
    axes.set_xlim(0, 1)
    axes.set_ylim(4.5, -0.5)
    axes.axis("off")
