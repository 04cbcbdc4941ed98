"""Lesson 2: f = (x·y + x)² forwards and backwards."""
from drawings.paper import AMBER, BLUE, INK, PALE, RED, arrow, blank, heading, sheet

PLACES = {"x": (0, 1.5), "y": (0, 0), "p": (3, 0.5), "s": (6, 1.1), "f": (9, 1.1)}
EDGES = [("x", "p"), ("y", "p"), ("p", "s"), ("x", "s"), ("s", "f")]
VALUES = {"x": 2, "y": 3, "p": 6, "s": 8, "f": 64}
FORMULAE = {"p": "p = x·y", "s": "s = p + x", "f": "f = s²"}
SLOPES = {"f": "1", "s": "16", "p": "16", "x": "48 + 16 = 64", "y": "32"}
STEPS = {  # what is handed back along each edge, and where it is written: (text, x, y)
    ("s", "f"): ("times 2s = 16", 7.5, 1.17),
    ("p", "s"): ("times 1", 4.75, 0.52),
    ("x", "s"): ("times 1", 3.1, 1.36),
    ("x", "p"): ("times y = 3", 1.25, 0.78),
    ("y", "p"): ("times x = 2", 1.62, 0.02),
}


def draw():
    figure = sheet(12, 8)
    heading(figure, 0.94, "Forward: each value is computed, and remembers what it was made of")
    _graph(figure.add_axes((0.02, 0.52, 0.96, 0.4)), forward=True)
    heading(figure, 0.46, "Backward: each hands on its derivative times the slope on the way; what meets is added")
    _graph(figure.add_axes((0.02, 0.04, 0.96, 0.4)), forward=False)
    return figure


def _graph(axis, forward):
    blank(axis, -0.8, 10.2, -0.75, 2.15)
    for start, end in EDGES:
        (x0, y0), (x1, y1) = PLACES[start], PLACES[end]
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        gap = 0.62 / length
        near = x0 + gap * (x1 - x0), y0 + gap * (y1 - y0)
        far = x1 - gap * (x1 - x0), y1 - gap * (y1 - y0)
        if forward:
            arrow(axis, near, far)
        else:
            arrow(axis, far, near, color=RED)
            text, x, y = STEPS[start, end]
            axis.text(x, y, text, ha="center", va="bottom", fontsize=11, color=RED)
    for name, (x, y) in PLACES.items():
        leaf = name in "xy"
        axis.plot(x, y, "o", markersize=46, color=PALE if leaf else "white", markeredgecolor=BLUE, markeredgewidth=1.6)
        axis.text(x, y, VALUES[name], ha="center", va="center", fontsize=15, color=INK, weight="bold")
        axis.text(x, y + 0.42, FORMULAE.get(name, name), ha="center", va="bottom", fontsize=12, color=INK)
        if not forward:
            look = {"boxstyle": "round,pad=0.25", "facecolor": AMBER if leaf else "white", "edgecolor": RED}
            axis.text(x, y - 0.45, SLOPES[name], ha="center", va="top", fontsize=12, color=INK, bbox=look)
