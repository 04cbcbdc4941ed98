"""What may be checked: named arrays of finite numbers, and nothing that only looks like them."""
import inspect
from collections.abc import Callable

import numpy as np

from ..device import array_module, is_masked

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class GradientsDiffer(ValueError):
    """Not as many gradients as inputs, or unknown names."""


def signature(function: Callable | None) -> list[inspect.Parameter]:
    """The parameters of a function; none where it has no signature."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some builtins have none
        return []


def names_of(caller: str, function: Callable, count: int,
             names: list[str] | None = None) -> list[str]:
    """The given names, or those of the function's own arguments. Raises ValueError for too few, or
    two that are equal."""
    if names is None:
        found = [p.name for p in signature(function) if p.kind in POSITIONAL and p.name != "self"]
        names = found[:count] if len(found) >= count else [f"input {i}" for i in range(count)]
    names = [names] if isinstance(names, str) else [str(name) for name in names]
    if len(names) != count or len(set(names)) != count:
        raise ValueError(f"{caller}: names must be {count} different ones, "
                         f"one for each input, got {names}.")
    return names


def check_kind(caller: str, name: str, value: object) -> None:
    """Raises TypeError for what is more than a plain array: with a mask, or with a `*` that means
    `@`."""
    if is_masked(value):
        raise TypeError(f"{caller}: {name} has a mask, and a step would move what it hides: "
                        f"give {name}.filled(0), {name}.compressed() or the mask as another input.")
    if isinstance(value, np.matrix):
        raise TypeError(f"{caller}: {name} is a np.matrix, whose * is the product @: "
                        f"give np.asarray({name}), and write @.")


def check_values(caller: str, name: str, array: np.ndarray) -> None:
    """Raises ValueError for an array that is empty or holds NaN or infinity: differences of those
    say nothing."""
    if array.size == 0:
        raise ValueError(f"{caller}: {name} has shape {array.shape}, which holds no values: "
                         "there is nothing to compare.")
    if not bool(array_module(array).isfinite(array).all()):
        raise ValueError(f"{caller}: {name} holds NaN or infinity: choose finite values.")


def as_numbers(what: str, value: object, hint: str = "") -> np.ndarray:
    """A new array of the real numbers in `value`; what: the beginning of the sentence that tells of
    anything else, hint: what follows it."""
    try:
        array = np.array(value)
    except ValueError:
        array = np.array(None)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{what} {kind(value)} that is no array of numbers.{hint}")
    return array


def kind(value: object) -> str:
    """What a sentence calls something that was not expected."""
    return "None" if value is None else f"a {type(value).__name__}"
