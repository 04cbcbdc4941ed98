"""Lesson 12: both networks, layer by layer: maps to scale, parameters and work as bars."""
import classroom
import numpy as np
from drawings.paper import AMBER, BLUE, GREY, INK, PALE, blank, box, heading


def draw(lenet, alexnet):
    """Two shapes.Summary objects."""
    canvas = classroom.picture()
    figure = canvas.figure(figsize=(14, 9))
    heading(figure, 0.955, "What each layer with weights puts out, to scale: "
            "the area of a box is the number of values")
    _boxes(blank(figure.add_axes((0.02, 0.53, 0.96, 0.4)), 0, 14, 0, 4), lenet, alexnet)
    heading(figure, 0.47, "Parameters and multiply-accumulates, "
            "layer by layer (each line is ten times the one before)")
    for left, summary, title in [(0.07, lenet, "LeNet-5"), (0.34, alexnet, "AlexNet")]:
        _bars(figure.add_axes((left, 0.08, 0.2 if summary is lenet else 0.63, 0.34)), summary,
              title)
    return figure


def _rows(summary):
    return [row for row in summary.rows if row.parameters]


def _boxes(axis, lenet, alexnet):
    unit = 1.9 / np.sqrt(290_400)  # side of one value
    for bottom, summary, title in [(2.9, lenet, "LeNet-5"), (0.35, alexnet, "AlexNet")]:
        axis.text(0, bottom + 0.75, title, fontsize=12, weight="bold", color=INK)
        x = 1.1
        shapes = [("picture", summary.input_shape),
                  *((row.name, row.output_shape) for row in _rows(summary))]
        for name, shape in shapes:
            side = unit * np.sqrt(np.prod(shape))
            axis.add_patch(box(x, bottom, side, side, facecolor=PALE, edgecolor=BLUE, linewidth=1))
            axis.text(x + side / 2, bottom - 0.1, name, ha="center", va="top", fontsize=9,
                      color=INK)
            count = f"{np.prod(shape):,}"
            axis.text(x + side / 2, bottom + side + 0.05, count, ha="center", va="bottom",
                      fontsize=8.5, color=INK)
            x += max(side, 0.55) + 0.35
    axis.set_aspect("equal")


def _bars(axis, summary, title):
    rows = _rows(summary)
    places = np.arange(len(rows))
    axis.bar(places - 0.2, [row.parameters for row in rows], width=0.4, color=BLUE,
             label="parameters")
    axis.bar(places + 0.2, [row.macs for row in rows], width=0.4, color=AMBER,
             label="multiply-accumulates")
    axis.set_yscale("log")
    axis.set_yticks([10.0**power for power in range(2, 9)])
    axis.set_ylim(50, 5e8)
    axis.grid(True, axis="y", color=GREY, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.set_xticks(places)
    axis.set_xticklabels([row.name for row in rows])
    totals = summary.totals
    axis.set_title(f"{title}: {totals.parameters:,} and {totals.macs:,}", fontsize=11, color=INK,
                   loc="left")
    if title == "AlexNet":
        axis.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
