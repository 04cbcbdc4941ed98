"""Lesson 4: a 4×4 picture as columns, the way back, and how often conv1 reads each pixel."""
import numpy as np
from drawings.paper import AMBER, BLUE, GREEN, INK, PALE, RED, arrow, blank, cells, heading, sheet

WINDOWS = [(0, 0), (0, 1), (1, 0), (1, 1)]
COLOURS = [BLUE, GREEN, AMBER, RED]


def draw(readers):
    """readers: (227, 227), how many windows of conv1 read each pixel."""
    figure = sheet(13, 10.5)
    heading(figure, 0.955, "im2col: each window of the picture becomes a column; a kernel is a row")
    _forward(blank(figure.add_axes((0.02, 0.5, 0.96, 0.44)), 0, 26, -1.2, 10.2))
    heading(figure, 0.455, "col2im: the copies of a pixel go home and are added")
    _backward(blank(figure.add_axes((0.02, 0.02, 0.5, 0.42)), 0, 13, -1.2, 10))
    _map(figure, readers)
    return figure


def _picture():
    return np.arange(1, 17).reshape(4, 4)


def _columns():
    return np.array([_picture()[h:h + 3, w:w + 3].ravel() for h, w in WINDOWS]).T


def _tint(colour):
    from matplotlib.colors import to_rgb

    return tuple(1 - 0.45 * (1 - part) for part in to_rgb(colour))


def _forward(axis):
    cells(axis, _picture(), 0.4, 8.2, size=1.3, fontsize=12)
    axis.text(3, 8.6, "picture, 4×4", ha="center", color=INK, fontsize=11)
    for number, ((h, w), colour) in enumerate(zip(WINDOWS, COLOURS)):
        inset = 0.1 + 0.07 * number
        x, y = 0.4 + 1.3 * w + inset, 8.2 - 1.3 * (h + 3) + inset
        axis.plot([x, x + 3.9 - 2 * inset, x + 3.9 - 2 * inset, x, x],
                  [y, y, y + 3.9 - 2 * inset, y + 3.9 - 2 * inset, y], color=colour, linewidth=2.2)
    arrow(axis, (6.2, 5.6), (7.4, 5.6))
    faces = [[_tint(colour) for colour in COLOURS]] * 9
    cells(axis, [[f"w{i}" for i in range(1, 10)]], 8.0, 5.6 + 0.5, size=0.95, fontsize=10)
    axis.text(12.3, 6.4, "one kernel: a row", ha="center", color=INK, fontsize=11)
    axis.text(17.0, 5.6, "·", fontsize=24, ha="center", va="center", color=INK)
    cells(axis, _columns(), 17.6, 9.6, size=1.0, faces=faces, fontsize=11)
    axis.text(19.6, 9.8, "columns, 9×4", ha="center", color=INK, fontsize=11)
    axis.text(22.05, 5.6, "=", fontsize=20, ha="center", va="center", color=INK)
    cells(axis, [["y1", "y2", "y3", "y4"]], 22.5, 5.6 + 0.42, size=0.85,
          faces=[[_tint(colour) for colour in COLOURS]])
    axis.text(24.2, 6.4, "one output map", ha="center", color=INK, fontsize=11)
    axis.text(0.4, 1.7, "Pixels 6, 7, 10 and 11 lie in all four windows: "
              "each stands in the columns four times.", color=INK, fontsize=11)


def _backward(axis):
    faces = [[PALE if _columns()[i][j] == 7 else "white" for j in range(4)] for i in range(9)]
    labels = [["g" if _columns()[i][j] == 7 else "" for j in range(4)] for i in range(9)]
    for j, colour in enumerate(COLOURS):
        for i in range(9):
            if labels[i][j]:
                labels[i][j], faces[i][j] = f"g{j + 1}", _tint(colour)
    cells(axis, labels, 0.4, 9.3, size=1.0, faces=faces, fontsize=11)
    axis.text(2.4, -0.4, "dcolumns: only the copies of\npixel 7 are shown", ha="center",
              va="center", color=INK, fontsize=10)
    arrow(axis, (4.8, 5.2), (6.0, 5.2))
    counts = [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]
    tints = [[PALE if n == 4 else "white" if n == 2 else "#f5f6f8" for n in row] for row in counts]
    sums = [[f"{n} terms" if n > 1 else "1 term" for n in row] for row in counts]
    sums[1][2] = "g1+g2\n+g3+g4"
    cells(axis, sums, 6.4, 8.2, size=1.6, faces=tints, fontsize=9)
    axis.text(9.6, 1.3, "dpicture: as many terms as windows\nread the pixel", ha="center",
              va="center", color=INK, fontsize=10)


def _map(figure, readers):
    axis = figure.add_axes((0.56, 0.06, 0.36, 0.36))
    image = axis.imshow(readers[:48, :48], cmap="Blues", vmin=0, vmax=9)
    title = "How often conv1 (11×11, stride 4) reads each pixel:\nthe upper left corner of 227×227"
    axis.set_title(title, fontsize=10.5, color=INK)
    axis.set_xticks([0, 11, 23, 35, 47])
    axis.set_yticks([0, 11, 23, 35, 47])
    bar = figure.colorbar(image, ax=axis, ticks=[1, 2, 3, 4, 6, 9], shrink=0.9)
    bar.set_label("windows")
