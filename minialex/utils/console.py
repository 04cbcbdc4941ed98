"""The commands' standard output, which may be closed, full, or a pipe whose reader (head, less) has
gone."""

import os
import sys
from collections.abc import Callable
from typing import TextIO

from ..errors import Ended, UserError
from .interrupt import INTERRUPTED
from .machine import launched, thread_count

BROKEN_PIPE = 141  # what a shell reports for a program that wrote into a pipe without a reader


def run(name: str, main: Callable[[], int | None], stopped: str = "stopped") -> int:
    """The exit status of the command `main` (None: 0). What goes wrong is one line on stderr: a
    mistake of the user's, output that cannot be written, too little memory: status 2; Ctrl-C, which
    says `stopped`: 130."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that has no "÷" shows a question mark
    try:
        try:
            thread_count()  # MINIALEX_THREADS=two shows before the work begins, in every command
            return main() or 0
        finally:  # here, because what fails when Python exits cannot be caught
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt as error:
        status, problem = explained(error, stopped)
    except BrokenPipeError:
        silence(sys.stdout)
        return BROKEN_PIPE
    except EXPECTED as error:
        if isinstance(error, OSError):
            silence(sys.stdout)
        status, problem = explained(error)
    # Of several processes on a machine one says what all have found.
    if launched("local rank") == 0:
        warn(name)(problem)
    return status


EXPECTED = (UserError, Ended, OSError, MemoryError)


def explained(error: BaseException, stopped: str = "stopped") -> tuple[int, str]:
    """(exit status, sentence) for what ends a command."""
    if isinstance(error, Ended):
        return error.status, str(error)
    status, problem = 2, str(error)
    if isinstance(error, KeyboardInterrupt):
        status, problem = INTERRUPTED, stopped
    elif isinstance(error, OSError):
        problem = explain(error)
    elif isinstance(error, MemoryError) and not isinstance(error, UserError):
        problem = f"the memory is too small: {error or 'an array could not be allocated'}"
    return status, problem if problem.endswith((".", "?", "!")) else f"{problem}."


def warn(name: str) -> Callable[[str], None]:
    """A function that says what went wrong while the command goes on."""
    return lambda text: print(f"{name}: {text}", file=sys.stderr)


def silence(stream: TextIO | None) -> None:
    """Let everything that is still written to a stream, when Python exits at the latest, vanish."""
    if stream is None:
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except OSError:  # a stream without a file below it
        pass


def explain(error: OSError) -> str:
    """One sentence for an OSError."""
    what = ("the output cannot be written" if error.filename is None
            else f"cannot use {os.fspath(error.filename)!r}")
    return f"{what}: {error.strerror or error}."
