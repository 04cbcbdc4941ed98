"""Pictures of what a network says: predictions (the paper's Figure 4) and the confusion matrix; how all figures look.

Each takes the path of a PNG, or a files.Output, first.
"""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from ..data.names import shown
from ..utils import drawing
from ..utils.table import shorten
from .metrics import Scores, best

Path = str | os.PathLike[str]
Entry = tuple[np.ndarray, str, np.ndarray, int | None]  # planes, name, probabilities, number of the right class

TRAIN, VAL, VAL_LIGHT, QUIET = "#33658a", "#c8553d", "#e39a8a", "#8a8f98"
RIGHT, OTHER = "#ee8d78", "#a9c0d3"  # bars, light enough for dark letters on them
INK, RULE = "#24262b", "#eceef1"
LOOK = {
    "axes.edgecolor": "#b8bcc4",
    "axes.labelcolor": "#3a3d44",
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.facecolor": "white",
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a class may be named "$5"
    "xtick.color": "#6a6f78",
    "ytick.color": "#6a6f78",
}
COLUMNS, ROWS = 4, 2  # predictions
MOST_NAMES, MOST_NUMBERS = 60, 30  # classes in a confusion matrix with room for their names, for numbers in the cells


def figure(path: Path, width: float, height: float) -> AbstractContextManager[Any]:
    """Yield an empty matplotlib figure, width x height inches, and write it to `path` at the end."""
    return drawing.figure(path, width, height, LOOK)


# ------------------------------------------------------------------------------------------------ predictions


def sheet(path: Path, title: str, note: str, entries: Sequence[Entry], classes: Sequence[str]) -> None:
    """Pictures above their bars."""
    columns = min(COLUMNS, len(entries))
    rows = -(-len(entries) // columns)
    heading = 0.35 if title else 0
    height, width = heading + 3.7 * rows, max(0.2 + 2.45 * columns, 5.2)
    with figure(path, width, height) as canvas:
        line = 1 - 0.2 / height
        canvas.text(0.2 / width, line, title, fontsize=11, fontweight="bold", va="center")
        canvas.text(1 - 0.2 / width, line, note if columns > 2 else "", fontsize=8.5, color=QUIET, va="center", ha="right")
        for number, (planes, name, p, label) in enumerate(entries):
            row, column = divmod(number, columns)
            left, top, wide = (0.2 + 2.433 * column) / width, height - 0.35 - heading - 3.7 * row, 2.3 / width
            _picture(canvas.add_axes([left, (top - 2.3) / height, wide, 2.3 / height]), planes, name)
            _bars(canvas.add_axes([left, (top - 3.25) / height, wide, 0.9 / height]), p, label, classes)


def beside(path: Path, entries: Sequence[Entry], classes: Sequence[str]) -> None:
    """Each picture on the left and its bars on its right."""
    height = 2.75 * len(entries) + 0.05
    with figure(path, 7.4, height) as canvas:
        for number, (planes, name, p, label) in enumerate(entries):
            top = height - 0.35 - 2.75 * number
            _picture(canvas.add_axes([0.2 / 7.4, (top - 2.3) / height, 2.3 / 7.4, 2.3 / height]), planes, name)
            _bars(canvas.add_axes([2.75 / 7.4, (top - 1.95) / height, 4.4 / 7.4, 1.6 / height]), p, label, classes)


def _picture(axes, planes, name):
    axes.imshow(planes.transpose(1, 2, 0), interpolation="antialiased")
    axes.set_title(shorten(name, 30), loc="center", fontsize=9.5, pad=4)
    axes.axis("off")


def _bars(axes, p, label, classes):
    top = best(p)
    axes.barh(range(len(top)), p[top], height=0.82, color=[RIGHT if index == label else OTHER for index in top])
    axes.barh(range(len(top)), 1, height=0.82, color="#f3f4f6", zorder=0)
    for place, index in enumerate(top):
        axes.text(0.015, place, shorten(shown(classes[index]), 24), va="center", fontsize=8,
                  fontweight="bold" if index == label else "normal")
        axes.text(0.985, place, f"{p[index]:.0%}", va="center", ha="right", fontsize=8)
    axes.set_xlim(0, 1)
    axes.set_ylim(4.5, -0.5)
    axes.axis("off")


# ------------------------------------------------------------------------------------------------ confusion matrix


def confusion(path: Path, scores: Scores) -> None:
    """A row for each class, and in it what the network calls its pictures: blue is right, red a mistake."""
    counts = scores.confusion()
    parts = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    right, wrong, white = np.array([51, 101, 138]) / 255, np.array([200, 85, 61]) / 255, np.ones(3)
    colour = np.where(np.eye(len(parts), dtype=bool)[..., None], right, wrong)
    side = min(max(4.5, 0.36 * len(parts)), 16)
    with figure(path, side + 2.6, side + 2.2) as canvas:
        left, bottom = 2.2 / (side + 2.6), 1.5 / (side + 2.2)
        axes = canvas.add_axes([left, bottom, side / (side + 2.6), side / (side + 2.2)])
        axes.imshow(white + (colour - white) * parts[..., None] ** 0.7, interpolation="nearest", aspect="auto")
        axes.set_title(f"{scores.top(1):.1%} of {len(scores.labels):,} pictures recognised", pad=10)
        axes.set_xlabel("called")
        axes.set_ylabel("is")
        for spine in axes.spines.values():
            spine.set_visible(False)
        _names(axes, [shorten(shown(name), 18) for name in scores.classes])
        for row, column in zip(*counts.nonzero()) if len(parts) <= MOST_NUMBERS else ():
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=7.5,
                      color="white" if parts[row, column] > 0.45 else INK)


def _names(axes, names):
    if len(names) > MOST_NAMES:
        axes.set_xticks([])
        axes.set_yticks([])
        return
    axes.tick_params(length=0, labelsize=8 if len(names) <= 30 else 6)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.set_xticks(np.arange(len(names) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color=RULE, linewidth=0.6)
    axes.tick_params(which="minor", length=0)
