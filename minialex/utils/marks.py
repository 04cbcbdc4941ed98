"""How minialex knows the folders and pictures that it has made, so that no command takes them for
the user's.

A run's folder has a config.json as only training writes it; one whose config.json is damaged, a
checkpoint with a seal at its end. A picture carries a mark inside (files.mark).
"""

import json
import os
import re
from pathlib import Path

from .files import Place, found_mark
from .seal import looks_sealed

CONFIG = "config.json"
CHECKPOINTS = ("checkpoint-last.npz", "checkpoint-best.npz")
# In every config.json of a run.
_WRITTEN = ("settings", "classes", "train_pictures", "val_pictures")
_MOST = 1 << 25  # bytes of a config.json; 20,000 classes take 1 MB
# pictures that commands write where they are called, or into a run's folder
_OWN_NAMES = re.compile(
    r"(curves|filters|predictions|confusion|compare|.*-prediction|.*-features|patches-.*)"
    r"(-\d+)?\.png", re.IGNORECASE)


def is_run(folder: Place) -> bool:
    """Is this the folder of a run of minialex?"""
    return _has_config(Path(folder, CONFIG)) or any(looks_sealed(Path(folder, name))
                                                    for name in CHECKPOINTS)


def _has_config(path):
    try:
        if path.stat().st_size > _MOST:
            return False
        config = json.loads(path.read_text("utf-8"))
        return all(name in config for name in _WRITTEN) and "minialex" in config["versions"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return False


def holds_runs(folder: Place, endings: tuple[str, ...]) -> bool:
    """Does this folder hold runs of minialex, no other folder, and no pictures, which end in one of
    `endings`?"""
    folders = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir() and not entry.name.startswith("."):
                    folders.append(entry.path)
                elif entry.name.lower().endswith(endings) and not is_own_picture(entry.path):
                    return False
    except OSError:
        return False
    return bool(folders) and all(map(is_run, folders))


def is_no_class(folder: Place, endings: tuple[str, ...]) -> bool:
    """Is this a run's folder, or a folder of runs? Then it is never a class, whatever it is
    called."""
    return is_run(folder) or holds_runs(folder, endings)


def is_own_picture(path: Place) -> bool:
    """Is this a picture that a command of minialex has drawn? Such a picture is never one to learn
    from."""
    return _OWN_NAMES.fullmatch(os.path.basename(path)) is not None and found_mark(path) is not None
