"""Lesson 10: all sub-networks' outputs, two weights on their way, and the sample that would give a
masked activation."""
import classroom
import numpy as np
from drawings.paper import AMBER, BLUE, GREY, INK, PALE, RED


def draw(outputs, paths, error, inputs, activations):
    """outputs: (1024,) of all sub-networks; paths: {name: (steps, 2)}; error(w) -> (value,
    gradient); inputs, activations: as they were, and for the masked activation."""
    canvas = classroom.picture()
    figure = canvas.figure(figsize=(14, 8.5))
    grid = figure.add_gridspec(2, 2, left=0.06, right=0.98, top=0.93, bottom=0.08, hspace=0.38,
                               wspace=0.18)
    _outputs(figure.add_subplot(grid[0, 0]), outputs)
    _paths(figure.add_subplot(grid[:, 1]), paths, error)
    lower = grid[1, 0].subgridspec(1, 2, wspace=0.25)
    titles = ["3. Another input …", "… gives the masked activation"]
    for number, (values, title) in enumerate(zip((inputs, activations), titles)):
        _pair(figure.add_subplot(lower[number]), *values, title)
    return figure


def _title(axis, text):
    axis.set_title(text, loc="left", fontsize=12.5, weight="bold", color=INK)


def _outputs(axis, outputs):
    axis.hist(outputs, bins=50, color=PALE, edgecolor=BLUE, linewidth=0.5)
    axis.axvline(outputs.mean(), color=RED, linewidth=2)
    axis.text(outputs.mean(), axis.get_ylim()[1], " their mean = the whole network", color=RED,
              va="top", fontsize=10.5)
    axis.set_xlabel("output")
    axis.set_ylabel("sub-networks")
    _title(axis, "1. All 1024 sub-networks of 10 units")


def _paths(axis, paths, error):
    first, second = np.linspace(-3, 7, 120), np.linspace(-5.5, 4, 120)
    height = [[error(np.array([a, b]))[0] for a in first] for b in second]
    axis.contour(first, second, height, levels=[1, 3, 8, 16, 30, 50, 80], colors=[GREY],
                 linewidths=1.2)
    axis.plot(first, 1 - first, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axis.text(-1.2, 3.7, "w₁ + w₂ = 1:\nright when\nboth are there", color=INK, fontsize=10,
              va="top")
    for (name, path), colour in zip(paths.items(), (AMBER, BLUE)):
        axis.plot(path[:, 0], path[:, 1], "o-", color=colour, markersize=3.5, label=name)
    axis.plot([1 / 3], [1 / 3], "*", color=RED, markersize=16, label="(1/3, 1/3)")
    axis.set_aspect("equal")
    axis.set_xlim(-3, 7)
    axis.set_ylim(-5.5, 4)
    axis.set_xlabel("w₁")
    axis.set_ylabel("w₂")
    axis.legend(frameon=False, loc="lower left")
    _title(axis, "2. Two weights, from (6, −4.5): no more fighting")


def _pair(axis, before, after, title):
    places = np.arange(len(before))
    axis.bar(places - 0.2, before, width=0.4, color=PALE, edgecolor=BLUE, linewidth=0.5,
             label="as it was")
    axis.bar(places + 0.2, after, width=0.4, color=RED, label="for the mask")
    axis.axhline(0, color=INK, linewidth=0.7)
    axis.set_xticks(places)
    axis.set_xticklabels(places + 1)
    axis.legend(frameon=False, fontsize=9)
    _title(axis, title)
