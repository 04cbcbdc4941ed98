"""Lesson 1: where 11-wide windows land on 224 and 227 columns, and the chain from the picture to
pool5."""
from drawings.paper import BLUE, GREY, INK, PALE, RED, box, heading, sheet

from minialex import shapes


def draw(layers):
    """layers: (name, kernel, stride, padding), from the picture to pool5."""
    figure = sheet(12, 10)
    heading(figure, 0.968, "Where an 11-wide window lands when it moves 4 columns at a time")
    _windows(figure.add_axes((0.02, 0.475, 0.96, 0.475)))
    heading(figure, 0.435, "What becomes of the columns, layer by layer")
    for left, size in ((0.02, 227), (0.51, 224)):
        _chain(figure.add_axes((left, 0.02, 0.47, 0.4)), size, layers)
    return figure


# ------------------------------------------------------------------------------- windows on columns


def _windows(axis):
    for place, (size, padding) in enumerate([(224, 0), (224, 3), (227, 0)]):
        _strip(axis, -9.2 * place, size, padding)
    axis.set_xlim(-3.5, 71)
    axis.set_ylim(-24.6, 3.8)
    axis.set_axis_off()


def _strip(axis, top, size, padding):
    """Both ends of a row of columns, the first and the last windows below it; the middle is cut
    out."""
    shown = {column: column for column in range(-padding, 23)}  # column -> where it is drawn
    shown.update({column: column - 161 for column in range(193, size + padding + 4)})
    starts = shapes.window_starts(size, 11, 4, padding)
    unread = shapes.columns_never_read(size, 11, 4, padding)
    for column, x in shown.items():
        if column < size + padding:
            pixel = 0 <= column < size
            face, hatch = (RED if column in unread else "white" if pixel else GREY,
                           None if pixel else "////")
            axis.add_patch(box(x, top, 1, 1, facecolor=face, edgecolor=INK, linewidth=0.5,
                               hatch=hatch))
        if (column % 10 == 0 and column < size) or column == size - 1:
            axis.text(x + 0.5, top + 1.15, column, ha="center", va="bottom", fontsize=8, color=INK)
    for number, start in enumerate(starts):
        if start in shown and start + 10 in shown:
            _window(axis, shown[start], top, number, text=str(number + 1), facecolor=PALE,
                    edgecolor=BLUE)
    if unread:
        start = starts[-1] + 4
        over = start + 11 - size - padding
        look = {"facecolor": "none", "edgecolor": RED, "linestyle": (0, (3, 2))}
        _window(axis, shown[start], top, len(starts), text=f"{over} too far", **look)
    for lane in (0.5, -1.1, -2.5, -3.9):
        axis.text(27.5, top + lane, "· · ·", ha="center", va="center", color=INK, fontsize=11)
    title = f"{size} columns, {'padding ' + str(padding) if padding else 'no padding'}"
    axis.text(-3, top + 2.5, title, fontsize=11, weight="bold", color=INK, va="bottom")
    formula = shapes.explain(size, 11, 4, padding)
    axis.text(15, top + 2.5, formula, fontsize=9, color=RED if unread else INK, va="bottom")


def _window(axis, x, top, number, text, **look):
    y = top - 1.7 - 1.4 * (number % 3)
    axis.add_patch(box(x + 0.12, y, 10.76, 1.15, linewidth=1.2, **look))
    axis.text(x + 5.5, y + 0.55, text, ha="center", va="center", fontsize=8,
              color=look["edgecolor"])


# ---------------------------------------------------------------------------------------- the chain


def _chain(axis, size, layers):
    """Every value of every layer above the middle of what it sees; red: nothing that comes later
    depends on it."""
    rows = _rows(size, layers)
    used = _used(rows, set(range(rows[-1][1])))
    seen = _used(rows, {2})
    for level, (name, count, first, step, *_) in enumerate(rows):
        width = 1 if step == 1 else step - min(1.2, 0.2 * step)
        for value in range(count):
            face = RED if value not in used[level] else BLUE if value in seen[level] else PALE
            axis.add_patch(box(first + value * step - width / 2, level - 0.3, width, 0.6,
                               facecolor=face, linewidth=0))
        axis.text(-5, level, name, ha="right", va="center", fontsize=9.5, color=INK)
        axis.text(231, level, count, va="center", fontsize=10.5, weight="bold", color=INK)
        if count > len(used[level]):
            axis.text(249, level, f"{count - len(used[level])} lost", va="center", fontsize=9.5,
                      color=RED)
    lost = size - len(used[0])
    verdict = f"{size} columns: " + (f"the last {lost} never count" if lost else "every one counts")
    axis.text(-32, len(rows) - 0.25, verdict, fontsize=11, weight="bold",
              color=RED if lost else INK)
    across, step = shapes.receptive_field([(kernel, stride) for _, kernel, stride, _ in layers])
    legend = (f"dark: what one value of pool5 sees, {across} columns; "
              f"its neighbour's start {step} later")
    axis.text(-1, -0.9, legend, fontsize=9, color=BLUE)
    axis.set_xlim(-33, 270)
    axis.set_ylim(-1.1, len(rows) + 0.3)
    axis.set_axis_off()


def _rows(size, layers):
    """From the picture up: (name, values, middle of the first one, pixels between two, kernel,
    stride, padding)."""
    rows = [("picture", size, 0, 1, 1, 1, 0)]
    for name, kernel, stride, padding in layers:
        _, count, first, step, *_ = rows[-1]
        middle = first + ((kernel - 1) / 2 - padding) * step
        count = shapes.conv_output_size(count, kernel, stride, padding)
        rows.append((name, count, middle, step * stride, kernel, stride, padding))
    return rows


def _used(rows, wanted):
    """For every row the values that `wanted`, values of the last row, depend on."""
    used = [wanted]
    for below, (*_, kernel, stride, padding) in zip(rows[-2::-1], rows[::-1]):
        starts = (value * stride - padding for value in used[0])
        used.insert(0, {start + offset for start in starts for offset in range(kernel)}
                    & set(range(below[1])))
    return used
