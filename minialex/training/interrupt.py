"""Ctrl-C while training: the first one asks, and the step is finished and saved; the second one leaves at once.

What a shared machine sends before it takes a program down, and a terminal when it is closed, is heard like the first.
"""

import signal
import threading

HEARD = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP


class Interrupted(Exception):
    """Training was asked to stop, and has saved where it is."""


class Interrupt:
    """A context manager; inside it, `requested` becomes True at the first signal, and the next one interrupts."""

    def __init__(self, say=lambda text: None):
        self.requested, self.say, self.before = False, say, {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():  # Python lets no other thread handle signals
            for number in (getattr(signal, name) for name in HEARD if hasattr(signal, name)):
                if signal.getsignal(number) != signal.SIG_IGN:  # nohup, and shells for what runs in the background, do that
                    self.before[number] = signal.signal(number, self._handle) or signal.SIG_DFL
        return self

    def __exit__(self, *exception):
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _handle(self, number, frame):
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        try:
            self.say("stopping after this step; once more to leave at once")
        except RuntimeError:  # the signal came while the program was printing, and its output takes one line at a time
            pass
