"""Pictures with the network's five best guesses (the paper's Figure 4)."""

import csv
import sys
from contextlib import contextmanager, nullcontext

import numpy as np

from .. import functional as F
from ..data import UnreadablePicture
from ..data.names import shown
from ..data.pictures import printable
from ..device import to_device, to_numpy
from ..tensor import Tensor, no_grad
from ..utils.files import Output, replacing
from . import style
from .experiment import Sample, spread, validation_loader

COLUMNS, ROWS = 4, 2


def probabilities(experiment, pictures):
    """softmax of the network's outputs for pictures, float32 (N, classes), on the CPU."""
    experiment.model.eval()
    device = experiment.model.parameters()[0].device
    with no_grad():
        parts = [to_numpy(F.softmax(experiment.model(Tensor(to_device(images, device)))).data)
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
    entries = [(sample.planes(number), shown(classes[int(label)]), p, int(label))
               for number, (label, p) in enumerate(zip(sample.labels, probabilities(experiment, sample)))]
    sheet(path, "Validation pictures and the network's guesses", "the five most probable classes; red: the right one",
          entries, classes)


def sheet(path, title, note, entries, classes):
    """Write a PNG of pictures above their bars. entries: (planes, name, probabilities, class number or None) of each."""
    columns = min(COLUMNS, len(entries))
    rows = -(-len(entries) // columns)
    heading = 0.35 if title else 0
    height, width = heading + 3.7 * rows, max(0.2 + 2.45 * columns, 5.2)
    with style.figure(path, width, height) as drawing:
        line = 1 - 0.2 / height
        drawing.text(0.2 / width, line, title, fontsize=11, fontweight="bold", va="center")
        drawing.text(1 - 0.2 / width, line, note if columns > 2 else "", fontsize=8.5, color=style.QUIET, va="center", ha="right")
        for number, (planes, name, p, label) in enumerate(entries):
            row, column = divmod(number, columns)
            left, top, wide = (0.2 + 2.433 * column) / width, height - 0.35 - heading - 3.7 * row, 2.3 / width
            _picture(drawing.add_axes([left, (top - 2.3) / height, wide, 2.3 / height]), planes, name)
            _bars(drawing.add_axes([left, (top - 3.25) / height, wide, 0.9 / height]), p, label, classes)


def beside(path, entries, classes):
    """Write a PNG with each picture on the left and its bars on its right. entries as for `sheet`."""
    height = 2.75 * len(entries) + 0.05
    with style.figure(path, 7.4, height) as drawing:
        for number, (planes, name, p, label) in enumerate(entries):
            top = height - 0.35 - 2.75 * number
            _picture(drawing.add_axes([0.2 / 7.4, (top - 2.3) / height, 2.3 / 7.4, 2.3 / height]), planes, name)
            _bars(drawing.add_axes([2.75 / 7.4, (top - 1.95) / height, 4.4 / 7.4, 1.6 / height]), p, label, classes)


def output(path, first, force=False):
    """Where a table with these first columns goes: an Output, or "-" for the screen. Raises UserError when it cannot go there."""
    if path == "-":
        return path
    place = Output(path, "predictions", force=force, signs=[f"{','.join(first)},class_1,probability_1".encode()])
    place.check()
    return place


@contextmanager
def table(place, first, classes):
    """Write a CSV file to an `output`: yields a function of (the first columns' values, probabilities, classes)."""
    count = min(5, len(classes))
    heads = [name for number in range(1, count + 1) for name in (f"class_{number}", f"probability_{number}")]
    named = any(shown(name) != name for name in classes)
    heads += [f"name_{number}" for number in range(1, count + 1) if named]
    with nullcontext(sys.stdout) if place == "-" else replacing(place, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*first, *heads])

        def row(values, p, classes):
            writer.writerow([*map(printable, map(str, values)),
                             *(cell for n in best(p, count) for cell in (classes[n], f"{p[n]:.6f}")),
                             *(shown(classes[n]) for n in best(p, count) if named)])

        yield row


def best(p, count=5):
    """The numbers of the most probable classes, the lower number first among equals."""
    return np.argsort(-p, kind="stable")[:count]


def _picture(axes, planes, name):
    axes.imshow(planes.transpose(1, 2, 0), interpolation="antialiased")
    axes.set_title(style.shorten(name, 30), loc="center", fontsize=9.5, pad=4)
    axes.axis("off")


def _bars(axes, p, label, classes):
    top = best(p)
    colours = [style.RIGHT if index == label else style.OTHER for index in top]
    axes.barh(range(len(top)), p[top], height=0.82, color=colours)
    axes.barh(range(len(top)), 1, height=0.82, color="#f3f4f6", zorder=0)
    for place, index in enumerate(top):
        axes.text(0.015, place, style.shorten(shown(classes[index]), 24), va="center", fontsize=8,
                  fontweight="bold" if index == label else "normal")
        axes.text(0.985, place, f"{p[index]:.0%}", va="center", ha="right", fontsize=8)
    axes.set_xlim(0, 1)
    axes.set_ylim(4.5, -0.5)
    axes.axis("off")
