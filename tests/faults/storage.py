"""Disks that are full, folders that may no longer be written to, clocks that jump."""

import os
import random
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
from outcome import Outcome

from minialex.errors import UserError
from minialex.training import checkpoint
from minialex.training.checkpoint import Saved

NOBODY = 65534


def full_at_every_length(folder, count):
    """The system takes no more than n bytes of a new checkpoint, for n from 0 to all but one
    (RLIMIT_FSIZE)."""
    row = Outcome("no room for the rest of a checkpoint",
                  "said so; the old one is there, whole, and no rubbish")
    if sys.platform == "win32":
        row.skipped = "Windows has no limit on the size of files"
        return row
    path = folder / "room" / "checkpoint-last.npz"
    path.parent.mkdir()
    weights = {"w": np.arange(20_000, dtype=np.float32)}
    checkpoint.save(path, Saved(weights, weights, np.zeros(3, np.float32), {"epoch": 1}))
    before = path.read_bytes()
    for index in range(count):
        room = index * len(before) // count
        try:
            with _largest_file(room):
                checkpoint.save(path,
                                Saved(weights, weights, np.zeros(3, np.float32), {"epoch": 2}))
            row.check(False, f"room for {room} bytes: it says that it has saved")
        except UserError as error:
            good = "was there before is unchanged" in str(error) and path.read_bytes() == before
            row.check(good and os.listdir(path.parent) == [path.name],
                      f"room for {room} bytes: {error}")
    return row


@contextmanager
def _largest_file(size):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def full_disk(world, sizes):
    """Runs into a file system of so many KB; then it gets larger, and the run goes on."""
    row = Outcome("disk full while training", "status 2, a sentence; "
                  "with room again --resume ends with the same bytes")
    place = world.folder / "disk"
    place.mkdir()
    for size in sizes:
        if sys.platform != "linux" or os.geteuid() != 0 or not _mount(place, f"size={size}k"):
            row.skipped = "only root on Linux can make a small disk"
            return row
        try:
            status = world.start(place / "run")
            said = world.said()
            row.check(status == 2 and "No space left on device" in said and "Traceback" not in said,
                      f"{size} KB: status {status}, {said[-300:]}")
            _mount(place, f"remount,size={size + 8000}k")
            status = world.go_on(place / "run")
            what = world.difference(place / "run") if status == 0 else world.said()[-300:]
            row.check(not what, f"{size} KB, going on: {what}")
        finally:
            subprocess.run(["umount", str(place)], check=True)
    return row


def _mount(place, options):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(place)],
                          capture_output=True).returncode == 0


def permission_lost(world, steps):
    """After some steps the run's folder can only be read; later it can be written to again."""
    row = Outcome("permission lost while training", "warned, status 2; "
                  "with it back --resume ends with the same bytes")
    user = NOBODY if os.geteuid() == 0 else None
    for step in steps:
        run = world.folder / f"rights-{step}"
        run.mkdir()
        if user is not None:
            os.chown(run, user, user)
        status = world.start(run, chmod=[step, str(run), 0o500], user=user)
        said = world.said()
        row.check(status == 2 and "Permission denied" in said and "Traceback" not in said
                  and "warning" in said, f"step {step}: status {status}, {said[-300:]}")
        run.chmod(0o700)
        status = world.go_on(run, user=user)
        what = world.difference(run) if status == 0 else world.said()[-300:]
        row.check(not what, f"step {step}, going on: {what}")
    return row


def clock_jumps(world, count):
    """time.time() is another moment between 1970 and 2100 each time it is asked, and so are the
    dates of all files."""
    row = Outcome("clock jumps, before and after --resume", "same bytes")
    draw = random.Random(4)
    for seed in range(count):
        run = world.folder / f"clock-{seed}"
        world.start(run, clock=seed, die=draw.randrange(30, 900))
        for path in run.iterdir():
            os.utime(path, (draw.uniform(0, 4e9), draw.uniform(0, 4e9)))
        status = world.go_on(run, clock=seed + 1000)
        what = world.difference(run) if status == 0 else world.said()[-300:]
        row.check(not what, f"clock {seed}: {what}")
    return row
