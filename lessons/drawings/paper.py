"""What all drawings share: colours, headings, boxes and arrows."""
import classroom

INK, BLUE, PALE, RED, GREY = "#22303c", "#2f6db3", "#bfd7f0", "#d1344b", "#e3e6ea"
GREEN, AMBER = "#2e8b57", "#e0a030"


def sheet(width, height):
    """An empty figure, in inches."""
    return classroom.picture().figure(figsize=(width, height))


def heading(figure, height, text, left=0.02):
    """A bold line at this height of the figure, 0 to 1."""
    figure.text(left, height, text, fontsize=15, weight="bold", color=INK)


def box(x, y, width, height, **look):
    """A rectangle, to be added with axis.add_patch."""
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, **look)


def arrow(axis, start, end, **look):
    """From one (x, y) to another, in the axis's coordinates."""
    look = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0} | look
    axis.annotate("", xy=end, xytext=start, arrowprops=look)


def blank(axis, left, right, bottom, top):
    """An axis without frame or ticks, in these coordinates."""
    axis.set_xlim(left, right)
    axis.set_ylim(bottom, top)
    axis.set_axis_off()
    return axis


def cells(axis, values, left, top, size=1.0, text="{:g}", faces=None, **look):
    """A small matrix as squares with numbers in them; its upper left corner at (left, top). faces:
    colours, same shape."""
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            x, y = left + j * size, top - (i + 1) * size
            face = "white" if faces is None else faces[i][j]
            axis.add_patch(box(x, y, size, size, facecolor=face, edgecolor=INK, linewidth=0.7))
            if value is not None:
                label = value if isinstance(value, str) else text.format(value)
                axis.text(x + size / 2, y + size / 2, label, ha="center", va="center",
                          **{"fontsize": 9, "color": INK} | look)
