"""One run from beginning to end: start it or go on with it, train, draw the pictures."""

import dataclasses
import os
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import numpy.random  # noqa: F401  (at the start: NumPy would read it from the disk in mid-run)

from .. import data, models, own_model
from ..device import reserve_memory, resolve_device
from ..errors import UserError
from ..evaluation import runs, seen
from ..random import manual_seed
from ..utils.machine import blas, launched
from ..utils.progress import Progress
from . import checkpoint, dry_run, finetune, memory_estimate, resume, run_dir, say, setup
from .callbacks import Callback, Figures, Interrupt, Schedule
from .config import ALWAYS, check, resolve
from .divergence import Anomaly
from .loop import Trainer
from .parallel import Followers, SharedTrainer
from .profile import Profile
from .ranks import Ranks, program, world
from .saving import Checkpoints, Tables
from .time_left import TimeLeft


def run(given: dict, progress: Any = None, callbacks: Iterable[Callback] = ()) -> Trainer:
    """Train as the options in `given` say (a dict with Config's names, and paper, out, resume, dry_run). Returns the Trainer.

    progress: a Progress, which prints; callbacks: what else is to be told of the run's events (see callbacks).
    Raises UserError for a mistake in them, OutOfMemory (a UserError) for too large a batch, Interrupted after Ctrl-C (the run
    is saved then), Diverged.
    """
    ranks = Ranks(world=world())
    progress = (progress or Progress()) if ranks.speaks else Progress(False, open(os.devnull, "w"))
    with ranks.together():
        return _run(dict(given), progress, callbacks, ranks)


def _run(given, progress, callbacks, ranks):
    if ranks.size > 1:
        ranks.require_same("the program", program())
        ranks.require_same("the options", given)
    _check(given)
    out, earlier, rehearsal, profile = (given.pop(name, None) for name in ("out", "resume", "dry_run", "profile"))
    if rehearsal and ranks.size > 1:
        raise UserError("--dry-run tries out one process: leave out mpiexec.")
    folder = ranks.from_first(
        lambda: run_dir.new(out, data_name(ALWAYS | given)) if earlier is None else run_dir.existing(earlier, out))
    trainer = None
    try:
        with dry_run.scratch(folder) if rehearsal else nullcontext(folder) as place:
            begin = _start if earlier is None else _go_on
            trainer = begin(place, given, progress, ranks, rehearsal)
            if rehearsal:
                for line in dry_run.rehearse(trainer):
                    progress.line(f"dry run  {line}")
            else:
                trainer.callbacks[:0] = [Interrupt(), *([Profile()] if profile and ranks.speaks else [])]
                trainer.callbacks += callbacks if ranks.speaks else ()
                trainer.fit()
        return trainer
    except MemoryError as error:
        raise memory_estimate.explain(error, trainer) from error
    finally:
        folder.release()


def _check(given):
    check(given)
    name = given.get("variant", ALWAYS["variant"])
    if given.get("model") is not None and "variant" in given:
        raise UserError("--variant and --model both name a network: leave one of them out.")
    if name != "lenet5" and name not in models.VARIANTS:
        raise UserError(f"unknown variant '{name}': choose one of {', '.join([*models.VARIANTS, 'lenet5'])}.")


def data_name(settings: dict) -> str:
    """A short name for the data: its folder's, or builtin, or imagenette."""
    if settings["data"] is not None:
        return os.path.basename(os.path.realpath(settings["data"])) or "data"
    return "imagenette" if settings["subset"] == "imagenette" else "builtin"


def _make_absolute(given, *more):
    """So that --resume finds what the user named from anywhere."""
    for name in ("data", "labels", "class_names", *more):
        if given.get(name) is not None and (name != "mean" or os.path.exists(given[name])):
            given[name] = os.path.abspath(given[name])


# ------------------------------------------------------------------------------------------------ a new run


def _start(folder, given, progress, ranks, rehearsal):
    """The Trainer of a new run, whose folder is made."""
    given.setdefault("shards", ranks.size)
    found, given, own, pictures = _named(given, progress)
    config, device = _settled(resolve(given, *map(len, pictures)), ranks)
    experiment = _experiment(config, pictures, device, progress, ranks, found, own, None, rehearsal)

    def begin():
        folder.create()
        folder.write_config(run_dir.describe(experiment, device))
        if own:
            own.save(folder.path)
        experiment.notes.extend(seen.write(folder.path, *pictures, config.init))
        folder.take()

    trainer = _trainer(experiment, folder, progress, ranks)
    ranks.gather(None)  # nothing is written before all have come so far
    ranks.from_first(begin)
    _announce(experiment, device, folder, progress, ranks)
    return trainer


