"""Pictures: drawn with matplotlib's Agg canvas, whatever the machine and its owner have set up.

No window and no backend is needed, so a notebook's MPLBACKEND does not matter. Every picture starts
from matplotlib's own defaults: no matplotlibrc changes it, and the caller's own settings are as
before afterwards.
"""

import importlib
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import UserError
from . import files, in_words

# Fonts that many machines have, asked where DejaVu has no letter for a name.
_FALLBACK = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Microsoft YaHei", "PingFang SC",
             "Hiragino Sans", "Arial Unicode MS")
# How a file of each format carries the mark of the command that wrote it (see files).
_FORMATS: dict[str, Callable[[str], dict[str, Any]]] = {
    "png": lambda mark: {"metadata": {"Software": "minialex", "Comment": mark}},
    "pdf": lambda mark: {"metadata": {"Creator": "minialex", "Keywords": mark}},
    "svg": lambda mark: {"metadata": {"Keywords": [mark]}},
    "jpg": lambda mark: {"pil_kwargs": {"comment": mark.encode()}},
    "jpeg": lambda mark: {"pil_kwargs": {"comment": mark.encode()}},
}


@contextmanager
def figure(path: Any, width: float, height: float, style: dict[str, Any], dpi: int = 150,
           **options: Any) -> Iterator[Any]:
    """Yield an empty figure, width x height inches, and write it to `path`, if there is one, at the
    end.

    style: rcParams beside matplotlib's defaults; options: Figure's. The format follows the name's
    ending.
    """
    kind = format_of(path) if path is not None else "png"
    with _defaults(style):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        drawing = Figure(figsize=(width, height), **options)
        FigureCanvasAgg(drawing)
        yield drawing
        if path is not None:
            mark = path.mark if isinstance(path, files.Output) else files.mark("picture")
            with files.replacing(path) as file:
                options = _FORMATS[kind](mark)
                if kind == "png":
                    options["metadata"] |= {in_words.KEY: in_words.of(drawing)}
                drawing.savefig(file, format=kind, dpi=dpi, **options)


def format_of(path: Any) -> str:
    """The format of a picture of this name, "png" for one without an ending. Raises UserError for
    another ending."""
    kind = os.path.splitext(os.fspath(path))[1].lower().removeprefix(".") or "png"
    if kind not in _FORMATS:
        raise UserError(f"{path} ends in no format that can be drawn: "
                        f"choose {', '.join('.' + name for name in _FORMATS)}.")
    return kind


@contextmanager
def _defaults(style):
    matplotlib = _matplotlib()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from matplotlib import font_manager

        installed = {font.name for font in font_manager.fontManager.ttflist}
        family = ["DejaVu Sans", *(name for name in _FALLBACK if name in installed)]
        with matplotlib.rc_context(_settings(matplotlib) | {"font.family": family} | style):
            warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
            yield


class Canvas:
    """For a program that does nothing but draw, such as a lesson: figures with `style` from here
    on, in the whole process."""

    def __init__(self, style: dict[str, Any]) -> None:
        matplotlib = _matplotlib()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            matplotlib.rcParams.update(_settings(matplotlib) | style)

    def figure(self, **options: Any) -> Any:
        """A matplotlib Figure."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        drawing = Figure(**options)
        FigureCanvasAgg(drawing)
        return drawing

    def subplots(self, rows: int = 1, columns: int = 1, figsize: Any = None,
                 layout: str | None = None, **options: Any) -> Any:
        """(Figure, its axes), as pyplot has it."""
        drawing = self.figure(figsize=figsize, layout=layout)
        return drawing, drawing.subplots(rows, columns, **options)


def _settings(matplotlib):
    return {name: value for name, value in matplotlib.rcParamsDefault.items()
            if not name.startswith("backend")}


def _matplotlib():
    """The module. Importing it takes half a second, and reads the owner's settings: where these
    keep it from being imported (an unknown MPLBACKEND, a matplotlibrc in another encoding), it is
    imported without them."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # it also complains of homes that may not be written to
    try:
        return importlib.import_module("matplotlib")
    except ModuleNotFoundError:
        raise
    except Exception:
        return _without_settings()
    finally:
        logger.setLevel(level)


def _without_settings():
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        del sys.modules[name]  # halves of it, which do not go together with what is imported now
    before = {name: os.environ.get(name) for name in ("MPLBACKEND", "MATPLOTLIBRC")}
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as nowhere:
        os.environ |= {"MPLBACKEND": "agg", "MATPLOTLIBRC": os.devnull}
        os.chdir(nowhere)  # a matplotlibrc in the current folder comes before all others
        try:
            return importlib.import_module("matplotlib")
        finally:
            os.chdir(here)
            for name, value in before.items():
                os.environ.pop(name)
                os.environ |= {} if value is None else {name: value}


@contextmanager
def attempt(name: Any, say: Callable[[str], object], asked: bool = True) -> Iterator[None]:
    """A picture that cannot be drawn is one line, said by `say`, and everything else goes on. So is
    one that cannot be written if nobody has asked for it; else raises NotWritten."""
    try:
        yield
    except files.NotWritten as error:
        if asked:
            raise
        say(str(error))
    except Exception as error:  # a plotting library raises anything
        lines = str(error).strip().splitlines()
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        say(f"{name} was not drawn: {kind}{lines[0] if lines else ''}")


def drawn(output: files.Output, say: Callable[[str], object], draw: Callable[..., object],
          *arguments: Any, asked: bool = True) -> bool:
    """Draw the picture `output` by draw(output, *arguments); returns whether that went well (see
    attempt)."""
    with attempt(output, say, asked):
        draw(output, *arguments)
        return True
    return False


def named(path: Any, kind: str, otherwise: Any, of: str = "", force: bool = False) -> files.Output:
    """The files.Output for a picture: of the path that the user has given, or else the name
    `otherwise` or a free one like it. Raises UserError when no picture can be written there."""
    if path is None:
        folder, name = os.path.split(otherwise)
        output = files.unused(folder, *os.path.splitext(name), kind, of, force)
    else:
        output = files.Output(path, kind, of, force)
    format_of(output)
    output.check()
    return output
