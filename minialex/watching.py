"""Watch the operations while they run: anomaly detection does, and so do recordings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import tensor


@contextmanager
def watching(observer: Callable[..., Any]) -> Iterator[None]:
    """Every forward and backward call of a Function goes through an observer, inside the block.

    `observer(direction, function, call)` returns what is called instead: `call`, or a function of
    the same arrays around it.
    """
    tensor.observers.append(observer)
    try:
        yield
    finally:
        tensor.observers.remove(observer)
