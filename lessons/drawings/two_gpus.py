"""Lesson 18: two towers and their crossings, as wide as what crosses; and both processes' gradients
over one process's."""
import numpy as np
from drawings.paper import BLUE, GREY, INK, PALE, RED, arrow, blank, box, heading, sheet

LAYERS = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"]
HALVES = [48, 128, 192, 192, 128, 2048, 2048, 500]  # maps or neurons on each GPU


def draw(sent, whole, sides):
    """sent: {layer: floats per picture and direction}; whole: the network in one process; sides:
    what each process wrote."""
    figure = sheet(12, 6.2)
    heading(figure, 0.94, "Where the towers talk")
    heading(figure, 0.94, "Gradients: two against one", left=0.66)
    _towers(blank(figure.add_axes((0.02, 0.05, 0.6, 0.82)), -0.4, 9.2, -2.6, 2.6), sent)
    axis = figure.add_axes((0.72, 0.14, 0.26, 0.7))
    for rank, colour in enumerate((BLUE, RED)):
        for name, parameter in whole.named_parameters():
            half = parameter.grad[: len(parameter.grad)
                                  // 2] if rank == 0 else parameter.grad[len(parameter.grad) // 2 :]
            pick = np.linspace(0, half.size - 1, min(half.size, 60)).astype(int)
            label = f"process {rank}" if name == "conv1.weight" else None
            axis.plot(half.ravel()[pick], sides[rank][name].ravel()[pick], ".", color=colour,
                      markersize=3, label=label)
    axis.set_xscale("symlog", linthresh=1e-4)
    axis.set_yscale("symlog", linthresh=1e-4)
    ticks = [-0.1, -0.001, 0, 0.001, 0.1]
    axis.set_xticks(ticks, ticks)
    axis.set_yticks(ticks, ticks)
    axis.set_xlabel("computed by one process, groups=2")
    axis.set_ylabel("computed by the two")
    axis.legend(frameon=False, markerscale=3)
    return figure


def _towers(axis, sent):
    for rank, (height, colour) in enumerate(((1.2, BLUE), (-1.2, RED))):
        axis.text(-0.3, height + 0.85, f"GPU {rank + 1}", color=colour, fontsize=11, weight="bold")
        for place, (name, half) in enumerate(zip(LAYERS, HALVES)):
            face = PALE if rank == 0 else "#f4ced4"
            axis.add_patch(box(place * 1.15, height - 0.5, 0.62, 1.0, facecolor=face,
                               edgecolor=colour))
            axis.text(place * 1.15 + 0.31, height + 0.08, name, ha="center", va="center",
                      fontsize=8.5, color=INK)
            axis.text(place * 1.15 + 0.31, height - 0.22, half, ha="center", va="center",
                      fontsize=8.5, color=INK)
            if place:
                arrow(axis, (place * 1.15 - 0.5, height), (place * 1.15, height))
    for name, count in sent.items():
        place = LAYERS.index(name) * 1.15 if name in LAYERS else 8 * 1.15
        width = 0.6 + 5 * count / max(sent.values())
        for start, end in ((0.68, -0.68), (-0.68, 0.68)):
            axis.plot([place - 0.5, place - 0.03], [start, end], color=GREY, linewidth=width,
                      zorder=0)
        axis.text(place - 0.26, -0.92, f"{count:,}", ha="center", fontsize=8, color=INK)
    axis.text(4.2, -2.35, "in the boxes: maps or neurons; grey: floats that each GPU sends per "
              "picture, and again backward", ha="center", fontsize=9, color=INK)
