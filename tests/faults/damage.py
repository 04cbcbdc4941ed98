"""Checkpoints with changed, missing or added bytes: each is refused with a sentence, and nothing in
the folder changes."""

import contextlib
import io
import random
import shutil
from unittest import mock

from outcome import Outcome

from minialex.cli import train
from minialex.errors import UserError
from minialex.training import callbacks, checkpoint


def copies(whole, count, seed=2):
    """(what was done, bytes): one bit changed, cut, overwritten, swapped, lengthened, emptied."""
    draw = random.Random(seed)
    for number in range(count):
        kind, here = number % 8, draw.randrange(len(whole))
        length = draw.randrange(1, 4096)
        if kind < 3:
            yield f"a bit changed at {here}", whole[:here] + bytes(
                [whole[here] ^ 1 << draw.randrange(8)]) + whole[here + 1 :]
        elif kind == 3:
            yield f"cut off at {here}", whole[:here]
        elif kind == 4:
            yield f"{length} zeros at {here}", whole[:here] + b"\0" * (length + 1) + whole[
                here + length + 1 :] + b"\0"
        elif kind == 5:
            yield f"{length} bytes missing at {here}", whole[:here] + whole[here + length :]
        elif kind == 6:
            yield f"{length} bytes twice at {here}", whole[: here + length] + whole[here:]
        else:
            end = whole[-draw.randrange(1, 300) :]
            yield f"the last {len(end)} bytes changed", whole[: -len(end)] + bytes(
                draw.randrange(256) for _ in end) + b"!"
    yield "empty", b""
    yield "a text", b"# a checkpoint\n" * 100


def refused(world, count):
    """Each copy is given to the function that reads checkpoints."""
    row = Outcome("checkpoint with changed or missing bytes",
                  "refused with a sentence that names the file")
    whole = (world.whole / "checkpoint-last.npz").read_bytes()
    path = world.folder / "damaged.npz"
    for what, content in copies(whole, count):
        path.write_bytes(content)
        try:
            checkpoint.load(path)
            row.check(content == whole, f"{what}: it was read")
        except UserError as error:
            row.check(str(path) in str(error) and "\n" not in str(error), f"{what}: {error}")
        except BaseException as error:
            row.check(False, f"{what}: {type(error).__name__}: {error}")
    return row


def refused_by_the_command(world, count):
    """Each copy stands where the run's checkpoint was, and the run is to go on."""
    row = Outcome("--resume with a damaged checkpoint", "status 2, one line, the folder unchanged")
    run = world.folder / "damaged"
    shutil.copytree(world.whole, run)
    whole = (run / "checkpoint-last.npz").read_bytes()
    for what, content in copies(whole, count, seed=3):
        (run / "checkpoint-last.npz").write_bytes(content)
        before = {path.name: path.read_bytes() for path in run.iterdir()}
        status, said = command(["--resume", str(run)])
        same = before == {path.name: path.read_bytes() for path in run.iterdir()}
        row.check(status == 2 and said.count("\n") == 1 and same,
                  f"{what}: status {status}, {said}")
    return row


def command(arguments):
    """(status, what stands on stderr) of the train command, in this process."""
    # which take longer than these runs
    no_pictures = mock.patch.object(callbacks.Figures, "on_end")
    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(
            io.StringIO()), no_pictures:
        try:
            status = train.main(arguments)
        except SystemExit as stopped:
            status = stopped.code
        except BaseException as error:
            return -1, f"{type(error).__name__}: {error}\n"
    return status, said.getvalue()
