"""Ctrl-C while training: the first one asks, and the step is finished and saved; the second one leaves at once."""

import signal
import threading


class Interrupted(Exception):
    """Training was asked to stop, and has saved where it is."""


class Interrupt:
    """A context manager; inside it, `requested` becomes True at Ctrl-C (or SIGTERM), and the next one interrupts."""

    def __init__(self, say=lambda text: None):
        self.requested, self.say, self.before = False, say, {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():  # Python lets no other thread handle signals
            for number in (signal.SIGINT, signal.SIGTERM):
                self.before[number] = signal.signal(number, self._handle) or signal.SIG_DFL
        return self

    def __exit__(self, *exception):
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _handle(self, number, frame):
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        self.say("stopping after this step; once more to leave at once")
