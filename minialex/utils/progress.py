"""What is seen while a network learns: tqdm's bar on a terminal; where output goes to a file, a
plain line now and then."""

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from . import console
from .bars import tqdm

PLAIN_SECONDS = 60  # between two plain lines within an epoch
BAR_SECONDS = 0.2  # between two looks at the loss, for which a GPU has to be waited for

Numbers = Callable[[], tuple[float, ...]]  # (loss, top-1, top-5) so far


def duration(seconds: float) -> str:
    """A time for people: 42 s, 5 min 10 s, 3 h 20 min, 4 days 3 h."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // 86400} days {seconds % 86400 // 3600} h"


class Progress:
    """Prints lines, and one bar per phase below them. terminal: is anybody watching? (default: is
    stdout a terminal)"""

    def __init__(self, terminal: bool | None = None, file: TextIO | None = None) -> None:
        # sys.stdout is None if it was closed.
        self.file = file or sys.stdout or open(os.devnull, "w", encoding="utf-8")
        self.terminal = self.file.isatty() if terminal is None else terminal

    def line(self, text: str = "") -> None:
        """Print a line, above the bar if there is one."""
        try:
            tqdm.write(text, file=self.file)
            self.file.flush()
        except OSError as error:  # a run is worth more than what it says: it goes on
            console.silence(self.file)
            if not isinstance(error, BrokenPipeError):
                print(f"minialex: {console.explain(error)} The run goes on without.",
                      file=sys.stderr)

    def phase(self, what: str, total: int, done: int = 0) -> "Phase":
        """A context manager for `total` pictures, of which `done` have been seen before."""
        return Phase(self, what, total, done)


class Phase:
    """One bar, or its lines. Leaving the `with` block takes the bar away."""

    def __init__(self, progress: Progress, what: str, total: int, done: int) -> None:
        self.progress, self.what, self.total, self.first, self.done = (progress, what, total, done,
                                                                       done)
        self.start = time.perf_counter()
        self.shown = 0.0 if progress.terminal else self.start
        self.bar = tqdm(desc=what, total=total, initial=done, file=progress.file, unit=" images",
                        leave=False, postfix=[""], disable=not progress.terminal,
                        ncols=shutil.get_terminal_size().columns, bar_format="{desc} "
                        "{percentage:3.0f} % |{bar}| {postfix[0]}{rate_fmt}, {remaining} left")

    def __enter__(self) -> "Phase":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.bar.close()

    def step(self, count: int, numbers: Numbers | None = None) -> None:
        """`count` more pictures; numbers: asked when they are shown, several times a second on a
        terminal, else once a minute."""
        self.done += count
        now, terminal = time.perf_counter(), self.progress.terminal
        if now - self.shown > (BAR_SECONDS if terminal
                               else PLAIN_SECONDS) and (terminal or self.done < self.total):
            self.shown = now
            told = "loss {:.3f}, top-1 {:.1%}, ".format(*numbers()) if numbers else ""
            if terminal:
                self.bar.postfix[0] = told
            else:
                rate = (self.done - self.first) / (now - self.start)
                self.progress.line(f"{self.what}: {self.done:,} of {self.total:,}, "
                                   f"{told}{rate:.1f} images/s, "
                                   f"{duration((self.total - self.done) / rate)} left")
        self.bar.update(count)
