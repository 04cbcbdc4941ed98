"""How all pictures of a run look."""

from ..utils import drawing
from ..utils.drawing import shorten

__all__ = ["OTHER", "QUIET", "RIGHT", "TRAIN", "VAL", "VAL_LIGHT", "figure", "shorten"]

TRAIN, VAL, VAL_LIGHT, QUIET = "#33658a", "#c8553d", "#e39a8a", "#8a8f98"
RIGHT, OTHER = "#ee8d78", "#a9c0d3"  # bars, light enough for dark letters on them

_LOOK = {
    "axes.edgecolor": "#b8bcc4",
    "axes.labelcolor": "#3a3d44",
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.facecolor": "white",
    "font.size": 9,
    "text.color": "#24262b",
    "text.parse_math": False,  # a class may be named "$5"
    "xtick.color": "#6a6f78",
    "ytick.color": "#6a6f78",
}


def figure(path, width, height):
    """Yield an empty matplotlib figure, width x height inches, and write it to `path`, a path or a files.Output, at the end."""
    return drawing.figure(path, width, height, _LOOK)
