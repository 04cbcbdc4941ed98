"""--dry-run: everything that a run will do, done once in a folder that is removed again."""

import os
import shutil
import tempfile
import time
from contextlib import contextmanager

from ..data import UnreadablePicture
from ..device import memory_used
from ..utils.progress import duration
from . import checkpoint, estimate, plots
from .experiment import spread
from .folder import RunFolder

LOOKED_AT = 500  # pictures of each set
STEPS = 3  # the first is slower than the others and not counted


@contextmanager
def scratch(folder):
    """A RunFolder on the same file system as this one, which answers to its name and vanishes in the end."""
    there = next(path for path in [folder.path, *folder.path.absolute().parents] if path.is_dir())
    temporary = RunFolder(tempfile.mkdtemp(prefix=".minialex-dry-run-", dir=there))
    temporary.shown = str(folder)
    try:
        if (folder.path / "config.json").exists():
            shutil.copyfile(folder.path / "config.json", temporary.path / "config.json")
            temporary.source = folder.source if folder.source.exists() else temporary.last
        yield temporary
    finally:
        temporary.release()
        shutil.rmtree(temporary.path, ignore_errors=True)


def rehearse(trainer):
    """Read pictures, make a few steps, save and read the checkpoint, draw; yields lines that say how it went.

    Raises UserError for what would stop the run, MemoryError when the memory does not do.
    """
    for name, pictures in (("train", trainer.experiment.train), ("val", trainer.experiment.val)):
        looked_at, unreadable = _look_at(pictures)
        yield f"{looked_at:,} of {len(pictures):,} pictures of {name} looked at, {unreadable:,} cannot be read"
    rate = trainer.rehearse(STEPS)
    start = time.perf_counter()
    trainer.record.save()
    checkpoint.load(trainer.record.folder.last)
    saved = time.perf_counter() - start
    if rate:
        trainer.pace.spent("train", 1, rate)
        yield f"{STEPS} steps made, at {rate:.1f} images/s: about {duration(trainer.pace.seconds_left())} in all"
    size = os.path.getsize(trainer.record.folder.last)
    yield f"a checkpoint of {estimate.gigabytes(size)} saved and read again in {saved:.1f} s"
    free = shutil.disk_usage(trainer.record.folder.path).free
    if free < 2 * size:  # one is there already; a run keeps the last and the best, and writes a new one beside them
        yield f"the disk has room for {estimate.gigabytes(free)} more, a run needs {estimate.gigabytes(2 * size)}: make room"
    yield from _draw(trainer)
    used, needed = memory_used(trainer.device), estimate.memory(trainer.experiment)
    if used is not None:
        yield f"memory so far {estimate.gigabytes(used)}, of the {estimate.gigabytes(needed)} estimated"
    yield "nothing was left behind: without --dry-run it is the run itself"


def _draw(trainer):
    """Draw the run's pictures, of an epoch that did not take place; yields what went wrong, or how long it took."""
    problems, start = [], time.perf_counter()
    plots.of_run(trainer.record.folder.path, trainer.experiment, [(1, trainer.config.lr, 1, 0, 1, 0, 0)], [True], problems.append)
    yield from problems or [f"the run's pictures drawn in {time.perf_counter() - start:.1f} s"]


def _look_at(pictures):
    indices = spread(min(len(pictures), LOOKED_AT), len(pictures))
    unreadable = 0
    for index in indices:
        try:
            pictures.planes(int(index))
        except UnreadablePicture:
            unreadable += 1
    return len(indices), unreadable
