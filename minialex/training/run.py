"""One run from beginning to end: start it or go on with it, train, draw the pictures."""

import dataclasses
import os
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import numpy.random  # noqa: F401  (at the start: NumPy would read it from the disk in mid-run)

from .. import data, models, own_model
from ..device import resolve_device
from ..errors import UserError
from ..evaluation import runs, seen
from ..random import manual_seed
from ..utils.progress import Progress
from . import checkpoint, dry_run, finetune, memory_estimate, run_dir, say, setup
from .callbacks import Anomaly, Callback, Checkpoints, Figures, Interrupt, Schedule, Tables, TimeLeft
from .config import ALWAYS, check, resolve
from .loop import Diverged, Interrupted, Trainer
from .parallel import SharedCheckpoints, SharedTrainer
from .profile import Profile
from .ranks import Ranks, blas, first, local_rank, world


def run(given: dict, progress: Any = None, callbacks: Iterable[Callback] = ()) -> Trainer:
    """Train as the options in `given` say (a dict with Config's names, and paper, out, resume, dry_run). Returns the Trainer.

    progress: a Progress, which prints; callbacks: what else is to be told of the run's events (see callbacks).
    Raises UserError for a mistake in them, OutOfMemory (a UserError) for too large a batch, Interrupted after Ctrl-C (the run
    is saved then), Diverged.
    """
    try:
        ranks = Ranks(world=world())
    except UserError:
        if not first():
            sys.exit(2)
        raise
    progress = (progress or Progress()) if ranks.speaks else Progress(False, open(os.devnull, "w"))
    try:
        return _run(dict(given), progress, callbacks, ranks)
    except (Exception, KeyboardInterrupt) as error:
        status = 130 if isinstance(error, (KeyboardInterrupt, Interrupted)) else 1 if isinstance(error, Diverged) else 2
        ranks.abort(error, status)
        if not ranks.speaks:
            sys.exit(status)
        raise
    finally:
        ranks.end()


def _run(given, progress, callbacks, ranks):
    ranks.together(lambda: check(given))
    ranks.together(lambda: _check_variant(given))
    out, resume, rehearsal, profile = (given.pop(name, None) for name in ("out", "resume", "dry_run", "profile"))
    if rehearsal and ranks.size > 1:
        raise ranks.agreed(UserError("--dry-run tries out one process: leave out mpiexec."))
    folder = ranks.from_first(
        lambda: run_dir.new(out, data_name(ALWAYS | given)) if resume is None else run_dir.existing(resume, out))
    trainer = None
    try:
        with dry_run.scratch(folder) if rehearsal else nullcontext(folder) as place:
            trainer = (_start if resume is None else _resume)(place, given, progress, rehearsal, ranks)
            if rehearsal:
                for line in dry_run.rehearse(trainer):
                    progress.line(f"dry run  {line}")
            else:
                trainer.callbacks += [*([Profile()] if profile else []), *callbacks] if ranks.speaks else []
                trainer.callbacks.insert(0, Interrupt())
                trainer.fit()
        return trainer
    except MemoryError as error:
        raise memory_estimate.explain(error, trainer) from error
    finally:
        folder.release()


def _check_variant(given):
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


def _start(folder, given, progress, rehearsal, ranks):
    """The Trainer of a new run, whose folder is made."""
    given.setdefault("shards", ranks.size)
    found, given, own, train, val = ranks.together(lambda: _opened(given, progress))
    _check_same_everywhere(ranks, train, val)
    device = ranks.together(lambda: _device(given.get("device", "auto"), given.get("tf32", False), ranks))
    config = ranks.together(lambda: resolve(given, len(train), len(val)))
    ranks.together(lambda: ranks.cut(config.shards))
    manual_seed(config.seed)
    few = data.statistics(train, setup.channels(config), dry_run.LOOKED_AT, config.workers) if rehearsal else None
    statistics = few or ranks.from_first(lambda: setup.measured(config, train, found, progress.terminal))
    experiment = ranks.together(lambda: setup.build(config, train, val, device.name, progress.terminal, statistics, found, own))

    def begin():
        folder.create()
        folder.write_config(run_dir.describe(experiment, device))
        if own:
            own.save(folder.path)
        seen.write(folder.path, train, val, config.init)
        folder.take()

    ranks.from_first(begin)
    _announce(experiment, device, folder, progress, ranks)
    return _trainer(experiment, folder, progress, ranks)


def _opened(given, progress):
    """(weights or None, the options with what follows from them, the user's network or None, the two sets of pictures)"""
    found = finetune.named_in(given)
    given = finetune.settings(given, found)
    own = _own_model(given)
    train, val = setup.open_pictures(ALWAYS | given, progress.terminal)
    _make_absolute(given, found)
    if given.get("class_weights") is not None:
        given["class_weights"] = setup.spelled_weights(given["class_weights"], train.classes)
    return found, given, own, train, val


def _device(name, tf32, ranks):
    """The device; of several processes on a machine with GPUs each has its own."""
    device = resolve_device(name, tf32)
    return resolve_device(f"cuda:{local_rank()}", tf32) if ranks.size > 1 and device.name == "cuda:0" else device


def _check_same_everywhere(ranks, train, val):
    ranks.check_same("the pictures", "{train_pictures} + {val_pictures}, {pictures}".format(**seen.fingerprint(train, val)))


def _own_model(given):
    """The user's network, or None; the options name it from here on. --init RUN brings the network that the run has trained."""
    named = given.get("model")
    if named is None and own_model.is_own(given.get("variant")):
        own = runs.own_model_of(given["init"], given["variant"])
    elif named is not None:
        own = own_model.read(named)
    else:
        return None
    given |= {"variant": own.variant, "model": own.settings()}
    return own


