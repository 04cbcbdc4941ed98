"""In a submission's process: does what the other side asks, one thing at a time (see remote.py)."""
import os
import socket
import sys
import threading
import time
import traceback

import numpy as np

from ..gradcheck.tensor_function import frozen
from ..students.reading import files, older
from . import wire
from .confine import confine
from .remote import PATIENCE
from .submission import Submission


class Inside(wire.Peer):
    """This end of the channel: its first object is the submission."""

    def __init__(self, connection, submission: Submission) -> None:
        super().__init__(connection)
        self.submission, self.busy = submission, False
        self._kept(submission)

    def serve(self) -> None:
        """Obeys until the other side has gone."""
        reply = b""
        while True:
            reply = self.answer(self.exchange(reply)["do"])

    def exchange(self, data: bytes) -> dict:
        """What the other side says next."""
        busy, self.busy = self.busy, False
        message = super().exchange(data)
        self.busy = busy or "do" in message
        return message

    def answer(self, asked: list) -> bytes:
        """Does what is asked: the reply."""
        target, method, arguments, keywords, state = asked
        try:
            if state is not None:
                np.random.set_state(state)
            function = getattr(target, method) if method else target
            if target is not self.submission:
                self.submission.doing = getattr(function, "__name__", "a call")
            before = self.pack([arguments, keywords])
            value = function(*arguments, **keywords)
            changed = self.pack([arguments, keywords]) != before
            written = [arguments, keywords] if changed else None
            return self.pack({"value": value, "changed": written})
        except BaseException as error:  # SystemExit, too: nothing in a submission stops us
            return self.pack({"failed": files.explained(error, self.submission.path)})

    def failure(self, reply: dict) -> wire.StudentError:
        """The exception for what came instead of a value."""
        return wire.raised(reply["failed"])

    def watch(self, seconds: float, thread: int) -> None:
        """In a thread of its own: waits for too much computing time, or waiting, says where the
        code is, and ends it all. Code that never lets another thread run is ended by the
        system, or by the other side."""
        began, waited = time.process_time(), 0.0
        while time.process_time() - began < seconds and waited < PATIENCE * seconds:
            time.sleep(0.1)
            waited += 0.1 if self.busy else 0.0  # not while the other side computes
        frame, submission = sys._current_frames().get(thread), self.submission
        stack = traceback.extract_stack(frame) if frame is not None else []
        slow = f"it is slow: --timeout {4 * seconds:g}"
        why = slow if submission.returned else "does a loop never end?"
        message = f"{submission.doing} was not done after {seconds:g} s (--timeout): {why}"
        self.send(self.pack({"late": {
            "kind": "out of time", "message": message,
            "lines": files.own_lines(stack, submission.path) if submission.path else []}}))
        os._exit(0)


def main(seconds: float, limits: dict[str, int], private: bool, parent: int | None) -> None:
    """Called in the new process, before anything of the submission is loaded. limits, private,
    parent: confine's."""
    confine(limits, private, parent)
    if os.name == "nt":
        connection = socket.fromshare(sys.stdin.buffer.read())
    else:
        connection = socket.socket(fileno=os.dup(0))
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    connection.setblocking(True)
    sys.stdin = open(os.devnull, encoding="utf-8")
    older.understand()
    with frozen() as restart:
        inside = Inside(connection, Submission(restart))
        watched = (seconds, threading.get_ident())
        threading.Thread(target=inside.watch, args=watched, daemon=True).start()
        try:
            inside.serve()
        finally:  # the other side has gone
            os._exit(0)
