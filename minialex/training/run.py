"""One run from beginning to end: start it or go on with it, train, draw the pictures."""

import dataclasses
import hashlib
import os
import platform
from pathlib import Path

import numpy as np

from .. import __version__, backend, data, models
from ..errors import UserError
from . import announce, checkpoint, experiment, figures
from . import folder as run_folder
from .config import ALWAYS, Config, check, check_types, resolve
from .loop import Trainer
from .predictions import predictions
from .progress import Progress

ELSEWHERE = ("device", "workers", "data")  # what may differ where a run goes on: it changes no result


def run(given, progress=None):
    """Train as the options in `given` say (a dict with Config's names, and paper, out, resume). Returns the Trainer.

    Raises UserError for a mistake in them, Interrupted after Ctrl-C (the run is saved then), Diverged.
    """
    progress = progress or Progress()
    check(given)
    _check_variant(given.get("variant", ALWAYS["variant"]))
    trainer = _resume(given, progress) if "resume" in given else _start(given, progress)
    trainer.fit()
    draw(trainer)
    for line in announce.ending(trainer):
        progress.line(line)
    return trainer


def draw(trainer):
    """Write curves.png, filters.png and predictions.png into the run folder."""
    path, experiment = trainer.record.folder.path, trainer.experiment
    history = trainer.record.history
    complete = [trainer.is_complete(row[0] - 1) for row in history]
    figures.curves(path / "curves.png", history, len(experiment.train.classes), complete)
    towers = experiment.model.conv2.groups
    figures.filters(path / "filters.png", backend.to_numpy(experiment.model.conv1.weight.data),
                    experiment.first_kernels, towers)
    predictions(path / "predictions.png", experiment)


def _check_variant(name):
    if name != "lenet5" and name not in models.VARIANTS:
        raise UserError(f"unknown variant '{name}': choose one of {', '.join([*models.VARIANTS, 'lenet5'])}.")


def data_name(settings):
    """A short name for the data: its folder's, or builtin, or imagenette."""
    if settings["data"] is not None:
        return Path(settings["data"]).resolve().name or "data"
    return "imagenette" if settings["subset"] == "imagenette" else "builtin"


def _start(given, progress):
    given = dict(given)
    folder = run_folder.new(given.pop("out", None), data_name(ALWAYS | given))
    device = backend.resolve_device(given.get("device", "auto"), given.get("tf32", False))
    train, val = experiment.open_pictures(ALWAYS | given, progress.terminal)
    if given.get("data") is not None:
        given["data"] = os.path.abspath(given["data"])  # so that --resume finds it from anywhere
    config = resolve(given, len(train), len(val))
    backend.manual_seed(config.seed)
    parts = experiment.build(config, train, val, device.name, progress.terminal)
    folder.create()
    folder.write_config(_description(parts, device))
    _announce(parts, device, folder, progress)
    return Trainer(parts, folder, progress)


def _description(parts, device):
    return {
        "settings": dataclasses.asdict(parts.config),
        "classes": parts.train.classes,
        "train_pictures": len(parts.train),
        "val_pictures": len(parts.val),
        "pictures": _digest(parts.train, parts.val),
        "device": device.name,
        "versions": {"minialex": __version__, "python": platform.python_version(), "numpy": np.__version__},
    }


def _digest(train, val):
    """A few letters that change when a picture is added, removed or renamed."""
    names = "\n".join([*train.names, "", *val.names]).replace(os.sep, "/")
    return hashlib.sha256(names.encode()).hexdigest()[:16]


def _announce(parts, device, folder, progress):
    for line in announce.plan(parts, device, folder, data_name(dataclasses.asdict(parts.config))):
        progress.line(line)


def _resume(given, progress):
    given = dict(given)
    folder = run_folder.existing(given.pop("resume"))
    config = _same_settings(folder, given)
    weights, velocity, mean, state, first_kernels = checkpoint.load(folder.last)
    device = backend.resolve_device(config.device, config.tf32)
    train, val = experiment.open_pictures(dataclasses.asdict(config), progress.terminal)
    if train.classes != state["classes"]:
        raise UserError(f"{folder} was trained on other classes than {data_name(dataclasses.asdict(config))} has: "
                        f"{', '.join(state['classes'][:5])}, ... there.")
    _check_same_pictures(folder, train, val)
    backend.manual_seed(config.seed)
    parts = experiment.build(dataclasses.replace(config, init="he"), train, val, device.name, False,
                             data.Statistics(mean, state["std"]))
    parts.config = config
    if first_kernels is not None:
        parts.first_kernels = first_kernels
    trainer = Trainer(parts, folder, progress)
    trainer.record.restore(weights, velocity, state)
    _announce(parts, device, folder, progress)
    steps = f" and {trainer.batch} steps of the next" if trainer.batch else ""
    progress.line(f"resume   after epoch {trainer.epoch} of {config.epochs}{steps}")
    return trainer


def _check_same_pictures(folder, train, val):
    before = folder.read_config()
    now = {"train_pictures": len(train), "val_pictures": len(val), "pictures": _digest(train, val)}
    if any(before.get(name, value) != value for name, value in now.items()):
        raise UserError(f"the pictures have changed since {folder} was started, on {before.get('train_pictures')} for training "
                        f"and {before.get('val_pictures')} for validation; now there are {len(train)} and {len(val)}, or others: "
                        f"put them back, or start a new run with --init {folder.last}.")


def _same_settings(folder, given):
    """The Config of an earlier part of the run. Raises UserError when the user's options say otherwise."""
    try:
        config = Config(**folder.read_config()["settings"])
        check_types(config)
        check(dataclasses.asdict(config))
    except (KeyError, TypeError, UserError) as error:
        raise UserError(f"{folder.path / 'config.json'} is not that of a run: {str(error).rstrip('.')}.") from error
    given.pop("out", None)
    if given.pop("paper", False) and config.recipe != "paper":
        raise UserError(f"{folder} was not started with --paper: leave it out, or start a new run.")
    for name, value in given.items():
        if name not in ELSEWHERE and getattr(config, name) != value:
            raise UserError(f"{folder} was started with {name.replace('_', ' ')} {getattr(config, name)}, not {value}: leave the "
                            "option out, or start a new run.")
    return dataclasses.replace(config, **{name: given[name] for name in ELSEWHERE if name in given})
