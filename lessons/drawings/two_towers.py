"""Lesson 5: the two towers with their sizes, and who sees whom in conv2 to conv5."""
import numpy as np
from drawings.paper import AMBER, BLUE, INK, PALE, RED, arrow, blank, box, heading, sheet

# name, maps in each tower, maps' width, drawn height
LAYERS = [("picture", 3, 227), ("conv1", 48, 55), ("conv2", 128, 27), ("conv3", 192, 13),
          ("conv4", 192, 13), ("conv5", 128, 13), ("fc6", 2048, 1), ("fc7", 2048, 1),
          ("fc8", 1000, 1)]
TOWER = {1: BLUE, -1: AMBER}


def draw(tables, crossing):
    """tables: {layer: (C_out, C_in) of bool}; crossing: values sent each way before conv3."""
    figure = sheet(13, 9.5)
    heading(figure, 0.95, "Two towers: where the wires between the GPUs are")
    _towers(blank(figure.add_axes((0.02, 0.47, 0.96, 0.46)), -0.8, 17.6, -3.2, 3.2), crossing)
    heading(figure, 0.42, "Which map (row) depends on which channel below (column): "
            "the gradient says")
    for number, (name, table) in enumerate(tables.items()):
        _table(figure.add_axes((0.06 + 0.24 * number, 0.06, 0.17, 0.28)), name, table)
    return figure


def _towers(axis, crossing):
    for number, (name, maps, width) in enumerate(LAYERS):
        x = 2.0 * number
        height = 0.5 + 1.1 * (width / 227) ** 0.5
        for side in (1, -1) if 0 < number < 8 else (0,):
            middle = 1.6 * side
            face = PALE if side == 1 else "#f6e3bd" if side == -1 else "white"
            look = {"facecolor": face, "edgecolor": TOWER.get(side, INK), "linewidth": 1.3}
            axis.add_patch(box(x, middle - height / 2, 0.9, height, **look))
            label = f"{maps}" + (f"\n{width}×{width}" if width > 1 else "")
            axis.text(x + 0.45, middle, label, ha="center", va="center",
                      fontsize=9.5 if side else 8.5, color=INK)
        axis.text(x + 0.45, 2.85, name, ha="center", fontsize=11, color=INK, weight="bold")
        if number:
            _wires(axis, x, number, name)
    axis.text(5.5, -3.0, f"before conv3: {crossing:,} values each way", ha="center", fontsize=11,
              color=RED)
    axis.text(12.5, -3.0, "from fc6 on: all to all", ha="center", fontsize=11, color=RED)
    axis.text(-0.7, 1.5, "GPU 1", fontsize=12, color=BLUE, weight="bold")
    axis.text(-0.7, -1.7, "GPU 2", fontsize=12, color=AMBER, weight="bold")


def _wires(axis, x, number, name):
    crosses = name in ("conv3", "fc6", "fc7", "fc8")
    before = (1, -1) if number > 1 else (0,)
    after = (1, -1) if number < 8 else (0,)
    for a in before:
        for b in after:
            if a == b or 0 in (a, b) or crosses:
                colour = RED if a == -b and a else TOWER[a or b]
                arrow(axis, (x - 1.05, 1.6 * a), (x - 0.05, 1.6 * b), color=colour)


def _table(axis, name, table):
    from matplotlib.colors import ListedColormap

    shade = np.zeros(table.shape, dtype=int)
    rows, columns = table.shape
    shade[: rows // 2][table[: rows // 2]] = 1
    shade[rows // 2:][table[rows // 2:]] = 2
    axis.imshow(shade, cmap=ListedColormap(["white", BLUE, AMBER]), vmin=0, vmax=2, aspect="auto",
                interpolation="nearest")
    axis.set_title(f"{name}: {table.mean():.0%}", fontsize=11, color=INK)
    axis.set_xticks([0, columns // 2, columns - 1])
    axis.set_yticks([0, rows // 2, rows - 1])
    for side in ("top", "right"):
        axis.spines[side].set_visible(True)
