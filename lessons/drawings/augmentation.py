"""Lesson 16: where training looks, where testing looks, and one picture in other colours."""
import numpy as np
from drawings.paper import AMBER, BLUE, GREY, INK, RED, box, heading, sheet


def draw(picture, additions, holds, crop):
    """picture: (size, size, 3) in 0..1; additions: six colours to add, the last where pixels are
    0..255; holds: how many crops hold each column."""
    room = len(holds) - crop
    figure = sheet(12, 7.4)
    heading(figure, 0.95, f"Training: {room + 1}·{room + 1} places, twice")
    heading(figure, 0.95, "Testing: ten views", left=0.5)
    _seen(figure, figure.add_axes((0.02, 0.44, 0.36, 0.47)), holds, crop)
    _ten(figure.add_axes((0.52, 0.44, 0.36, 0.47)), picture, room, crop)
    heading(figure, 0.36, "Colours along the principal components, ten times the paper's; "
            "far right: with pixels in 0..255")
    for place, colour in enumerate([np.zeros(3), *additions]):
        axis = figure.add_axes((0.02 + 0.138 * place, 0.04, 0.128, 0.27))
        axis.imshow((picture + colour).clip(0, 1))
        axis.set_xticks([])
        axis.set_yticks([])
        axis.spines[:].set(visible=True, color=GREY)
        label = "as it is" if place == 0 else "(" + ", ".join(f"{255 * c:+.0f}"
                                                              for c in colour) + ")"
        axis.set_title(label, fontsize=8.5, color=INK, pad=3)
    return figure


def _seen(figure, axis, holds, crop):
    """How many of the crops hold each pixel."""
    last = len(holds) - 1
    room = len(holds) - crop
    shown = axis.imshow(np.outer(holds, holds), cmap="Blues", vmin=0)
    axis.set_xticks([0, room, crop - 1, last])
    axis.set_yticks([0, room, crop - 1, last])
    axis.add_patch(box(0, 0, crop - 1, crop - 1, fill=False, edgecolor=BLUE, linewidth=1.5))
    axis.add_patch(box(room, room, crop - 1, crop - 1, fill=False, edgecolor=AMBER, linewidth=1.5))
    axis.text(8, 12, "first", color=BLUE, fontsize=9, va="top")
    axis.text(last - 7, last - 11, "last", color=AMBER, fontsize=9, ha="right", va="bottom")
    bar = figure.colorbar(shown, ax=axis, ticks=[1, (room + 1) ** 2], fraction=0.046)
    bar.set_label("crops that hold the pixel", labelpad=-12)


def _ten(axis, picture, room, crop):
    axis.imshow(picture, alpha=0.45)
    colours = [BLUE, BLUE, BLUE, BLUE, RED]
    places = [(0, 0), (0, room), (room, 0), (room, room), (room // 2, room // 2)]
    for number, ((row, column), colour) in enumerate(zip(places, colours)):
        axis.add_patch(box(column + 1, row + 1, crop - 3, crop - 3, fill=False, edgecolor=colour,
                           linewidth=1.6))
        x, y = (start + (10 if start < room else crop - 10) for start in (column, row))
        axis.text(x, y, f"{number} and {number + 5}", color=colour, fontsize=10, weight="bold",
                  va="center", ha="left" if column < room else "right")
    axis.set_axis_off()
