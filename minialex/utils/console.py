"""The commands' standard output, which may be closed, full, or a pipe whose reader (head, less) has gone."""

import os
import sys

from ..errors import UserError
from .machine import thread_count

INTERRUPTED = 130  # what a shell reports after Ctrl-C
BROKEN_PIPE = 141  # what a shell reports for a program that wrote into a pipe without a reader


def run(name, main):
    """The exit status of the command `main`. Output that cannot be written is one line on stderr, status 2."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that has no "÷" shows a question mark
    try:
        try:
            thread_count()  # MINIALEX_THREADS=two shows before the work begins, in every command
            return main()
        finally:  # here, because what fails when Python exits cannot be caught
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except UserError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        silence(sys.stdout)
        return BROKEN_PIPE
    except OSError as error:
        silence(sys.stdout)
        print(f"{name}: {explain(error)}", file=sys.stderr)
        return 2
    except MemoryError as error:
        print(f"{name}: the memory is too small: {error or 'an array could not be allocated'}", file=sys.stderr)
        return 2


def warn(name):
    """A function that says what went wrong while the command goes on."""
    return lambda text: print(f"{name}: {text}", file=sys.stderr)


def silence(stream):
    """Let everything that is still written to a stream, when Python exits at the latest, vanish."""
    if stream is None:
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except OSError:  # a stream without a file below it
        pass


def explain(error):
    """One sentence for an OSError."""
    what = "the output cannot be written" if error.filename is None else f"cannot use {os.fspath(error.filename)!r}"
    return f"{what}: {error.strerror or error}."
