"""--dry-run: everything that a run will do, done once in a folder that is removed again."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .. import own_model
from ..device import memory_used
from ..evaluation.classifier import planes_of
from ..utils import marks
from ..utils.progress import duration
from . import checkpoint, plots
from .loop import Trainer
from .memory_estimate import gigabytes, memory
from .run_dir import RunFolder
from .setup import Sample, spread
from .time_left import seconds_left

LOOKED_AT = 500  # pictures of each set
STEPS = 3  # the first is slower than the others and not counted


@contextmanager
def scratch(folder: RunFolder) -> Iterator[RunFolder]:
    """A RunFolder on the same file system as this one, which answers to its name and vanishes in the end."""
    there = next(path for path in [folder.path, *folder.path.absolute().parents] if path.is_dir())
    temporary = RunFolder(tempfile.mkdtemp(prefix=".minialex-dry-run-", dir=there))
    temporary.shown = str(folder)
    try:
        for name in (marks.CONFIG, own_model.COPY):
            if (folder.path / name).exists():
                shutil.copyfile(folder.path / name, temporary.path / name)
        if folder.config.exists():
            temporary.source = folder.source if folder.source.exists() else temporary.last
        yield temporary
    finally:
        temporary.release()
        shutil.rmtree(temporary.path, ignore_errors=True)


def rehearse(trainer: Trainer) -> Iterator[str]:
    """Read pictures, make a few steps, save and read the checkpoint, draw; yields lines that say how it went.

    Raises UserError for what would stop the run, MemoryError when the memory does not do.
    """
    for name, pictures in (("train", trainer.experiment.train), ("val", trainer.experiment.val)):
        some = Sample(pictures, spread(min(len(pictures), LOOKED_AT), len(pictures)))
        readable = sum(1 for _ in planes_of(some))
        yield f"{len(some):,} of {len(pictures):,} pictures of {name} looked at, {len(some) - readable:,} cannot be read"
    rate = make_steps(trainer, STEPS)
    start = time.perf_counter()
    checkpoint.save_run(trainer)
    checkpoint.load(trainer.folder.last)
    trainer.costs["save"] = saved = time.perf_counter() - start
    if rate:
        trainer.costs["train"] = 1 / rate
        yield f"{STEPS} steps made, at {rate:.1f} images/s: about {duration(seconds_left(trainer))} in all"
    size = os.path.getsize(trainer.folder.last)
    yield f"a checkpoint of {gigabytes(size)} saved and read again in {saved:.1f} s"
    free = shutil.disk_usage(trainer.folder.path).free
    if free < 2 * size:  # one is there already; a run keeps the last and the best, and writes a new one beside them
        yield f"the disk has room for {gigabytes(free)} more, a run needs {gigabytes(2 * size)}: make room"
    yield from _draw(trainer)
    used = memory_used(trainer.device)
    if used is not None:
        yield f"memory so far {gigabytes(used)}, of the {gigabytes(memory(trainer.experiment))} estimated"
    yield "nothing was left behind: without --dry-run it is the run itself"


def make_steps(trainer: Trainer, steps: int) -> float | None:
    """The next few steps and nothing else. Returns images per second after the first, or None without any."""
    trainer.model.train()
    start, count = 0.0, 0
    for _, (images, labels) in zip(range(steps), _batches(trainer, steps)):
        trainer.step(images, labels)
        trainer.tally.fetch()  # waits for a GPU
        count += len(labels) if start else 0
        start = start or time.perf_counter()
        trainer.batch += 1
    return count / (time.perf_counter() - start) if count else None


def _batches(trainer: Trainer, steps: int) -> Iterator[tuple[Any, Any]]:
    """Batches for some steps: of few pictures' features where all of them would first have to be computed."""
    if not trainer.experiment.views:
        trainer.loader.start(trainer.epoch, trainer.batch)
        yield from trainer.loader
        return
    size = trainer.config.batch_size
    found, labels, trainer.costs["features"] = trainer.loader.sample(steps * size)
    for start in range(0, len(labels), size):
        yield found[start : start + size], labels[start : start + size]


def _draw(trainer: Trainer) -> Iterator[str]:
    """Draw the run's pictures, of an epoch that did not take place; yields what went wrong, or how long it took."""
    problems: list[str] = []
    start = time.perf_counter()
    plots.of_run(trainer.folder.path, trainer.experiment, [(1, trainer.config.lr, 1, 0, 1, 0, 0)], [True], problems.append)
    yield from problems or [f"the run's pictures drawn in {time.perf_counter() - start:.1f} s"]
