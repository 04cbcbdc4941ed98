"""Anomaly mode: which operation, in which layer, was the first to produce NaN or infinity?

    with minialex.detect_anomaly():
        loss = F.cross_entropy(model(x), labels)
        loss.backward()

Every result of every forward and backward call is looked at, which takes time: for finding a fault,
not for training.
"""
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from . import functional as F
from .aliases import Array
from .device import array_module, is_array
from .nn import Module
from .tensor import Function, Tensor
from .watching import watching


def detect_anomaly() -> AbstractContextManager[None]:
    """Inside the block, the first forward or backward result with NaN or infinity raises
    FloatingPointError."""
    return watching(_check)


def explain(model: Module, images: Array, labels: Array) -> str:
    """Where NaN or infinity comes up in the loss of a batch: the first layer that gives it."""
    broken = first_broken_parameter(model)
    if broken:
        return (f"layer {broken.rpartition('.')[0]} is the first with NaN or infinity in "
                f"its parameters ({broken}).")
    try:
        with detect_anomaly():
            F.cross_entropy(model(Tensor(images)), labels).backward()
    except FloatingPointError as error:
        return str(error)
    last = list(model.named_parameters())[-1][0].rpartition(".")[0]
    return f"no layer up to {last} gives NaN or infinity for the same batch again."


def first_broken_parameter(model: Module) -> str | None:
    """The name of the first parameter with NaN or infinity in it, or None."""
    return next((name for name, parameter in model.named_parameters()
                 if not _finite(parameter.data)), None)


def _check(direction: str, function: Function, call: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*arrays: Array) -> Any:
        result = call(*arrays)
        for value in result if isinstance(result, (tuple, list)) else (result,):
            if value is None:
                continue
            # A student's Function may return a number.
            value = value if is_array(value) else np.asarray(value)
            if value.size and not _finite(value):
                raise FloatingPointError(_sentence(direction, function, arrays, value))
        return result
    return checked


def _finite(array: Array) -> bool:
    return bool(array_module(array).isfinite(array).all())


def _sentence(direction: str, function: Function, arrays: Sequence[Array], value: Array) -> str:
    xp = array_module(value)
    counts = [f"{int(n):,} {what}" for what, n in (("NaN", xp.isnan(value).sum()),
                                                   ("infinite", xp.isinf(value).sum())) if n]
    where = f"layer {function.layer}, " if function.layer else ""
    given = [f"input {i} of shape {a.shape}" for i, a in enumerate(arrays) if not _finite(a)]
    blame = (f"the cause came in with {', '.join(given)}: look at the data and the weights" if given
             else "all that came in was finite: the learning rate may be too high, or a logarithm, "
             "division or exponential left its domain")
    return (f"{where}op {function.name}, {direction}: "
            f"{' and '.join(counts)} of {value.size:,} values; {blame}.")
