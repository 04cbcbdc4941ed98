"""What makes a run this run: settings, classes and pictures. Going on with anything else is an error."""

import dataclasses
import hashlib
import os
import platform
import unicodedata

import numpy as np

from .. import __version__
from ..data.names import differing
from ..errors import UserError
from .config import Config, check, check_types

# What may differ where a run goes on, since it changes results by rounding at most.
ELSEWHERE = ("device", "workers", "data", "labels", "class_names", "save_every", "accumulate")
LONGER = ("epochs",)  # what may differ too: it changes what is still to come
KEPT = ("epochs", "data", "labels", "class_names")  # what holds for all that follows


def describe(experiment, device):
    """What config.json holds."""
    return {
        "settings": dataclasses.asdict(experiment.config),
        "classes": experiment.train.classes,
        "class_names": differing(experiment.train.classes),
        "train_pictures": len(experiment.train),
        "val_pictures": len(experiment.val),
        "pictures": _digest(experiment.train, experiment.val),
        "device": device.name,
        "versions": _versions(),
    }


def _versions():
    return {"minialex": __version__, "python": platform.python_version(), "numpy": np.__version__}


def _digest(train, val):
    """A few letters that change when a picture is added, removed or renamed, or gets another class."""
    names = "\n".join([*_with_classes(train), "", *_with_classes(val)]).replace(os.sep, "/")
    return hashlib.sha256(names.encode()).hexdigest()[:16]


def _with_classes(pictures):
    """The pictures' names, followed by their classes where no folder is called like them."""
    for name, label in zip(pictures.names, pictures.labels.tolist()):
        folders = unicodedata.normalize("NFC", name).split(os.sep)[:-1]
        yield name if pictures.classes[label] in folders else f"{name}\t{pictures.classes[label]}"


def same_settings(folder, given):
    """The Config of an earlier part of the run. Raises UserError when the user's options (a dict) say otherwise."""
    before = folder.read_config()
    try:
        config = Config(**before["settings"])
        check_types(config)
        check(dataclasses.asdict(config))
    except (KeyError, TypeError, UserError) as error:
        raise UserError(f"{folder.path / 'config.json'} is not that of a run: {str(error).rstrip('.')}.") from error
    given = dict(given)
    if given.pop("paper", False) and config.recipe != "paper":
        raise UserError(f"{folder} was not started with --paper: leave it out, or start a new run.")
    for name, value in given.items():
        if name not in ELSEWHERE + LONGER and getattr(config, name) != value:
            raise UserError(f"{folder} was started with {name.replace('_', ' ')} {getattr(config, name)}, not {value}: leave the "
                            "option out, or start a new run.")
    return dataclasses.replace(config, **{name: given[name] for name in ELSEWHERE + LONGER if name in given})


def keep_settings(folder, config):
    """Write to config.json what holds from here on: the number of epochs, and where the pictures are."""
    before = folder.read_config()
    now = before["settings"] | {name: getattr(config, name) for name in KEPT}
    if now != before["settings"]:
        folder.release()  # the lock is on the file that is replaced
        folder.write_config(before | {"settings": now})
        folder.take()


def check_same_network(folder, config, state):
    """Raises UserError when the checkpoint's state (a dict) comes from a run with other settings than this one has."""
    ours, theirs = dataclasses.asdict(config), state.get("settings", {})
    for name, value in ours.items():
        if name not in ELSEWHERE + LONGER and theirs.get(name) != value:
            raise UserError(f"{folder.source} belongs to another run than the config.json beside it: {name.replace('_', ' ')} is "
                            f"{theirs.get(name)} there and {value} here.")


def check_same_pictures(folder, train, val):
    """Raises UserError when classes or pictures are not those that the run was started with."""
    before = folder.read_config()
    known, here = before.get("classes") or [], train.classes
    if here != known:
        raise UserError(other_classes(folder, "these pictures", [name for name in here if name not in known],
                                      [name for name in known if name not in here]))
    now = {"train_pictures": len(train), "val_pictures": len(val), "pictures": _digest(train, val)}
    if any(before.get(name, value) != value for name, value in now.items()):
        raise UserError(f"the pictures have changed since {folder} was started, on {before.get('train_pictures')} for training "
                        f"and {before.get('val_pictures')} for validation; now there are {len(train)} and {len(val)}, or others: "
                        f"put them back, or start a new run with --init {folder.last}.")


def other_classes(run, where, new, gone):
    """The sentence about classes that have changed since a run was trained. new, gone: their names."""
    changes = [f"{what}: {', '.join(map(str, names[:5]))}{', ...' * (len(names) > 5)}"
               for what, names in (("new", new), ("gone", gone)) if names]
    return (f"the classes of {where} have changed since {run} was trained ({'; '.join(changes) or 'their order'}): put its "
            "pictures back, or train a new run.")


def what_differs(folder, device):
    """A sentence about what may change the last digits of results from here on, or None: other libraries, another device."""
    before = folder.read_config()
    then = before.get("versions", {}) | {"device": before.get("device")}
    now = _versions() | {"device": device.name}
    changed = [f"{name} {then[name]} → {value}" for name, value in now.items()
               if name != "python" and then.get(name, value) != value]
    return f"{', '.join(changed)}: results may differ from here on in their last digits" if changed else None
