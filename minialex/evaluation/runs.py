"""A run's folder as others read it: its settings, its tables, the user's network in it."""

import csv
import json
import os
from pathlib import Path
from typing import Any

from .. import own_model
from ..errors import UserError
from ..utils.marks import CONFIG

Place = str | os.PathLike[str]

COLUMNS = {"metrics.csv": {"epoch", "lr", "train_loss", "train_top1",
                           "val_loss", "val_top1", "val_top5"},
           "timing.csv": {"epoch", "train_seconds", "train_images_per_second", "val_seconds"}}


def _text(path):
    """Without the mark that Windows' editors add. (Python would read the codec "utf-8-sig" from the
    disk, which a run that is going on may have lost.)"""
    return path.read_text("utf-8").removeprefix("\ufeff")


def read_config(folder: Place) -> dict[str, Any]:
    """What config.json in a run's folder holds. Raises UserError when it is not there or
    damaged."""
    path = Path(folder, CONFIG)
    try:
        config = json.loads(_text(path))
    except FileNotFoundError as error:
        raise UserError(f"{folder} is no run, there is no {CONFIG} in it: "
                        "give the folder of a run.") from error
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: "
                        f"{getattr(error, 'strerror', None) or error}.") from error
    if not isinstance(config, dict):
        raise UserError(f"{path} is not the config.json of a run: "
                        f"it holds a {type(config).__name__} instead of settings.")
    return config


def settings_of(run: Place) -> dict[str, Any]:
    """The settings in a run's config.json. Raises UserError where there is none."""
    if not Path(run).is_dir():
        raise UserError(f"{run} does not say with which pictures it was trained: "
                        "give them with --data DIR.")
    try:
        return dict(read_config(run)["settings"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{run} holds no config.json of a run: "
                        "give the pictures with --data DIR.") from error


def owner(path: Place) -> Path | None:
    """The run that a path means: a run's folder, or the one in which a checkpoint lies. None for
    any other file."""
    path = Path(path)
    folder = path if path.is_dir() else path.parent if path.name.startswith("checkpoint-") else None
    return folder if folder is not None and (folder / CONFIG).is_file() else None


def own_model_of(path: Place, variant: str) -> own_model.OwnModel:
    """The network, written by a user, that the weights in a run were learnt by. Raises UserError
    for weights elsewhere."""
    run = owner(path)
    if run is None:
        raise UserError(f"{path} holds weights of {variant}, a network that a user has written: "
                        "give the folder of its run, which keeps the network's program, "
                        "or to train on, name it with --model.")
    settings = settings_of(run)
    return own_model.of_run(run, settings.get("model"), settings.get("seed", 0))


def rows_of(path: Path) -> list[dict[str, float]]:
    """The rows of metrics.csv or timing.csv as dicts of numbers; none when it is not there, or
    damaged."""
    try:
        rows = [{name: float(value) for name, value in row.items()}
                for row in csv.DictReader(_text(path).splitlines())]
    except (OSError, ValueError, TypeError, AttributeError):
        # AttributeError: a row has more cells than the head
        return []
    return rows if all(row.keys() >= COLUMNS.get(path.name, set()) for row in rows) else []


def picture_size(settings: dict) -> int:
    """Pixels a side to which pictures are decoded: the paper's 256, of which it crops 227; in
    proportion for other networks."""
    if settings.get("model"):
        return round(settings["model"]["input_shape"][-1] * 256 / 227)
    return 36 if settings["variant"] == "lenet5" else 256
