"""Lesson 16: where training looks, where testing looks, and one picture in other colours."""
import numpy as np
from drawings.paper import AMBER, BLUE, GREY, INK, RED, box, heading, sheet


def draw(picture, additions, in_bytes):
    """picture: (256, 256, 3) in 0..1; additions: colours to add; in_bytes: the addition where pixels are 0..255."""
    figure = sheet(12, 7.4)
    heading(figure, 0.95, "Training: 33·33 places, twice")
    heading(figure, 0.95, "Testing: ten views", left=0.5)
    _seen(figure, figure.add_axes((0.02, 0.44, 0.36, 0.47)))
    _ten(figure.add_axes((0.52, 0.44, 0.36, 0.47)), picture)
    heading(figure, 0.36, "Colours along the principal components, ten times the paper's; far right: with pixels in 0..255")
    for place, colour in enumerate([np.zeros(3), *additions, np.full(3, in_bytes / 255)]):
        axis = figure.add_axes((0.02 + 0.138 * place, 0.04, 0.128, 0.27))
        axis.imshow((picture + colour).clip(0, 1))
        axis.set_xticks([])
        axis.set_yticks([])
        axis.spines[:].set(visible=True, color=GREY)
        label = "as it is" if place == 0 else "(" + ", ".join(f"{255 * c:+.0f}" for c in colour) + ")"
        axis.set_title(label, fontsize=8.5, color=INK, pad=3)
    return figure


def _seen(figure, axis):
    """How many of the 33·33 crops hold each pixel."""
    holds = np.minimum(np.minimum(np.arange(256) + 1, 256 - np.arange(256)), 33)
    shown = axis.imshow(np.outer(holds, holds), cmap="Blues", vmin=0)
    axis.set_xticks([0, 32, 223, 255])
    axis.set_yticks([0, 32, 223, 255])
    axis.add_patch(box(0, 0, 223, 223, fill=False, edgecolor=BLUE, linewidth=1.5))
    axis.add_patch(box(32, 32, 223, 223, fill=False, edgecolor=AMBER, linewidth=1.5))
    axis.text(8, 12, "first", color=BLUE, fontsize=9, va="top")
    axis.text(248, 244, "last", color=AMBER, fontsize=9, ha="right", va="bottom")
    bar = figure.colorbar(shown, ax=axis, ticks=[1, 1089], fraction=0.046)
    bar.set_label("crops that hold the pixel", labelpad=-12)


def _ten(axis, picture):
    axis.imshow(picture, alpha=0.45)
    colours = [BLUE, BLUE, BLUE, BLUE, RED]
    for number, ((row, column), colour) in enumerate(zip([(0, 0), (0, 32), (32, 0), (32, 32), (16, 16)], colours)):
        axis.add_patch(box(column + 1, row + 1, 221, 221, fill=False, edgecolor=colour, linewidth=1.6))
        x, y = column + (10 if column < 20 else 214), row + (10 if row < 20 else 214)
        axis.text(x, y, f"{number} and {number + 5}", color=colour, fontsize=10, weight="bold", va="center",
                  ha="left" if column < 20 else "right")
    axis.set_axis_off()
