"""What is wrong with a gradient: one hypothesis a function, each with the test that supports it."""
from .names import VERDICTS, Verdict
from .outcome import absent, row, same_for_all, shape_differs, without_gradient

__all__ = ["VERDICTS", "Verdict", "absent", "row", "same_for_all", "shape_differs", "without_gradient"]
