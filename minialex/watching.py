"""Watch the operations while they run: for anomaly detection, recordings and whoever wants to know what an engine does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import tensor


@contextmanager
def watching(observer: Callable[..., Any]) -> Iterator[None]:
    """Inside the block every forward and backward call of a Function goes through `observer(direction, function, call)`.

    It returns what is called instead: `call` itself, or a function of the same arrays around it.
    """
    tensor.observers.append(observer)
    try:
        yield
    finally:
        tensor.observers.remove(observer)
