"""Lesson 2: f = (x·y + x)² forwards and backwards."""
from drawings.paper import AMBER, BLUE, INK, PALE, RED, arrow, blank, heading, sheet

PLACES = {"x": (0, 1.5), "y": (0, 0), "p": (3, 0.5), "s": (6, 1.1), "f": (9, 1.1)}
EDGES = [("x", "p"), ("y", "p"), ("p", "s"), ("x", "s"), ("s", "f")]
FORMULAE = {"p": "p = x·y", "s": "s = p + x", "f": "f = s²"}


def draw(x, y):
    """x, y: the numbers that it starts from."""
    s = x * y + x
    values = {"x": x, "y": y, "p": x * y, "s": s, "f": s**2}
    at_x = f"{2 * s * y} + {2 * s} = {2 * s * y + 2 * s}"
    slopes = {"f": "1", "s": f"{2 * s}", "p": f"{2 * s}", "x": at_x, "y": f"{2 * s * x}"}
    ways = {  # what is passed back along each edge, and where it is written: (text, x, y)
        ("s", "f"): (f"times 2s = {2 * s}", 7.5, 1.17),
        ("p", "s"): ("times 1", 4.75, 0.52),
        ("x", "s"): ("times 1", 3.1, 1.36),
        ("x", "p"): (f"times y = {y}", 1.25, 0.78),
        ("y", "p"): (f"times x = {x}", 1.62, 0.02),
    }
    figure = sheet(12, 8)
    heading(figure, 0.94, "Forward: each value is computed, and remembers what it was made of")
    _graph(figure.add_axes((0.02, 0.52, 0.96, 0.4)), values, {}, {})
    heading(figure, 0.46, "Backward: each passes its slope back, times the slope on the way; "
            "what meets is added")
    _graph(figure.add_axes((0.02, 0.04, 0.96, 0.4)), values, slopes, ways)
    return figure


def _graph(axis, values, slopes, ways):
    blank(axis, -0.8, 10.2, -0.75, 2.15)
    for start, end in EDGES:
        (x0, y0), (x1, y1) = PLACES[start], PLACES[end]
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        gap = 0.62 / length
        near = x0 + gap * (x1 - x0), y0 + gap * (y1 - y0)
        far = x1 - gap * (x1 - x0), y1 - gap * (y1 - y0)
        if not ways:
            arrow(axis, near, far)
        else:
            arrow(axis, far, near, color=RED)
            text, x, y = ways[start, end]
            axis.text(x, y, text, ha="center", va="bottom", fontsize=11, color=RED)
    for name, (x, y) in PLACES.items():
        leaf = name in "xy"
        axis.plot(x, y, "o", markersize=46, color=PALE if leaf else "white", markeredgecolor=BLUE,
                  markeredgewidth=1.6)
        axis.text(x, y, values[name], ha="center", va="center", fontsize=15, color=INK,
                  weight="bold")
        axis.text(x, y + 0.42, FORMULAE.get(name, name), ha="center", va="bottom", fontsize=12,
                  color=INK)
        if slopes:
            look = {"boxstyle": "round,pad=0.25", "facecolor": AMBER if leaf else "white",
                    "edgecolor": RED}
            axis.text(x, y - 0.45, slopes[name], ha="center", va="top", fontsize=12, color=INK,
                      bbox=look)
