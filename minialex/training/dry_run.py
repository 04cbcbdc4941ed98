"""--dry-run: everything that a run will do, done once in a folder that is removed again."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .. import own_model
from ..data.sample import Sample
from ..device import memory_used
from ..evaluation import figures
from ..evaluation.classifier import planes_of
from ..utils import marks
from ..utils.progress import duration
from . import checkpoint
from .loop import Trainer
from .memory_estimate import gigabytes, memory
from .run_dir import Epoch, RunFolder, nearest
from .say import seconds_left

LOOKED_AT = 500  # pictures of each set
STEPS = 3  # the first is slower than the others and not counted


@contextmanager
def scratch(folder: RunFolder) -> Iterator[RunFolder]:
    """A RunFolder on the same disk as this one, which answers to its name and vanishes."""
    temporary = RunFolder(tempfile.mkdtemp(prefix=".minialex-dry-run-", dir=nearest(folder.path)))
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
    """Read pictures, make a few steps, save and read the checkpoint, draw; yields how it went.

    Raises UserError for what would stop the run, MemoryError when the memory does not do.
    """
    experiment, folder = trainer.experiment, trainer.folder
    for name, pictures in (("train", experiment.train), ("val", experiment.val)):
        some = Sample(pictures, min(len(pictures), LOOKED_AT))
        unreadable = len(some) - sum(1 for _ in planes_of(some))
        yield (f"{len(some):,} of {len(pictures):,} pictures of {name} looked at, {unreadable:,} "
               "cannot be read")
    rate = make_steps(trainer, STEPS)
    start = time.perf_counter()
    checkpoint.save_run(trainer)
    checkpoint.load(folder.last)
    trainer.costs["save"] = saved = time.perf_counter() - start
    if rate:
        trainer.costs["train"] = 1 / rate
        left = duration(seconds_left(trainer))
        yield f"{STEPS} steps made, at {rate:.1f} images/s: about {left} in all"
    size, free = os.path.getsize(folder.last), shutil.disk_usage(folder.path).free
    yield f"a checkpoint of {gigabytes(size)} saved and read again in {saved:.1f} s"
    if free < 2 * size:  # beside the last and the best, of which one is there, a new one is written
        yield (f"the disk has room for {gigabytes(free)} more, a run needs {gigabytes(2 * size)}: "
               "make room")
    start, problems = time.perf_counter(), list[str]()
    row = Epoch(1, trainer.config.lr, 1, 0, 1, 0, 0)  # of an epoch that did not take place
    figures.of_run(folder.path, experiment, [row], [True], problems.append)
    yield from problems or [f"the run's pictures drawn in {time.perf_counter() - start:.1f} s"]
    used = memory_used(trainer.device)
    if used is not None:
        yield f"memory so far {gigabytes(used)}, of the {gigabytes(memory(experiment))} estimated"
    yield "nothing was left behind: without --dry-run it is the run itself"


def make_steps(trainer: Trainer, steps: int) -> float | None:
    """The next few steps and nothing else. Returns images per second after the first."""
    trainer.model.train()
    size, start, count = trainer.config.batch_size, 0.0, 0
    if trainer.experiment.views:  # all pictures' features would first have to be computed
        batches, trainer.costs["features"] = trainer.loader.sample(steps, size)
    else:
        trainer.loader.start(trainer.epoch, trainer.batch)
        batches = trainer.loader
    for _, (images, labels) in zip(range(steps), batches):
        trainer.step(images, labels)
        trainer.tally.fetch()  # waits for a GPU
        count += len(labels) if start else 0
        start = start or time.perf_counter()
        trainer.batch += 1
    return count / (time.perf_counter() - start) if count else None
