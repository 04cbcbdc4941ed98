"""The exceptions that others look at; UserError is the one that a user is meant to read."""
from typing import Any


class UserError(Exception):
    """A mistake of the user: the message is one sentence that says what to do. Commands print it
    and exit 2."""


class OutOfMemory(UserError, MemoryError):
    """What was asked for does not fit the memory: what was needed, what there was, what would
    fit."""


class Ended(Exception):
    """A command has come to an end that is nobody's mistake: the message says which, `status` is
    the exit status."""

    status = 1


class GradientShape(ValueError):
    """A backward pass returned a gradient of another shape than its input's. source: the Tensor or
    Function that this input came from."""

    def __init__(self, function: Any, position: int, got: tuple[int, ...]) -> None:
        super().__init__(f"{function.name}.backward returned shape {got} for input {position} of "
                         f"shape {function.input_types[position][0]}: a gradient has the shape of "
                         "its input.")
        self.source = function.sources[position]


def require(condition: object, sentence: str) -> None:
    """Raise UserError with this sentence unless the condition holds."""
    if not condition:
        raise UserError(sentence)
