"""The confusion matrix as a picture: a row for each class, and in it what the network calls its pictures."""

import numpy as np

from ..data.names import shown
from . import style

MOST_NAMES = 60  # more classes have no room for their names
MOST_NUMBERS = 30  # nor more than this for numbers in the cells


def draw(path, scores):
    """Write the PNG for Scores."""
    counts = scores.confusion()
    total = counts.sum(axis=1, keepdims=True)
    parts = counts / np.maximum(total, 1)
    count = len(scores.classes)
    side = min(max(4.5, 0.36 * count), 16)
    with style.figure(path, side + 2.6, side + 2.2) as drawing:
        left, bottom = 2.2 / (side + 2.6), 1.5 / (side + 2.2)
        axes = drawing.add_axes([left, bottom, side / (side + 2.6), side / (side + 2.2)])
        axes.imshow(_colours(parts), interpolation="nearest", aspect="auto")
        axes.set_title(f"{scores.top(1):.1%} of {len(scores.labels):,} pictures recognised", pad=10)
        axes.set_xlabel("called")
        axes.set_ylabel("is")
        for spine in axes.spines.values():
            spine.set_visible(False)
        _names(axes, [style.shorten(shown(name), 18) for name in scores.classes])
        if count <= MOST_NUMBERS:
            _numbers(axes, counts, parts)


def _colours(parts):
    """(K, K, 3): the diagonal blue, mistakes red, both the stronger the more of the class's pictures they are."""
    right, wrong, white = np.array([51, 101, 138]) / 255, np.array([200, 85, 61]) / 255, np.ones(3)
    strength = parts[..., None] ** 0.7
    colour = np.where(np.eye(len(parts), dtype=bool)[..., None], right, wrong)
    return white + (colour - white) * strength


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
    axes.grid(which="minor", color="#eceef1", linewidth=0.6)
    axes.tick_params(which="minor", length=0)


def _numbers(axes, counts, parts):
    for row, column in zip(*counts.nonzero()):
        colour = "white" if parts[row, column] > 0.45 else "#24262b"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=7.5, color=colour)
