"""Weights at a file's top level, which its functions read without being given them:

    Wxh, Whh, Why = np.random.randn(100, 30), …
    def loss(inputs, targets, h): …          reads Wxh …
        return loss, dWxh, dWhh, dWhy, h     and returns their gradients

Those of which a gradient is returned become arguments, with their own shapes.
"""
import functools
import inspect
from collections.abc import Callable

import numpy as np

from ..called import binding
from ..names import stem, stems_of_gradient
from ..reading.sources import names_returned
from . import objects


def with_outer(forward: Callable, backward: Callable | None) -> Callable:
    """The function with such weights before its own arguments; itself where it reads none. A call
    leaves them in the file, where backward reads them."""
    written = inspect.unwrap(forward)
    known = getattr(written, "__globals__", {})
    asked = {stem(p.name) for one in (forward, backward) for p in binding.signature(one)}
    gradients = {one for name in names_returned(backward or forward)
                 for one in stems_of_gradient(name)}
    read = getattr(getattr(written, "__code__", None), "co_names", ())
    found = {name: known[name].shape for name in read
             if isinstance(known.get(name), np.ndarray) and known[name].dtype.kind == "f"
             and stem(name) in gradients - asked}
    if not found:
        return forward

    @functools.wraps(forward)
    def called(*arguments, **keywords):
        known.update(zip(found, arguments), **{
            name: keywords.pop(name) for name in [*found] if name in keywords})
        return forward(*arguments[len(found):], **keywords)
    places = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in found]
    called.outer = found  # type: ignore[attr-defined]
    return binding.with_parameters(called, [*places, *binding.signature(forward)])


def drawn(function: Callable) -> dict[str, np.ndarray]:
    """{name: random values of a sensible size} for these weights."""
    return {name: objects.sensible(shape, np.random.default_rng([7, *name.encode()]))
            for name, shape in getattr(function, "outer", {}).items()}
