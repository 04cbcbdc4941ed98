"""The figures that training leaves: curves, kernels and predictions (the paper's Figures 3 and 4).

Each takes the path of a PNG, or a files.Output, first.
"""

import math
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..data.sample import Sample
from ..device import to_numpy
from ..folders.names import shown
from ..utils.drawing import attempt
from ..utils.files import Output
from . import classifier, kernels
from .kernels import convolutions
from .plots import COLUMNS, QUIET, ROWS, TRAIN, VAL, VAL_LIGHT, Path, over_epochs, page, sheet

PER_ROW, TILE = 16, 0.6  # kernels: the paper's Figure 3 shows 96 in six rows; inches each
EARLIER = (b"Software\0Matplotlib version",)  # what older runs' pictures have instead of a mark


def of_run(folder: os.PathLike[str], experiment: Any, history: Sequence[Sequence[float]],
           complete: Sequence[bool], say: Callable[[str], None]) -> None:
    """Write curves.png, filters.png and predictions.png into a run's folder; one that fails is a
    line, the others are drawn.

    experiment: what is trained (see training.setup); history: rows of metrics.csv; complete: per
    row, did the validation see all pictures? say(text): for a picture that could not be drawn.
    Raises NotWritten on a full disk.
    """
    def picture(name: str) -> Output:  # what is there already is replaced if a run has drawn it
        return Output(os.path.join(folder, name), "run", signs=EARLIER)

    with attempt("curves.png", say):
        curves(picture("curves.png"), history, len(experiment.train.classes), complete)
    layers = convolutions(experiment.model)
    with attempt("filters.png", say):
        if layers and layers[0][1].weight.shape[1] in (1, 3):
            towers = layers[1][1].groups if len(layers) > 1 else 1
            filters(picture("filters.png"), to_numpy(layers[0][1].weight.data),
                    experiment.first_kernels, towers, layers[0][0])
    with attempt("predictions.png", say):
        predictions(picture("predictions.png"), experiment)


# ------------------------------------------------------------------------------------------- curves


def curves(path: Path, history: Sequence[Sequence[float]], num_classes: int,
           complete: Sequence[bool]) -> None:
    """Loss and accuracy over the epochs. history: rows of metrics.csv; complete: per row, did the
    validation see all pictures? Those that did are dots."""
    epochs, lr, train_loss, train_top1, val_loss, val_top1, val_top5 = (np.array(column, float)
                                                                        for column in zip(*history))
    top1 = [(train_top1, "training top-1", TRAIN), (val_top1, "validation top-1", VAL)]
    top5 = [(val_top5, "validation top-5", VAL_LIGHT)] if num_classes > 5 else []
    with page(path, 11, 4.2) as paper:
        left, right = paper.canvas.subplots(1, 2)
        paper.canvas.subplots_adjust(left=0.05, right=0.845, top=0.86, bottom=0.12, wspace=0.48)
        over_epochs(left, "loss", 18)
        _lines(left, epochs, [(train_loss, "training", TRAIN), (val_loss, "validation", VAL)],
               complete)
        _guess(left, math.log(num_classes),
               f"guessing: ln {num_classes} = {math.log(num_classes):.2f}")
        _label_ends(left, "{:.2f}", upward=True)
        _lines(right, epochs, top1 + top5, complete)
        over_epochs(right, "accuracy", 18, percent=True)
        _guess(right, 1 / num_classes, f"guessing: {1 / num_classes:.1%}")
        _label_ends(right, "{:.1%}", upward=False)
        for axes in (left, right):
            _lr_drops(axes, epochs, lr)


def _lines(axes, epochs, lines, complete):
    whole = np.array(complete, bool)
    for values, name, colour in lines:
        axes.plot(epochs, values, color=colour, linewidth=1.8, solid_capstyle="round", label=name,
                  clip_on=False, zorder=3)
        if name.startswith("validation") or len(epochs) == 1:
            dots = whole if name.startswith("validation") else slice(None)
            axes.plot(epochs[dots], values[dots], "o", color=colour, markersize=4, clip_on=False,
                      zorder=4)
    axes.set_xlim(0 if len(epochs) == 1 else epochs[0], epochs[-1])
    axes.set_ylim(bottom=0)


def _label_ends(axes, number, upward):
    """Name and last value of each line at its right end, pushed apart where ends are close."""
    lines = [line for line in axes.get_lines() if not line.get_label().startswith("_")]
    gap = 0.062 * (axes.get_ylim()[1] - axes.get_ylim()[0]) * (1 if upward else -1)
    placed = None
    for line in sorted(lines, key=lambda line: line.get_ydata()[-1], reverse=not upward):
        end = line.get_ydata()[-1]
        placed = end if placed is None else max(end, placed + gap) if upward else min(end,
                                                                                      placed + gap)
        axes.annotate(f"{line.get_label()}  {number.format(end)}", (line.get_xdata()[-1], placed),
                      xytext=(9, 0), va="center", textcoords="offset points",
                      color=line.get_color(), fontsize=8.5, annotation_clip=False)


