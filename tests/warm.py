"""Processes for students' files without the time in which Python and NumPy start: one that has
imported them forks for each file.

What a file meets there is what it meets in a new process: the same code of minialex/grader, with
limits, streams and environment of its own. Confined ones (a class's files) start anew, as do those
of tests about processes, and all where a system cannot fork.
"""
import io
import multiprocessing
import os
import subprocess
import sys
import threading
from multiprocessing import connection, forkserver
from pathlib import Path
from unittest import mock

import minialex.grader.inside  # noqa: F401 (the server has it)
from minialex.grader import sandbox

HERE = Path(__file__).parent
CAN_FORK = "forkserver" in multiprocessing.get_all_start_methods()
ONE = threading.Lock()  # os.environ is changed, and of two that read a process's end one gets 255


class Forked:
    """What sandbox.Process needs of a subprocess.Popen."""

    def __init__(self, command, channel, environment):
        reading, writing = os.pipe()
        own_end = connection.Connection(writing, readable=False)
        self.process = multiprocessing.get_context("forkserver").Process(
            target=run, args=(command, channel, own_end, environment, os.getpid()), daemon=True)
        self.process.start()
        own_end.close()
        self.stdout, self.pid = open(reading, "rb"), self.process.pid

    def wait(self, timeout=None):
        if not connection.wait([self.process.sentinel], timeout):
            raise subprocess.TimeoutExpired("a student's file", timeout)
        with ONE:
            return self.process.exitcode

    def kill(self):
        self.process.kill()


def run(command, channel, output, environment, parent):
    """In the process that has been forked: what `command`, a Python's, would do."""
    os.setsid()
    for stream, number in ((channel, 0), (output, 1), (output, 2)):
        os.dup2(stream.fileno(), number)
    channel.close()
    output.close()
    sys.stdout, sys.stderr = (io.TextIOWrapper(open(number, "wb", 0, closefd=False), "utf-8",
                                               write_through=True) for number in (1, 2))
    os.environ.clear()
    os.environ.update(environment)
    os.getppid = lambda: parent  # confine.py: as if it had started this process
    exec(command[command.index("-c") + 1], {"__name__": "__main__"})


def _start_server():
    """With the environment in which a submission's process imports NumPy."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["warm"])
    places = os.pathsep.join([str(HERE), str(HERE.parent)])
    with mock.patch.dict(os.environ, {**sandbox.QUIET, "PYTHONPATH": places}):
        forkserver.ensure_running()


def started(process, command, theirs, start=sandbox.Process._started):
    """In the place of `start`: what is confined starts anew, one's own file in a forked process."""
    if process.level != sandbox.OPEN or not CAN_FORK:
        return start(process, command, theirs)
    with ONE:  # multiprocessing looks after the others whenever it starts one
        _start_server()
        return Forked(command, theirs, {**os.environ, **sandbox.QUIET})
