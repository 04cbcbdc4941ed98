"""One run from beginning to end: start it or go on with it, train, draw the pictures."""

import os
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import numpy.random  # noqa: F401  (at the start: NumPy would read it from the disk in mid-run)

from ..device import reserve_memory, resolve_device
from ..errors import require
from ..evaluation import seen
from ..parallel.ranks import Ranks, program, world
from ..random import manual_seed
from ..utils.machine import blas, launched
from ..utils.progress import Progress
from . import checkpoint, dry_run, memory_estimate, resume, run_dir, say, setup
from .callbacks import (
    Anomaly,
    Callback,
    Checkpoints,
    Figures,
    Forgotten,
    Interrupt,
    Schedule,
    Tables,
)
from .config import ALWAYS, check_options, save_interval
from .loop import Trainer
from .profile import Profile
from .shared import Followers, SharedTrainer


def run(given: dict[str, Any], progress: Any = None, callbacks: Iterable[Callback] = ()) -> Trainer:
    """Train as the options in `given` say: Config's names, and paper, out, resume, dry_run.

    progress: a Progress, which prints; callbacks: what else is to be told of the run's events (see
    callbacks). Raises UserError for a mistake in the options, OutOfMemory (a UserError) for too
    large a batch, Interrupted after Ctrl-C (the run is saved then), Diverged. Returns the Trainer.
    """
    ranks = Ranks(world=world())
    if not ranks.speaks:
        progress, callbacks = Progress(False, open(os.devnull, "w")), ()
    with ranks.together():
        return _run(dict(given), progress or Progress(), callbacks, ranks)


def _run(given, progress, callbacks, ranks):
    if ranks.size > 1:
        ranks.require_same("the program", program())
        ranks.require_same("the options", given)
    check_options(given)
    out, earlier, rehearsal, profile = (
        given.pop(name, None) for name in ("out", "resume", "dry_run", "profile"))
    require(ranks.size == 1 or not rehearsal, "--dry-run tries out one process: leave out mpiexec.")
    folder = ranks.from_first(lambda: run_dir.new(out, data_name(ALWAYS | given)) if earlier is None
                              else run_dir.existing(earlier, out))
    trainer = None
    try:
        with dry_run.scratch(folder) if rehearsal else nullcontext(folder) as place:
            trainer = _trainer(place, given, earlier is not None, progress, ranks, rehearsal)
            if rehearsal:
                for line in dry_run.rehearse(trainer):
                    progress.line(f"dry run  {line}")
            else:
                profiles = [Profile()] if profile and ranks.speaks else []
                trainer.callbacks = [Interrupt(), *profiles, *trainer.callbacks, *callbacks]
                trainer.fit()
        return trainer
    except MemoryError as error:
        raise memory_estimate.explain(error, trainer) from error
    finally:
        folder.release()


def data_name(settings: dict[str, Any]) -> str:
    """A short name for the data: its folder's, or builtin, or imagenette."""
    if settings["data"] is not None:
        return os.path.basename(os.path.realpath(settings["data"])) or "data"
    return "imagenette" if settings["subset"] == "imagenette" else "builtin"


def _trainer(folder, given, goes_on, progress, ranks, rehearsal):
    """The Trainer of a new run, or of one that goes on as its last checkpoint has it."""
    if goes_on:
        begun = resume.begin(folder, given, progress.terminal, ranks)
    else:
        begun = setup.new({"shards": ranks.size} | given, progress.terminal)
    config, device = begun.config, _device(begun.config, ranks)
    seen_here = "{train_pictures} + {val_pictures}, {pictures}"
    ranks.require_same("the pictures", seen_here.format(**seen.fingerprint(begun.train, begun.val)))
    manual_seed(config.seed)
    looked_at = {"limit": dry_run.LOOKED_AT} if rehearsal else {}
    statistics = checkpoint.statistics(begun.saved) if begun.saved else ranks.from_first(
        lambda: setup.measured(begun, progress=progress.terminal, **looked_at))
    experiment = setup.build(begun, device.name, statistics)
    rest = [Followers()]
    if ranks.speaks:
        rest = [Figures(), say.TimeLeft(), Checkpoints(*save_interval(config.save_every)), Tables(),
                *([Forgotten()] if begun.own else [])]
    arguments = experiment, folder, progress, [Anomaly(), Schedule(), *rest]
    shared = config.shards > 1 or config.parallel == "hybrid"
    trainer = SharedTrainer(*arguments, ranks=ranks) if shared else Trainer(*arguments)
    if begun.saved:
        checkpoint.restore(trainer, begun.saved)
    ranks.gather(None)  # nothing is written before all have come so far
    write = folder.go_on if goes_on else folder.begin
    experiment.notes.extend(ranks.from_first(lambda: write(begun, device.name)))
    ranks.last_word = f" To go on: --resume {folder}."
    for line in _announced(trainer, device, ranks):
        progress.line(line)
    reserve_memory(device.name, memory_estimate.memory(experiment))
    if goes_on:
        steps = f" and {trainer.batch} steps of the next" if trainer.batch else ""
        progress.line(f"resume   after epoch {trainer.epoch} of {config.epochs}{steps}")
    return trainer


def _device(config, ranks):
    """Of several processes on a machine with GPUs each has its own."""
    ranks.cut(config.shards)
    device = resolve_device(config.device, config.tf32)
    if ranks.size > 1 and device.name == "cuda:0":
        device = resolve_device(f"cuda:{launched('local rank')}", config.tf32)
    return device


def _announced(trainer, device, ranks):
    yield from say.plan(trainer, device, data_name(trainer.config.settings()))
    if ranks.size > 1:
        yield (f"share    {ranks.size} processes on {len(set(ranks.hosts))} machines; each batch "
               f"is cut into {trainer.config.shards} shards")
    for problem in ranks.differing("BLAS", blas()):
        yield f"warning  {problem}: the last digits may differ"
