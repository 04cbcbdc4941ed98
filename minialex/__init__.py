"""minialex: AlexNet from scratch, on NumPy and CuPy. A student's imports:

    import minialex as ma
    import minialex.functional as F
    from minialex import nn, optim, models, shapes
"""
from .utils import interrupt  # noqa: F401 (first: all else takes a while to import)

# isort: split
from typing import Any

from . import errors, fast, functional, gradcheck, models, nn, ops, optim, random, shapes, tensor  # noqa: F401
from .anomaly import detect_anomaly
from .random import manual_seed
from .tensor import Function, Tensor, is_grad_enabled, no_grad, textbook

__version__ = "0.2.0"
__all__ = ["Function", "Tensor", "check_backward", "detect_anomaly", "fast", "functional",
           "gradcheck", "is_grad_enabled", "manual_seed", "models", "nn", "no_grad", "optim",
           "record", "shapes", "textbook"]


def __getattr__(name: str) -> Any:
    """`ma.check_backward` and `ma.record` are imported when they are first asked for."""
    if name == "check_backward":
        from .students.called.check import check_backward

        return check_backward
    if name == "record":
        from .explore.recording import record

        return record
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
