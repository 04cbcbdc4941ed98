"""Pictures of what a network says: predictions (the paper's Figure 4) and the confusion matrix; how
all figures look.

Each takes the path of a PNG, or a files.Output, first.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..folders.names import shown
from ..utils import drawing
from ..utils.table import shorten
from .metrics import Scores, best

Path = str | os.PathLike[str]
# planes, name, probabilities, number of the right class
Entry = tuple[np.ndarray, str, np.ndarray, int | None]

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
# classes in a confusion matrix with room for their names, for numbers in the cells
MOST_NAMES, MOST_NUMBERS = 60, 30


@dataclass
class Page:
    """A matplotlib figure whose places are inches from its upper left corner."""

    canvas: Any
    width: float
    height: float

    def text(self, left: float, top: float, words: str, size: float = 8.5, **look: Any) -> None:
        """Write words."""
        self.canvas.text(left / self.width, 1 - top / self.height, words, fontsize=size,
                         **{"va": "center"} | look)

    def heading(self, title: str, note: str = "", top: float = 0.2) -> None:
        """A title on the left, and in small letters on the right what must be known to read what is
        below."""
        self.text(0.2, top, title, 11, fontweight="bold")
        self.text(self.width - 0.2, top, note, color=QUIET, ha="right")

    def axes(self, left: float, top: float, width: float, height: float) -> Any:
        """Matplotlib's axes of this size, without frame and ticks."""
        axes = self.canvas.add_axes([left / self.width, 1 - (top + height) / self.height,
                                     width / self.width, height / self.height])
        axes.axis("off")
        return axes


@contextmanager
def page(path: Path, width: float, height: float) -> Iterator[Page]:
    """Yield an empty Page, and write it to `path` at the end."""
    with drawing.figure(path, width, height, LOOK) as canvas:
        yield Page(canvas, width, height)


def over_epochs(axes: Any, title: str, pad: int, percent: bool = False) -> None:
    """Give axes what every picture of a run's epochs has. pad: points between the title and what is
    below."""
    axes.set_title(title, pad=pad)
    axes.set_xlabel("epoch")
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if percent:
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")


# -------------------------------------------------------------------------------------- predictions


def sheet(path: Path, title: str, note: str, entries: Sequence[Entry],
          classes: Sequence[str]) -> None:
    """Pictures above their bars."""
    columns, heading = min(COLUMNS, len(entries)), 0.35 if title else 0
    rows = -(-len(entries) // columns)
    with page(path, max(0.2 + 2.45 * columns, 5.2), heading + 3.7 * rows) as paper:
        paper.heading(title, note if columns > 2 else "")
        for number, (planes, name, p, label) in enumerate(entries):
            row, column = divmod(number, columns)
            left, top = 0.2 + 2.433 * column, heading + 0.35 + 3.7 * row
            _picture(paper.axes(left, top, 2.3, 2.3), planes, name)
            _bars(paper.axes(left, top + 2.35, 2.3, 0.9), p, label, classes)


def beside(path: Path, entries: Sequence[Entry], classes: Sequence[str]) -> None:
    """Each picture on the left and its bars on its right."""
    with page(path, 7.4, 2.75 * len(entries) + 0.05) as paper:
        for number, (planes, name, p, label) in enumerate(entries):
            top = 0.35 + 2.75 * number
            _picture(paper.axes(0.2, top, 2.3, 2.3), planes, name)
            _bars(paper.axes(2.75, top + 0.35, 4.4, 1.6), p, label, classes)


def _picture(axes, planes, name):
    axes.imshow(planes.transpose(1, 2, 0), interpolation="antialiased")
    axes.set_title(shorten(name, 30), loc="center", fontsize=9.5, pad=4)


def _bars(axes, p, label, classes):
    top = best(p)
    axes.barh(range(len(top)), p[top], height=0.82,
              color=[RIGHT if index == label else OTHER for index in top])
    axes.barh(range(len(top)), 1, height=0.82, color="#f3f4f6", zorder=0)
    for place, index in enumerate(top):
        axes.text(0.015, place, shorten(shown(classes[index]), 24), va="center", fontsize=8,
                  fontweight="bold" if index == label else "normal")
        axes.text(0.985, place, f"{p[index]:.0%}", va="center", ha="right", fontsize=8)
    axes.set_xlim(0, 1)
    axes.set_ylim(4.5, -0.5)


# --------------------------------------------------------------------------------- confusion matrix


def confusion(path: Path, scores: Scores) -> None:
    """A row for each class, and in it what the network calls its pictures: blue is right, red a
    mistake."""
    counts = scores.confusion()
    parts = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    right, wrong, white = np.array([51, 101, 138]) / 255, np.array([200, 85, 61]) / 255, np.ones(3)
    colour = np.where(np.eye(len(parts), dtype=bool)[..., None], right, wrong)
    side = min(max(4.5, 0.36 * len(parts)), 16)
    with page(path, side + 2.6, side + 2.2) as paper:
        axes = paper.axes(2.2, 0.7, side, side)
        axes.axis("on")
        axes.imshow(white + (colour - white) * parts[..., None] ** 0.7, interpolation="nearest",
                    aspect="auto")
        axes.set_title(f"{scores.top(1):.1%} of {len(scores.labels):,} pictures recognised", pad=10)
        axes.set_xlabel("called")
        axes.set_ylabel("is")
        axes.spines[:].set_visible(False)
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