def _trainer(experiment, folder, progress, ranks):
    """The Trainer with the callbacks that every run has; of several processes the first one writes and speaks."""
    config = experiment.config
    ranks.last_word = f" To go on: --resume {folder}."
    shared = config.shards > 1 or config.parallel == "hybrid"
    saves = SharedCheckpoints(config.save_every, ranks) if shared else Checkpoints(config.save_every)
    callbacks = [Anomaly(), Schedule(), saves]
    if ranks.speaks:
        callbacks = [Anomaly(), Schedule(), Figures(), TimeLeft(), saves, Tables()]
    if shared:
        return SharedTrainer(experiment, folder, progress, callbacks, ranks=ranks)
    return Trainer(experiment, folder, progress, callbacks)


def _announce(experiment, device, folder, progress, ranks):
    for line in say.plan(experiment, device, folder, data_name(experiment.config.settings())):
        progress.line(line)
    if ranks.size > 1:
        progress.line(f"share    {ranks.size} processes on {len(set(ranks.hosts))} machines; each batch is cut into "
                      f"{experiment.config.shards} shards")
    for line in ranks.differing("BLAS", blas()):
        progress.line(f"warning  {line}")


def _make_absolute(given, found=None):
    """So that --resume finds what the user named from anywhere."""
    for name in ("data", "labels", "class_names", *(("init", "mean") if found else ())):
        if given.get(name) is not None and (name != "mean" or os.path.exists(given[name])):
            given[name] = os.path.abspath(given[name])


def _resume(folder, given, progress, rehearsal, ranks):
    """The Trainer of a run that goes on, as its last checkpoint has it."""
    _make_absolute(given)
    named = given.pop("model", None)

    def read():
        folder.take()
        config = run_dir.same_settings(folder, given)
        return config, _saved(folder, config)

    config, saved = ranks.from_first(read)
    own = ranks.together(lambda: _model_of_run(folder, config, named))
    ranks.together(lambda: ranks.cut(config.shards))
    device = ranks.together(lambda: _device(config.device, config.tf32, ranks))
    train, val = ranks.together(lambda: setup.open_pictures(config.settings(), progress.terminal))
    ranks.from_first(lambda: seen.check_same_pictures(folder, runs.read_config(folder.path), train, val))
    _check_same_everywhere(ranks, train, val)
    manual_seed(config.seed)
    if saved is None:
        found = ranks.together(lambda: finetune.named_in(config.settings()))
        statistics = ranks.from_first(lambda: setup.measured(config, train, found, progress.terminal))
        experiment = setup.build(config, train, val, device.name, progress.terminal, statistics, found, own)
        trainer = _trainer(experiment, folder, progress, ranks)
    else:
        drawn = dataclasses.replace(config, init="own" if own else "he")  # whatever is drawn is replaced
        experiment = setup.build(drawn, train, val, device.name, False, checkpoint.statistics(saved), own=own)
        experiment.config = config
        trainer = _trainer(experiment, folder, progress, ranks)
        ranks.together(lambda: checkpoint.restore(trainer, saved))
        ranks.together(lambda: _go_further(trainer, saved.state["settings"]["epochs"]))
    ranks.from_first(lambda: run_dir.keep_settings(folder, config))
    _announce(trainer.experiment, device, folder, progress, ranks)
    difference = ranks.from_first(lambda: run_dir.what_differs(folder, device))
    if difference:
        progress.line(f"note     {difference}")
    steps = f" and {trainer.batch} steps of the next" if trainer.batch else ""
    progress.line(f"resume   after epoch {trainer.epoch} of {config.epochs}{steps}")
    return trainer


def _model_of_run(folder, config, named):
    """The user's own network as the run keeps it, or None."""
    own = own_model.of_run(folder.path, config.model) if config.model else None
    if named is not None and (own is None or own_model.read(named)[1:3] != own[1:3]):  # name and source
        raise UserError(f"{named} is not the network that {folder} was started with, {config.variant}: --resume goes on with the "
                        "copy that the run keeps, so leave --model out, or start a new run.")
    return own


def _go_further(trainer, before):
    """Let a run that was begun with another number of epochs have the learning rate of its new number from here on.

    The schedules "steps" and "linear" are parts of all epochs, so they rise again; the others do not depend on it.
    Raises UserError when more epochs are over than there are to be.
    """
    config, lr = trainer.config, trainer.lr
    if config.epochs == before:
        return
    if config.epochs <= trainer.epoch:
        raise UserError(f"{trainer.folder} has {trainer.epoch} epochs behind it: --epochs {config.epochs} needs a larger "
                        "number, or leave it out.")
    if config.schedule != "plateau" and not (trainer.epoch == 0 and trainer.batch < config.warmup):
        trainer.schedule.set_rate()
    if trainer.lr != lr:
        trainer.progress.line(f"note     the schedule {config.schedule} is from here on that of {config.epochs} epochs instead "
                              f"of {before}: lr goes from {lr:.3g} to {trainer.lr:.3g}")


def _saved(folder, config):
    """What the run's checkpoint holds. None: it was stopped before it wrote its first, so it goes on from its settings."""
    if not folder.source.exists() and not folder.holds_run():
        return None
    try:
        saved = checkpoint.load(folder.source)
    except UserError as error:
        if folder.source != folder.last or not folder.best.exists():
            raise
        raise UserError(f"{error} To go on from the best epoch instead: --resume {folder.best}") from error
    run_dir.check_same_network(folder, config, saved.state)
    return saved
