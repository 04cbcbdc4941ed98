"""--resume: a run goes on as what it was. Other settings, another network or other pictures are an error."""

import dataclasses
from typing import Any

from .. import own_model
from ..errors import UserError
from ..evaluation.runs import read_config
from . import checkpoint
from .checkpoint import Saved
from .config import Config, check, check_types
from .loop import Trainer
from .run_dir import RunFolder, versions

# What may differ where a run goes on, since it changes results by rounding at most; epochs change what is still to come.
MAY_DIFFER = ("device", "workers", "data", "labels", "class_names", "save_every", "accumulate", "epochs")
KEPT = ("epochs", "data", "labels", "class_names")  # what holds for all that follows


def same_settings(folder: RunFolder, given: dict) -> Config:
    """The Config of an earlier part of the run. Raises UserError when the user's options (a dict) say otherwise."""
    before = read_config(folder.path)
    try:
        config = Config(**before["settings"])
        check_types(config)
        check(config.settings())
    except (KeyError, TypeError, UserError) as error:
        raise UserError(f"{folder.path / 'config.json'} is not that of a run: {str(error).rstrip('.')}.") from error
    given = dict(given)
    if given.pop("paper", False) and config.recipe != "paper":
        raise UserError(f"{folder} was not started with --paper: leave it out, or start a new run.")
    for name, value in given.items():
        if name not in MAY_DIFFER and getattr(config, name) != value:
            raise UserError(f"{folder} was started with {name.replace('_', ' ')} {getattr(config, name)}, not {value}: leave the "
                            "option out, or start a new run.")
    return dataclasses.replace(config, **{name: given[name] for name in MAY_DIFFER if name in given})


def keep_settings(folder: RunFolder, config: Config) -> None:
    """Write to config.json what holds from here on: the number of epochs, and where the pictures are."""
    before = read_config(folder.path)
    now = before["settings"] | {name: getattr(config, name) for name in KEPT}
    if now != before["settings"]:
        folder.release()  # the lock is on the file that is replaced
        folder.write_config(before | {"settings": now})
        folder.take()


def check_same_network(folder: RunFolder, config: Config, state: dict) -> None:
    """Raises UserError when the checkpoint's state comes from a run with other settings than this one has."""
    older = {field.name: field.default for field in dataclasses.fields(config) if field.default is not dataclasses.MISSING}
    ours, theirs = config.settings(), older | state.get("settings", {})  # a checkpoint may be older than a setting
    for name, value in ours.items():
        if name not in MAY_DIFFER and theirs.get(name) != value:
            raise UserError(f"{folder.source} belongs to another run than the config.json beside it: {name.replace('_', ' ')} is "
                            f"{theirs.get(name)} there and {value} here.")


def what_differs(folder: RunFolder, device: Any) -> str | None:
    """A sentence about what may change the last digits of results from here on, or None: other libraries, another device."""
    before = read_config(folder.path)
    then = before.get("versions", {}) | {"device": before.get("device")}
    now = versions() | {"device": device.name}
    changed = [f"{name} {then[name]} → {value}" for name, value in now.items()
               if name != "python" and then.get(name, value) != value]
    return f"{', '.join(changed)}: results may differ from here on in their last digits" if changed else None


def own_network(folder: RunFolder, config: Config, named: str | None) -> own_model.OwnModel | None:
    """The user's own network as the run keeps it, or None. Raises UserError when --model has `named` another one."""
    own = own_model.of_run(folder.path, config.model) if config.model else None
    if named is not None and (own is None or own_model.read(named)[1:3] != own[1:3]):  # name and source
        raise UserError(f"{named} is not the network that {folder} was started with, {config.variant}: --resume goes on with the "
                        "copy that the run keeps, so leave --model out, or start a new run.")
    return own


def saved(folder: RunFolder, config: Config) -> Saved | None:
    """What the run's checkpoint holds. None: it was stopped before it wrote its first, so it goes on from its settings."""
    if not folder.source.exists() and not folder.holds_run():
        return None
    try:
        found = checkpoint.load(folder.source)
    except UserError as error:
        if folder.source != folder.last or not folder.best.exists():
            raise
        raise UserError(f"{error} To go on from the best epoch instead: --resume {folder.best}") from error
    check_same_network(folder, config, found.state)
    return found


def go_on(trainer: Trainer, found: Saved) -> None:
    """Put a Trainer where its run was saved. With another number of epochs, the learning rate is from here on that of its new
    number: "steps" and "linear" are parts of all epochs, so they rise again; the other schedules do not depend on it.

    Raises UserError when more epochs are over than there are to be.
    """
    checkpoint.restore(trainer, found)
    config, lr, before = trainer.config, trainer.lr, found.state["settings"]["epochs"]
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
