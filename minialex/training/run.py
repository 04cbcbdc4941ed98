"""One run from beginning to end: start it or go on with it, train, draw the pictures."""

import dataclasses
import os

import numpy as np
import numpy.random  # noqa: F401  (at the start: NumPy would read it from the disk in mid-run)

from .. import data, models
from ..device import resolve_device
from ..errors import UserError
from ..random import manual_seed
from ..utils.progress import Progress
from . import announce, checkpoint, experiment, held_out, identity, memory, plots, report
from . import folder as run_folder
from . import weights as initial
from .config import ALWAYS, INITIALISATIONS, check, resolve
from .loop import Trainer
from .profile import Profile
from .rehearsal import LOOKED_AT, rehearse, scratch


def run(given, progress=None):
    """Train as the options in `given` say (a dict with Config's names, and paper, out, resume, dry_run). Returns the Trainer.

    Raises UserError for a mistake in them, OutOfMemory (a UserError) for too large a batch, Interrupted after Ctrl-C (the run
    is saved then), Diverged.
    """
    given, progress = dict(given), progress or Progress()
    check(given)
    _check_variant(given.get("variant", ALWAYS["variant"]))
    out, resume, dry_run = given.pop("out", None), given.pop("resume", None), given.pop("dry_run", False)
    profiling = given.pop("profile", False)
    if resume is None:
        folder = run_folder.new(out, data_name(ALWAYS | given))
    else:
        folder = run_folder.existing(resume, out)
    trainer, begin = None, _start if resume is None else _resume
    try:
        if dry_run:
            with scratch(folder) as temporary:
                trainer = begin(temporary, given, progress, rehearsal=True)
                for line in rehearse(trainer):
                    progress.line(f"dry run  {line}")
            return trainer
        trainer = begin(folder, given, progress)
        trainer.profile = Profile(trainer.device) if profiling else None
        try:
            trainer.fit()
        finally:
            for line in trainer.profile.lines() if profiling else ():
                progress.line(line)
        trainer.give_back_memory()
        draw(trainer)
        for line in announce.ending(trainer):
            progress.line(line)
        return trainer
    except MemoryError as error:
        raise memory.explain(error, trainer) from error
    finally:
        folder.release()


def draw(trainer):
    """Write the pictures of the run and its page into the run folder."""
    history = trainer.record.history
    complete = [trainer.is_complete(row[0] - 1) for row in history]

    def say(text):
        trainer.progress.line(f"warning  {text}")

    folder = trainer.record.folder.path
    plots.of_run(folder, trainer.experiment, history, complete, say)
    report.of_training(folder, trainer.experiment.val, trainer.device, say)


def _check_variant(name):
    if name != "lenet5" and name not in models.VARIANTS:
        raise UserError(f"unknown variant '{name}': choose one of {', '.join([*models.VARIANTS, 'lenet5'])}.")


def data_name(settings):
    """A short name for the data: its folder's, or builtin, or imagenette."""
    if settings["data"] is not None:
        return os.path.basename(os.path.realpath(settings["data"])) or "data"
    return "imagenette" if settings["subset"] == "imagenette" else "builtin"


def _start(folder, given, progress, rehearsal=False):
    device = resolve_device(given.get("device", "auto"), given.get("tf32", False))
    found = initial.named_in(given)
    given = initial.settings(given, found)
    train, val = experiment.open_pictures(ALWAYS | given, progress.terminal)
    _make_absolute(given)
    if given.get("init", "he") not in INITIALISATIONS:
        given["init"] = os.path.abspath(given["init"])
    if given.get("mean") is not None and os.path.exists(given["mean"]):
        given["mean"] = os.path.abspath(given["mean"])
    if given.get("class_weights") is not None:
        given["class_weights"] = experiment.spelled_weights(given["class_weights"], train.classes)
    config = resolve(given, len(train), len(val))
    manual_seed(config.seed)
    few = data.statistics(train, experiment.channels(config.variant), LOOKED_AT, config.workers) if rehearsal else None
    parts = experiment.build(config, train, val, device.name, progress.terminal, few, found=found)
    folder.create()
    folder.write_config(identity.describe(parts, device))
    held_out.write(folder.path, train, val, config.init)
    folder.take()
    _announce(parts, device, folder, progress)
    return Trainer(parts, folder, progress)


def _make_absolute(given):
    """So that --resume finds what the user named from anywhere."""
    for name in ("data", "labels", "class_names"):
        if given.get(name) is not None:
            given[name] = os.path.abspath(given[name])


def _announce(parts, device, folder, progress):
    for line in announce.plan(parts, device, folder, data_name(dataclasses.asdict(parts.config))):
        progress.line(line)


def _resume(folder, given, progress, rehearsal=False):
    folder.take()
    _make_absolute(given)
    config = identity.same_settings(folder, given)
    saved = _saved(folder, config)
    device = resolve_device(config.device, config.tf32)
    train, val = experiment.open_pictures(dataclasses.asdict(config), progress.terminal)
    identity.check_same_pictures(folder, train, val)
    manual_seed(config.seed)
    if saved is None:
        parts = experiment.build(config, train, val, device.name, progress.terminal,
                                 found=initial.named_in(dataclasses.asdict(config)))
    else:
        weights, velocity, mean, state, first_kernels = saved
        parts = experiment.build(dataclasses.replace(config, init="he"), train, val, device.name, False,
                                 _statistics(mean, state))
        parts.config = config
        if first_kernels is not None:
            parts.first_kernels = first_kernels
    trainer = Trainer(parts, folder, progress)
    if saved is not None:
        trainer.record.restore(weights, velocity, state)
        _go_further(trainer, state, progress)
    identity.keep_settings(folder, config)
    _announce(parts, device, folder, progress)
    difference = identity.what_differs(folder, device)
    if difference:
        progress.line(f"note     {difference}")
    steps = f" and {trainer.batch} steps of the next" if trainer.batch else ""
    progress.line(f"resume   after epoch {trainer.epoch} of {config.epochs}{steps}")
    return trainer


def _go_further(trainer, state, progress):
    """Let a run that was begun with another number of epochs have the learning rate of its new number from here on.

    The schedules "steps" and "linear" are parts of all epochs, so they rise again; the others do not depend on it.
    Raises UserError when more epochs are over than there are to be.
    """
    config, before = trainer.config, state["settings"]["epochs"]
    if config.epochs == before:
        return
    if config.epochs <= trainer.epoch:
        raise UserError(f"{trainer.record.folder} has {trainer.epoch} epochs behind it: --epochs {config.epochs} needs a larger "
                        "number, or leave it out.")
    lr = trainer.lr
    if config.schedule != "plateau" and not (trainer.epoch == 0 and trainer.batch < config.warmup):
        trainer.schedule.set_rate()
    if trainer.lr != lr:
        progress.line(f"note     the schedule {config.schedule} is from here on that of {config.epochs} epochs instead of "
                      f"{before}: lr goes from {lr:.3g} to {trainer.lr:.3g}")


def _statistics(mean, state):
    """Of an earlier part of this run; without components in checkpoints that are older than the colour augmentation."""
    components = state.get("components")
    return data.Statistics(mean, state["std"], None if components is None else np.array(components))


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
    identity.check_same_network(folder, config, saved[3])
    return saved
