"""What is seen while a network learns: a bar on a terminal; where output goes to a file, a plain line now and then."""

import os
import shutil
import sys
import time

from tqdm import tqdm

from . import console

PLAIN_SECONDS = 60  # between two plain lines within an epoch
BAR_SECONDS = 0.2  # between two looks at the loss, for which a GPU has to be waited for


def duration(seconds):
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
    """Prints lines, and one bar per phase below them. terminal: is anybody watching? (default: is stdout a terminal)"""

    def __init__(self, terminal=None, file=None):
        self.file = file or sys.stdout or open(os.devnull, "w", encoding="utf-8")  # sys.stdout is None if it was closed
        self.terminal = self.file.isatty() if terminal is None else terminal

    def line(self, text=""):
        """Print a line, above the bar if there is one."""
        try:
            tqdm.write(text, file=self.file)
            self.file.flush()
        except OSError as error:  # a run is worth more than what it says: it goes on
            console.silence(self.file)
            if not isinstance(error, BrokenPipeError):
                print(f"minialex: {console.explain(error)} The run goes on without.", file=sys.stderr)

    def phase(self, what, total, done=0):
        """A context manager for `total` pictures, of which `done` have been seen before."""
        return _Bar(self, what, total, done) if self.terminal else _Lines(self, what, total, done)


class _Bar:
    def __init__(self, progress, what, total, done):
        self.bar = tqdm(
            desc=what,
            total=total,
            initial=done,
            file=progress.file,
            unit=" images",
            leave=False,
            ncols=shutil.get_terminal_size().columns,
            bar_format="{desc} {percentage:3.0f} % |{bar}| {postfix[0]}{rate_fmt}, {remaining} left",
            postfix=[""],
        )
        self.shown = 0.0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.bar.close()

    def step(self, count, numbers=None):
        """`count` more pictures; numbers: a function that gives the tally's (loss, top-1, top-5), asked when shown."""
        now = time.perf_counter()
        if numbers is not None and now - self.shown > BAR_SECONDS:
            self.shown = now
            loss, top1, _ = numbers()
            self.bar.postfix[0] = f"loss {loss:.3f}, top-1 {top1:.1%}, "
        self.bar.update(count)


class _Lines:
    def __init__(self, progress, what, total, done):
        self.progress, self.what, self.total, self.first, self.done = progress, what, total, done, done
        self.start = self.shown = time.perf_counter()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def step(self, count, numbers=None):
        """As for the bar; prints once a minute."""
        self.done += count
        now = time.perf_counter()
        if now - self.shown < PLAIN_SECONDS or self.done >= self.total:
            return
        self.shown = now
        rate = (self.done - self.first) / (now - self.start)
        loss, top1 = numbers()[:2] if numbers else (None, None)
        told = f"loss {loss:.3f}, top-1 {top1:.1%}, " if numbers else ""
        left = duration((self.total - self.done) / rate)
        self.progress.line(f"{self.what}: {self.done:,} of {self.total:,}, {told}{rate:.1f} images/s, {left} left")
