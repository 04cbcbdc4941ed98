"""Ctrl-C in the second that a command takes to be imported: it ends, as quietly as later.

Python's own way is an exception in the middle of somebody's imports, which may catch it, or make
an error of their own of it. So the package imports this file first.
"""
import os
import signal
import sys

INTERRUPTED = 130  # what a shell reports after Ctrl-C


def _end(*_):
    os._exit(INTERRUPTED)


def over() -> None:
    """All is imported: from now on Ctrl-C is a KeyboardInterrupt."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# A command's only, not a program's that imports minialex: /usr/bin/minialex, or what stands
# behind -m, which sys.argv has as its first word until Python has found that module.
_program = os.path.basename("".join(sys.orig_argv[-len(sys.argv):][:1])).split(".")[0]
_is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # nohup ignores it
if _program == "minialex" and _is_default:
    signal.signal(signal.SIGINT, _end)
