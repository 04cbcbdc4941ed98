"""Prints a lesson's texts when it gets to them, so that the prose stands where the student is: in
the terminal.

A notebook shows them as text cells. Elsewhere, each function of `classroom` says `up_to_here()`:
the text cells above the line that the lesson has reached are printed, each once.
"""
import os
import re
import sys
import textwrap
from pathlib import Path

try:
    import cells
except ImportError:  # as part of the package `lessons`
    from lessons import cells

HERE = Path(__file__).resolve().parent
WIDTH = 100
_left = []  # the text cells that have not been printed yet
_path = ""


def begin():
    """Start with the lesson that Python is running, if it is one. Its head is printed at once."""
    global _path
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if main is None or Path(main).resolve().parent != HERE or not re.fullmatch(r"\d\d_\w+\.py",
                                                                               Path(main).name):
        return
    _path = main
    _left[:] = [cell for cell in cells.read(Path(main).read_text(encoding="utf-8")) if cell.title
                or cell.kind == "text"]
    title = _left.pop(0)
    print(f"{title.title}\n{'═' * len(title.title)}")
    _show(title.body)


def up_to_here():
    """Print the text cells above the line that the lesson has reached."""
    frame = sys._getframe(1)
    while frame is not None and not (frame.f_code.co_name == "<module>"
                                     and frame.f_code.co_filename == _path):
        frame = frame.f_back
    if frame is not None:
        _up_to(frame.f_lineno)


def the_rest():
    """Print what is left at the end of a lesson: its exercise and what to try."""
    if _path:
        _up_to(float("inf"))


def _up_to(line):
    while _left and _left[0].line <= line:
        cell = _left.pop(0)
        if cell.kind == "text":
            _show(cell.body)
        elif not cell.title.startswith("Tools"):
            _show(f"## {cell.title}")


def paragraph(text, width=None, margin=None):
    """Wrapped lines, WIDTH wide; what follows the first is indented under it."""
    lead = text[: len(text) - len(text.lstrip("\n"))]
    text = text.lstrip("\n")
    if margin is None:
        margin = " " * (len(text) - len(text.lstrip()) + 2)
    return lead + textwrap.fill(text, width or WIDTH, subsequent_indent=margin,
                                break_long_words=False)


def _has_bold():
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def _show(body):
    print()
    in_code, bold = False, r"\033[1m\1\033[0m" if _has_bold() else r"\1"
    for line in cells.paragraphs(body):
        in_code ^= line.startswith("```")
        if line.startswith("```"):
            continue
        if line.startswith("#"):
            title = line.lstrip("# ")
            print(f"{title}\n{'─' * len(title)}")
        elif in_code or line.startswith(("    ", "|")):
            print(line)
        else:
            line = re.sub(r"\*\*(.+?)\*\*", bold, line)
            print(paragraph(line, margin="  " if re.match(r"[-*] |\d+\. ", line) else ""))
