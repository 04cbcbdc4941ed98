"""A submission's functions, as if they were here: each call is done in its own process.

    remote = Remote([path], timeout=10)
    remote.ask("load", path)
    relu, relu_backward = remote.ask("names", ["relu", "relu_backward"])
    ma.check_backward(relu, relu_backward, [x])

The grader chooses the inputs, computes the numeric gradients and the verdict in its own process;
the other one is only asked for values. So a submission can give wrong values, or none, and nothing
else. What it changes in an argument is changed here.
"""
import signal
import threading
import time
from pathlib import Path

from . import wire
from .sandbox import Process
from .wire import StudentError

PATIENCE = 6  # times the limit of computing time, by the clock: nobody is blamed for a busy machine
GRACE = 30  # seconds by the clock, for starting Python


class Gone(StudentError):
    """The submission's process has ended, or must be ended: nothing more can be asked."""


class Remote(wire.Peer):
    """One submission's process. files: what it may see. gone: why there is none any more, or
    None. level: of sandbox.py; the strongest by default."""

    def __init__(self, files: list[Path], timeout: float = 10.0, memory: int = 4096,
                 level: str | None = None) -> None:
        self.timeout, self.gone, self.late = timeout, None, False
        self.process = Process(files, timeout, memory, level)
        super().__init__(self.process.channel)
        self.left = PATIENCE * timeout + GRACE  # seconds that we wait for it, all in all

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.gone is None:
            self.process.end()

    def call(self, target: wire.Far, method: str | None, *arguments, **keywords) -> object:
        """What it returns. One that takes too long ends the process."""
        began, watch = time.monotonic(), threading.Timer(max(self.left, 0), self._hang_up)
        watch.start()
        try:
            return super().call(target, method, *arguments, **keywords)
        finally:
            watch.cancel()
            self.left -= time.monotonic() - began

    def _hang_up(self):
        self.late = True
        self.process.hang_up()

    def exchange(self, data: bytes) -> dict:
        """The next message after this one. Raises Gone for what is none, or when none comes, and
        ever after."""
        if self.gone is not None:
            raise self.gone
        try:
            return super().exchange(data)
        except wire.Garbled as problem:
            raise self._ends("crash", str(problem)) from None
        except (OSError, EOFError, ValueError):  # of a closed socket
            raise self._how_it_ended() from None

    def answer(self, asked: list) -> bytes:
        """Call what was asked for: the reply. Only what was handed over can be called, none of
        its methods."""
        try:
            target, _, arguments, keywords, _ = asked
            return self.pack({"value": target(*arguments, **keywords), "changed": None})
        except Exception as error:
            told = {"kind": type(error).__name__, "message": str(error)[:500], "lines": []}
            return self.pack({"failed": told})

    def failure(self, reply: dict) -> StudentError:
        """The exception for what came instead of a value."""
        told = trimmed(reply.get("failed", reply.get("late")))
        if told is None:
            return self._ends("crash", "what came back cannot be read")
        return self._ends(**told) if "late" in reply else wire.raised(told)

    def _ends(self, kind, message, lines=()):
        self.gone = Gone({"kind": kind, "message": message, "lines": list(lines)})
        self.process.end()
        return self.gone

    def _how_it_ended(self):
        status = None if self.late else self.process.status(2.0)
        name = {-number: number.name for number in signal.Signals}.get(status, "")
        if self.late or name in ("SIGXCPU", "SIGKILL"):
            why = f"no answer after {self.timeout:g} seconds (--timeout)"
            return self._ends("out of time", why)
        if status is None:
            return self._ends("crash", "the code closed the connection to the grader")
        if status < 0:
            name = name or f"signal {-status}"
            return self._ends("crash", f"the Python interpreter crashed ({name})")
        self.process.reader.join(0.5)
        last = self.process.printed().strip().splitlines()[-1:]
        said = f", with the words: {last[0][:200]}" if status and last else ""
        return self._ends("crash", "the code ended the Python interpreter "
                          f"(exit status {status}{said})")


def trimmed(told: object) -> dict | None:
    """{"kind", "message", "lines"} of what a submission says of an error, whatever it is; None
    for what is none."""
    try:
        lines = [{**{key: str(line[key])[:300] for key in ("file", "in", "code")},
                  "line": int(line["line"])} for line in told["lines"][:10]]
        return {"kind": str(told["kind"])[:100], "message": str(told["message"])[:2000],
                "lines": lines}
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError):
        return None
