"""The one exception that a user, rather than a programmer, is meant to read."""


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


def require(condition: object, sentence: str) -> None:
    """Raise UserError with this sentence unless the condition holds."""
    if not condition:
        raise UserError(sentence)
