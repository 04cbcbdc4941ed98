"""Lesson 17: a race to 25 %, conv1's kernels and what changed in them, and the curves of a real
run."""
from math import log

import numpy as np
from drawings.paper import BLUE, GREY, INK, RED, heading, sheet

COLOURS = {"relu": BLUE, "tanh": RED}


def draw(curves, before, change, run):
    """curves: {activation: (errors, ...)}; before, change: conv1's kernels (16, 3, 5, 5); run: rows
    of metrics.csv."""
    figure = sheet(12, 7.4)
    heading(figure, 0.95, "Epochs to 25 % training error, live")
    heading(figure, 0.95, "AlexNet on 20 classes of photographs", left=0.5)
    left = figure.add_axes((0.055, 0.5, 0.38, 0.38))
    left.axhline(25, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    for name, (errors, *_) in curves.items():
        left.plot(range(1, len(errors) + 1), errors, "o-", color=COLOURS[name], markersize=4,
                  label=name)
    left.set_ylim(0, 90)
    left.set_xlabel("epoch")
    left.set_ylabel("training error, %")
    left.legend(frameon=False)
    right = figure.add_axes((0.54, 0.5, 0.44, 0.38))
    epochs = [row["epoch"] for row in run]
    for key, colour, label in (("train_loss", BLUE, "training"), ("val_loss", RED, "validation")):
        right.plot(epochs, [row[key] for row in run], "o-", color=colour, markersize=3, label=label)
    right.axhline(log(20), color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    right.text(20, log(20) - 0.06, "guessing: ln 20", ha="right", va="top", fontsize=9, color=INK)
    falls = [row["epoch"] for row in run if row["lr"] < run[0]["lr"]]
    right.axvspan(falls[0] - 0.5, epochs[-1] + 0.5, color=GREY, alpha=0.5, linewidth=0)
    right.text(falls[0], 0.08, "the learning rate falls", fontsize=9, color=INK)
    right.set_ylim(0, 3.3)
    right.set_xticks(epochs[1::2], [f"{epoch:.0f}" for epoch in epochs[1::2]])
    right.set_xlabel("epoch")
    right.set_ylabel("loss")
    right.legend(frameon=False, loc="center left")
    heading(figure, 0.36, "conv1's sixteen kernels: as drawn at random; below, "
            "what training has changed")
    for row, kernels in enumerate((before, change)):
        for place, kernel in enumerate(kernels):
            axis = figure.add_axes((0.02 + 0.0605 * place, 0.185 - 0.155 * row, 0.055, 0.14))
            shown = kernel.transpose(1, 2, 0) / np.abs(kernel).max()
            axis.imshow(0.5 + 0.5 * shown)
            axis.set_axis_off()
    return figure