def _named(given, progress):
    """What the options name: (weights or None, the options with what follows from them, the user's network or None, the two
    sets of pictures)."""
    found = finetune.named_in(given)
    given = finetune.settings(given, found)
    own = _own_model(given)
    pictures = setup.open_pictures(ALWAYS | given, progress.terminal)
    _make_absolute(given, *(("init", "mean") if found else ()))
    if given.get("class_weights") is not None:
        given["class_weights"] = setup.spelled_weights(given["class_weights"], pictures[0].classes)
    return found, given, own, pictures


def _own_model(given):
    """The user's network, or None; the options name it from here on. --init RUN brings the network that the run has trained."""
    named = given.get("model")
    if named is None and not own_model.is_own(given.get("variant")):
        return None
    own = own_model.read(named) if named is not None else runs.own_model_of(given["init"], given["variant"])
    given |= {"variant": own.variant, "model": own.settings()}
    return own


# ------------------------------------------------------------------------------------------------ --resume


def _go_on(folder, given, progress, ranks, rehearsal):
    """The Trainer of a run that goes on, as its last checkpoint has it."""
    _make_absolute(given)
    named = given.pop("model", None)

    def read():
        folder.take()
        config = resume.same_settings(folder, given)
        return config, resume.saved(folder, config)

    config, saved = ranks.from_first(read)
    own = resume.own_network(folder, config, named)
    config, device = _settled(config, ranks)
    pictures = setup.open_pictures(config.settings(), progress.terminal)
    ranks.from_first(lambda: seen.check_same_pictures(folder, runs.read_config(folder.path), *pictures))
    found = None if saved else finetune.named_in(config.settings())
    experiment = _experiment(config, pictures, device, progress, ranks, found, own, saved, rehearsal)
    trainer = _trainer(experiment, folder, progress, ranks)
    if saved:
        resume.go_on(trainer, saved)
    ranks.from_first(lambda: resume.keep_settings(folder, config))
    _announce(experiment, device, folder, progress, ranks)
    difference = ranks.from_first(lambda: resume.what_differs(folder, device))
    if difference:
        progress.line(f"note     {difference}")
    steps = f" and {trainer.batch} steps of the next" if trainer.batch else ""
    progress.line(f"resume   after epoch {trainer.epoch} of {config.epochs}{steps}")
    return trainer


# ------------------------------------------------------------------------------------------------ what both make


def _settled(config, ranks):
    """(config, device); of several processes on a machine with GPUs each has its own."""
    ranks.cut(config.shards)
    device = resolve_device(config.device, config.tf32)
    if ranks.size > 1 and device.name == "cuda:0":
        device = resolve_device(f"cuda:{launched('local rank')}", config.tf32)
    return config, device


def _experiment(config, pictures, device, progress, ranks, found, own, saved, rehearsal):
    """The Experiment: with the weights that were `found`, or for what was `saved`; a rehearsal looks at few pictures."""
    ranks.require_same("the pictures", "{train_pictures} + {val_pictures}, {pictures}".format(**seen.fingerprint(*pictures)))
    manual_seed(config.seed)
    if saved:
        statistics = checkpoint.statistics(saved)
    elif rehearsal:
        statistics = data.statistics(pictures[0], setup.channels(config), dry_run.LOOKED_AT, config.workers)
    else:
        statistics = ranks.from_first(lambda: setup.measured(config, pictures[0], found, progress.terminal))
    drawn = dataclasses.replace(config, init="own" if own else "he") if saved else config  # whatever is drawn is replaced
    experiment = setup.build(drawn, *pictures, device.name, statistics, found, own)
    experiment.config = config
    return experiment


def _trainer(experiment, folder, progress, ranks):
    """The Trainer with the callbacks that every run has; of several processes the first one writes and speaks."""
    config = experiment.config
    shared = config.shards > 1 or config.parallel == "hybrid"
    rest = [Figures(), TimeLeft(), Checkpoints(config.save_every), Tables()] if ranks.speaks else [Followers()]
    callbacks = [Anomaly(), Schedule(), *rest]
    if shared:
        return SharedTrainer(experiment, folder, progress, callbacks, ranks=ranks)
    return Trainer(experiment, folder, progress, callbacks)


def _announce(experiment, device, folder, progress, ranks):
    ranks.last_word = f" To go on: --resume {folder}."
    reserve_memory(device.name, memory_estimate.memory(experiment))
    for line in say.plan(experiment, device, folder, data_name(experiment.config.settings())):
        progress.line(line)
    if ranks.size > 1:
        progress.line(f"share    {ranks.size} processes on {len(set(ranks.hosts))} machines; each batch is cut into "
                      f"{experiment.config.shards} shards")
    for problem in ranks.differing("BLAS", blas()):
        progress.line(f"warning  {problem}: the last digits may differ")
