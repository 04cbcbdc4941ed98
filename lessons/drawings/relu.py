"""Lesson 6: three activations and their slopes, the gradient layer by layer, training error epoch
by epoch."""
import classroom
import numpy as np
from drawings.paper import AMBER, BLUE, GREY, INK, RED

COLOURS = {"sigmoid": RED, "tanh": AMBER, "relu": BLUE}


def draw(xs, table, by_layer, runs):
    """xs, table[x, activation, (value, slope)]; by_layer and runs: {activation: list}."""
    figure, axes = classroom.picture().subplots(2, 2, figsize=(12, 9))
    titles = ["The activation", "Its slope, by which everything below is multiplied", "Gradient at "
              "each of 20 layers, relative to the last", "Figure 1 in small: training error"]
    for axis, title in zip(axes.flat, titles):
        axis.set_title(title, loc="left", fontsize=12.5, weight="bold", color=INK)
        axis.grid(True, color=GREY, linewidth=0.6)
    for number, (name, colour) in enumerate(COLOURS.items()):
        axes[0, 0].plot(xs, table[:, number, 0], color=colour, linewidth=2.2, label=name)
        axes[0, 1].plot(xs, table[:, number, 1], color=colour, linewidth=2.2)
        layers = np.arange(1, len(by_layer[name]) + 1)
        axes[1, 0].semilogy(layers, by_layer[name], "o-", color=colour, markersize=4)
        epochs = np.arange(1, len(runs[name]) + 1)
        axes[1, 1].plot(epochs, 100 * np.array(runs[name]), "o-", color=colour, markersize=4)
        beside = {"sigmoid": (-30, -16), "tanh": (-50, -10), "relu": (-6, -16)}[name]
        axes[1, 1].annotate(f"{len(epochs)} epochs", (epochs[-1], 100 * runs[name][-1]),
                            xytext=beside, textcoords="offset points", color=colour, fontsize=10)
    axes[0, 0].set_ylim(-1.2, 3)
    axes[0, 0].set_xlim(-5, 5)
    axes[0, 1].set_xlim(-5, 5)
    axes[0, 0].legend(frameon=False, loc="upper left")
    axes[1, 0].set_xlabel("layer; the gradient comes from the right")
    axes[1, 0].set_xticks([1, 5, 10, 15, 20])
    axes[1, 1].axhline(25, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes[1, 1].text(axes[1, 1].get_xlim()[1], 26, "25 %", ha="right", color=INK)
    axes[1, 1].set_xlabel("epoch")
    axes[1, 1].set_xticks([1, 5, 10, 15, 20])
    axes[1, 1].set_ylabel("error, %")
    axes[1, 1].set_ylim(0, 90)
    figure.tight_layout(h_pad=2)
    return figure