def _guess(axes, level, words):
    """A dashed line where a network is that knows nothing."""
    axes.set_ylim(0, max(axes.get_ylim()[1], 1.1 * level))
    axes.axhline(level, color=QUIET, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1, label="_guess")
    axes.annotate(words, (0.99, level), xycoords=("axes fraction", "data"), xytext=(0, 3),
                  textcoords="offset points", ha="right", color=QUIET, fontsize=8)


def _lr_drops(axes, epochs, lr):
    for before, after, old, new in zip(epochs, epochs[1:], lr, lr[1:]):
        if new < 0.2 * old:  # a step by 10; a rate that falls in a line has none
            middle = (before + after) / 2
            axes.axvline(middle, color="#d5d9df", linewidth=0.9, zorder=0, label="_lr")
            axes.annotate(f"lr {new:g}", (middle, 1), xycoords=("data", "axes fraction"),
                          xytext=(0, 3), ha="center", textcoords="offset points", color=QUIET,
                          fontsize=7.5)


# ------------------------------------------------------------------------------------------ kernels


def filters(path: Path, weight: np.ndarray, start: np.ndarray | None = None, towers: int = 1,
            name: str = "conv1") -> None:
    """The kernels of the layer `name` as small pictures: weight (C_out, 1 or 3, KH, KW), in
    `towers` blocks.

    start: the same kernels before training. Below the kernels then stands what training has changed
    in them: where they have hardly moved, the random numbers of the beginning hide it. Above them
    stands what they have become (see kernels).
    """
    weight = np.asarray(weight, np.float32)
    count, depth, tall, wide = weight.shape
    # what all but a percent of the weights stay below
    strongest = max(float(np.percentile(np.abs(weight), 99)), 1e-12)
    parts = [(f"{name}'s {count} kernels of {tall}×{wide}×{depth}", "grey is 0; one scale for all",
              weight / strongest)]
    if start is not None and not np.array_equal(weight, start):
        change = weight - np.asarray(start, np.float32)
        each = np.abs(change).max(axis=(1, 2, 3), keepdims=True)
        parts.append(("what training has changed in them",
                      "grey is no change; each on its own scale", change / np.maximum(each, 1e-12)))
    per_row = min(PER_ROW, count // towers)
    rows = math.ceil(count // towers / per_row)
    block_height = TILE * rows + 0.35
    part_height = towers * block_height + 0.6
    with page(path, max(6.5, TILE * per_row + 0.4), len(parts) * part_height) as paper:
        for number, (title, note, pictures) in enumerate(parts):
            paper.heading(title, note, number * part_height + 0.25)
            for tower, block in enumerate(np.split(pictures, towers)):
                top = number * part_height + 0.72 + tower * block_height
                if towers > 1:
                    paper.text(0.2, top - 0.13, f"tower {tower + 1}", color=QUIET)
                axes = paper.axes(0.2, top, TILE * per_row, TILE * rows)
                axes.imshow(_mosaic(block, per_row), interpolation="nearest", aspect="auto")
        paper.text(paper.width - 0.2, 0.59, kernels.sentence(weight, start, towers), 7.5,
                   color=QUIET, ha="right")


def _mosaic(kernels, per_row):
    """(count, C, KH, KW) of numbers in -1..1 -> one picture (H, W, 3) with a white line between
    kernels."""
    tiles = (0.5 + 0.5 * kernels).clip(0, 1)
    tiles = np.broadcast_to(tiles,
                            (len(tiles), 3, *tiles.shape[2:])) if tiles.shape[1] == 1 else tiles
    tiles = np.pad(tiles, ((0, -len(tiles) % per_row), (0, 0), (0, 1), (0, 1)), constant_values=1)
    count, channels, height, width = tiles.shape
    grid = tiles.reshape(count // per_row, per_row, channels, height, width).transpose(0, 3, 1, 4,
                                                                                       2)
    return grid.reshape(count // per_row * height, per_row * width, channels)[:-1, :-1]


# -------------------------------------------------------------------------------------- predictions


def predictions(path: Path, experiment: Any) -> None:
    """Pictures from all over the validation set with the network's guesses; unreadable ones are
    passed over."""
    chosen = Sample(experiment.val, min(COLUMNS * ROWS, len(experiment.val)))
    network = classifier.of(experiment)
    entries = [(planes, shown(network.classes[chosen.labels[number]]),
                p, int(chosen.labels[number]))
               for number, planes, p in classifier.judge(network, classifier.planes_of(chosen))]
    if entries:
        sheet(path, "Validation pictures and the network's guesses",
              "the five most probable classes; red: the right one", entries, network.classes)
