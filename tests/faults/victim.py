"""Training that is going to be hurt: a server that forks a small real run of the train command for
each order it gets.

The server has imported everything, so that a run begins within milliseconds, and has no threads, so
that it can be forked. Orders come as lines of JSON: arguments (of minialex.train), log (a file for
what it prints) and what is to go wrong:

    slow       seconds that each piece of a checkpoint takes to be written, so that a blow from outside lands inside
    die        number of the operation on files (write, fsync, rename, link, unlink) at which it kills itself; a write is
               then done by half
    clock      a seed: time.time() jumps between 1970 and 2100 all the time
    chmod      [step, folder, mode]: after that training step the folder's rights change
    user       number of the user it runs as
"""  # noqa: E501

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Victim:
    """One server; `run` does one order to its end, `start` and `wait` let something happen in
    between."""

    def __init__(self):
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
                                    "MINIALEX_THREADS": "1", "MPLBACKEND": "Agg",
                                    "PYTHONPATH": str(ROOT)}
        self.server = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.server.stdin.close()
        self.server.wait()

    def start(self, arguments, log, **faults):
        """Begin a run; returns its process number."""
        order = {"arguments": [str(argument) for argument in arguments], "log": str(log)} | faults
        self.server.stdin.write(json.dumps(order) + "\n")
        self.server.stdin.flush()
        return int(self.server.stdout.readline())

    def wait(self):
        """The exit status of the run: negative for the signal that ended it."""
        return int(self.server.stdout.readline())

    def ends_within(self, seconds):
        """Wait so long for the run to end, or less if it does."""
        return bool(select.select([self.server.stdout], [], [], seconds)[0])

    def run(self, arguments, log, **faults):
        """A run from beginning to end; returns its exit status."""
        self.start(arguments, log, **faults)
        return self.wait()


def _serve():
    import threadpoolctl  # noqa: F401  what runs as another user may not be allowed to import any more
    from PIL import Image

    import minialex.evaluation.figures  # noqa: F401  all that is slow to import
    from minialex.cli import train

    Image.init()
    "".encode("cp437")  # zip files ask for it
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _obey(order, train)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _obey(order, train):
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(0)
    status = 99
    try:
        if order.get("user") is not None:
            os.setgroups([])
            os.setgid(order["user"])
            os.setuid(order["user"])
        _arrange(order)
        status = train.main(order["arguments"])
    except SystemExit as stopped:
        status = stopped.code
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _arrange(order):
    from minialex.training import callbacks, checkpoint, loop

    callbacks.Figures.on_end = lambda self, trainer: None  # matplotlib takes longer than these runs
    if order.get("slow"):
        _write_by(checkpoint, _slowly(order["slow"]))
    if order.get("die") is not None:
        _die_at(order["die"], checkpoint)
    if order.get("clock") is not None:
        clock = random.Random(order["clock"])
        time.time = lambda: clock.uniform(0, 4.1e9)
        time.localtime = lambda seconds=None: time.gmtime(clock.uniform(0, 4.1e9) if seconds is None
                                                          else seconds)
    if order.get("chmod"):
        _change_rights(*order["chmod"], loop)


class _Disk:
    """A checkpoint's file, into which write(file, data) writes."""

    def __init__(self, file, write):
        self.file, self.write = file, lambda data: write(file, data)

    def __getattr__(self, name):
        return getattr(self.file, name)


def _write_by(checkpoint, write):
    sealed = checkpoint._write_sealed
    checkpoint._write_sealed = lambda file, arrays: sealed(_Disk(file, write), arrays)


def _slowly(seconds):
    def slow(file, data):
        view = memoryview(data).cast("B")
        for start in range(0, len(view), 1 << 14):
            file.write(view[start : start + (1 << 14)])
            file.flush()
            time.sleep(seconds)
        return len(view)

    return slow


def _die_at(number, checkpoint):
    done = [0]

    def is_the_end():
        done[0] += 1
        return done[0] == number

    def half(file, data):
        if is_the_end():
            file.write(memoryview(data).cast("B")[: len(data) // 2])
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return file.write(data)

    def dying(function):
        def call(*arguments, **options):
            if is_the_end():
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return call

    _write_by(checkpoint, half)
    for name in ("fsync", "replace", "link", "unlink"):
        setattr(os, name, dying(getattr(os, name)))


def _change_rights(step, folder, mode, loop):
    original, done = loop.Trainer.step, [0]

    def and_then(self, *batch):
        original(self, *batch)
        done[0] += 1
        if done[0] == step:
            os.chmod(folder, mode)

    loop.Trainer.step = and_then


if __name__ == "__main__":
    _serve()
