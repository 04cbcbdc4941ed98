"""The picture of a check: the error against the step size, and where the gradient is wrong."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..utils import drawing
from ..utils.table import shorten, times
from .curves import Map, Sweep, slopes

if TYPE_CHECKING:
    from .report import Report

INK, QUIET, BLUE, RED, PALE = "#24262b", "#8a8f98", "#33658a", "#c8553d", "#eef0f3"
RIGHT, WRONG = 1e-6, 1.0  # relative errors at the ends of the colours
PANELS = 4  # tensors whose map is drawn
TILES = (6, 8)  # pictures of a four-dimensional tensor that are drawn, down and across
_STYLE = {"axes.edgecolor": "#b8bcc4", "axes.labelcolor": INK, "axes.spines.right": False,
          "axes.spines.top": False, "axes.titlelocation": "left", "axes.titlesize": 11,
          "axes.titleweight": "bold", "font.size": 9, "text.color": INK, "text.parse_math": False,
          "xtick.color": "#6a6f78", "ytick.color": "#6a6f78", "figure.facecolor": "white"}


def draw(report: Report, measured: tuple[Sweep, list[Map]], path: object = None) -> object:
    """A Matplotlib figure of `measured`, (Sweep, [Map, ...]) from curves.measure; written to `path`
    if there is one."""
    sweep, maps = measured
    with drawing.figure(path, 12, 5.4, _STYLE, layout="constrained") as figure:
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
        left, right = figure.subfigures(1, 2, width_ratios=(1, 1.15), wspace=0.04)
        _steps(left.subplots(), sweep, report)
        _maps(right, maps[:PANELS], report)
    return figure


# ------------------------------------------------------------------------------- error against step


def _steps(axis, sweep, report):
    from matplotlib.ticker import LogLocator, NullLocator

    size = abs(sweep.numeric) or 1.0
    h, error = sweep.steps, np.maximum(sweep.errors / size, 1e-17)
    a, b, best = slopes(sweep)
    floor, ceiling = 10.0 ** np.floor(np.log10(error.min()) - 0.4), max(10 * error.max(), 10)
    axis.loglog(h, error, "o-", color=BLUE, markersize=3.5, linewidth=1, label="numeric derivative")
    if a:
        _line(axis, h, a / size * h ** 2, (floor, ceiling), "truncation ~ h²", h[-1], -1)
    if b:
        _line(axis, h, b / size / h, (floor, ceiling), "rounding ~ 1/h", h[0], 1)
    axis.axvline(best, color=QUIET, linewidth=1, linestyle=(0, (2, 3)))
    late = best > (h[0] * h[-1] ** 2) ** (1 / 3)  # in the last third there is no room to the right
    axis.annotate(f"best h ≈ {power(best)}", (best, floor), xytext=(-5 if late else 5, 5),
                  ha="right" if late else "left", textcoords="offset points", color=INK)
    gap = abs(sweep.analytic - sweep.numeric) / size
    if gap > RIGHT:
        axis.axhline(gap, color=RED, linewidth=1.6)
        axis.annotate(f"the analytic value is off by {_percent(gap)}", (h[0], gap), xytext=(4, -5),
                      va="top", textcoords="offset points", color=RED, weight="bold")
    axis.set(xlim=(h[0], h[-1]), ylim=(floor, ceiling), xlabel="step h",
             ylabel="relative error of (L(x+h) − L(x−h)) / 2h")
    axis.set_title(f"{report.title}: "
                   f"∂L/∂{sweep.name}{list(sweep.index) if sweep.index else ''} against the step h")
    if not a:
        axis.text(0.98, 0.5, "L is a straight line (or a parabola)\nalong this entry: "
                  "no truncation", ha="right", color="#6a6f78", transform=axis.transAxes)
    for one in (axis.xaxis, axis.yaxis):
        one.set_major_locator(LogLocator(numticks=9))
        one.set_minor_locator(NullLocator())
        one.set_major_formatter(lambda value, _: power(value))
    axis.grid(color=PALE)
    axis.set_axisbelow(True)


def power(value: float) -> str:
    """1e-5 -> '10⁻⁵', 3e-6 -> '3·10⁻⁶'."""
    exponent = int(np.floor(np.log10(value) + 1e-9))
    digit = round(value / 10.0 ** exponent)
    digit, exponent = (1, exponent + 1) if digit == 10 else (digit, exponent)
    raised = "".join("⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".index(sign)] for sign in str(exponent))
    return f"{'' if digit == 1 else f'{digit}·'}10{raised}"


def _line(axis, h, values, limits, text, end, side):
    axis.plot(h, values, color=QUIET, linewidth=1, linestyle=(0, (5, 3)))
    inside = np.flatnonzero((values > limits[0] * 30) & (values < limits[1] / 30))
    if len(inside):
        place = inside[len(inside) * 3 // 4 if side < 0 else len(inside) // 4]
        axis.annotate(text, (h[place], values[place]), xytext=(8 * side, 6),
                      textcoords="offset points", color="#6a6f78",
                      ha="left" if side > 0 else "right")


def _percent(gap):
    return (f"{100 * gap:.0f} %" if gap >= 0.1 else f"{100 * gap:.1g} %" if gap > 1e-4
            else f"{gap:.0e} of its size")


# -------------------------------------------------------------------------------- where it is wrong


def _maps(figure, maps, report):
    from matplotlib.colors import LinearSegmentedColormap, LogNorm

    shades = ["#dfe8ee", "#f7e3c0", "#ee9a67", RED, "#7d1f1f"]
    colours = LinearSegmentedColormap.from_list("error", shades).with_extremes(bad="white")
    columns = min(len(maps), 2)
    grid = figure.subplots(-(-len(maps) // columns), columns, squeeze=False).ravel()
    for axis in grid[len(maps):]:
        axis.set_axis_off()
    verdicts = {row.name: row for row in report.rows}
    drawn = None
    for axis, found in zip(grid, maps):
        if found.numeric is None:
            _only_words(axis, found, verdicts[found.name])
            continue
        picture = tiles(relative_errors(found))
        drawn = axis.imshow(picture, cmap=colours, norm=LogNorm(RIGHT, WRONG),
                            interpolation="nearest", aspect="auto"
                            if min(picture.shape) * 12 < max(picture.shape) else "equal")
        _title(axis, found, verdicts[found.name])
        # between entries that can be seen one by one
        for length, line in zip(picture.shape, (axis.axhline, axis.axvline)):
            for position in range(1, length if max(picture.shape) <= 60 else 0):
                line(position - 0.5, color="white", linewidth=0.8)
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    if drawn is None:
        return
    bar = figure.colorbar(drawn, ax=list(grid), location="bottom", shrink=0.6, aspect=40, pad=0.03)
    bar.set_label("|analytic − numeric| / largest entry")
    bar.outline.set_visible(False)
    bar.ax.xaxis.set_major_formatter(lambda value, _: power(value))
    bar.ax.minorticks_off()


def _only_words(axis, found, row):
    """A gradient of another shape than its tensor: there are no pairs to compare."""
    axis.set_axis_off()
    axis.set_title(f"{row.name}  {times(row.shape)}", loc="left")
    text = f"backward returned {times(found.analytic.shape)}\n\n{row.verdict}\n{row.detail}"
    axis.text(0, 0.95, text, va="top", color=RED, fontsize=10, transform=axis.transAxes)


def _title(axis, found, row):
    axis.set_title(f"{found.name}  {times(found.numeric.shape)}", loc="left")
    words = row.verdict + (f": {row.detail}" if row.detail else "")
    axis.set_xlabel(shorten(words, 60), loc="left", color=INK if row.is_correct else RED,
                    fontsize=10)


def relative_errors(found: Map) -> np.ndarray:
    """|analytic − numeric| relative to the largest entry, at least the lower end of the colours;
    NaN where not measured."""
    scale = max(np.nanmax(abs(found.numeric)), abs(found.analytic).max(), 1e-300)
    return np.where(np.isnan(found.numeric), np.nan,
                    np.clip(abs(found.analytic - found.numeric) / scale, RIGHT, WRONG))


def tiles(array: np.ndarray) -> np.ndarray:
    """Any array as one picture: the last two axes are pictures, the axis before goes across, the
    first one down; NaN between them. A vector is one row, broken where it is long."""
    if array.ndim < 2:
        width = min(40, array.size)
        padded = np.pad(np.ravel(array), (0, -array.size % width), constant_values=np.nan)
        return padded.reshape(-1, width)
    if array.ndim == 2:
        return array
    array = array.reshape((-1, 1, *array.shape[1:]) if array.ndim == 3 else (-1, *array.shape[-3:]))
    if array.shape[1] == 1:
        array = array.swapaxes(0, 1)
    array = array[:TILES[0], :TILES[1]]
    down, across, H, W = array.shape
    framed = np.pad(array, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    return framed.transpose(0, 2, 1, 3).reshape(down * (H + 1), across * (W + 1))[:-1, :-1]


