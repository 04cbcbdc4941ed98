"""How all pictures of a run look, and how they are written: no window, no state shared with the caller's own plots."""

import logging
import warnings
from contextlib import contextmanager

from .checkpoint import replacing

TRAIN, VAL, VAL_LIGHT, QUIET = "#33658a", "#c8553d", "#e39a8a", "#8a8f98"
RIGHT, OTHER = "#ee8d78", "#a9c0d3"  # bars, light enough for dark letters on them

_RC = {
    "axes.edgecolor": "#b8bcc4",
    "axes.labelcolor": "#3a3d44",
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.unicode_minus": True,
    "figure.facecolor": "white",
    "font.size": 9,
    "text.color": "#24262b",
    "text.parse_math": False,  # a class may be named "$5"
    "xtick.color": "#6a6f78",
    "ytick.color": "#6a6f78",
}
# Fonts that many machines have, asked where DejaVu has no letter for a class name.
_FALLBACK = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Microsoft YaHei", "PingFang SC", "Hiragino Sans", "Arial Unicode MS")


@contextmanager
def figure(path, width, height):
    """Yield an empty matplotlib figure, width x height inches, and write it to the file `path` at the end."""
    import matplotlib  # takes half a second: only when there is something to draw
    from matplotlib import font_manager
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    installed = {font.name for font in font_manager.fontManager.ttflist}
    family = ["DejaVu Sans", *(name for name in _FALLBACK if name in installed)]
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    with matplotlib.rc_context(_RC | {"font.family": family}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        drawing = Figure(figsize=(width, height))
        FigureCanvasAgg(drawing)
        yield drawing
        with replacing(path) as file:
            drawing.savefig(file, format="png", dpi=150)


def shorten(name, most):
    """A name of at most `most` letters."""
    return name if len(name) <= most else name[: most - 1] + "…"
