"""What is wrong with a gradient: a table of known mistakes, and one search for the one that was
made."""
from .names import VERDICTS, Verdict
from .outcome import row, same_for_all, shape_differs

__all__ = ["VERDICTS", "Verdict", "row", "same_for_all", "shape_differs"]
