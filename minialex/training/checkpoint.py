"""A checkpoint: one .npz file of plain arrays, from which a run goes on as if it had never stopped.

    model/conv1.weight ...      the weights, by their names in model.state_dict()
    velocity/conv1.weight ...   the optimiser's memory of earlier steps
    mean                        the mean image, float32 (C, size, size)
    first_kernels               the first convolution's weights before training, to show what it has changed
    state                       JSON text: settings, classes, epoch, step, schedule, random numbers, metrics

It is whole or not there (see files), and nothing in it can run code. Its last bytes are a seal: the SHA-256 of everything
before them, in the comment that a zip file may end with, so that any other program still reads the arrays. Not a single
byte can change unnoticed; the checksums that a zip file keeps by itself do not cover names and headers.
"""

import hashlib
import json
import os
import zipfile
from typing import Any, NamedTuple

import numpy as np

from ..data import Statistics
from ..data.names import differing
from ..device import to_numpy
from ..errors import UserError
from ..evaluation.metrics import Tally
from ..random import random_state, set_random_state
from ..utils.files import keep_as, replacing
from ..utils.marks import CHECKPOINTS, SEAL
from . import finetune
from .loop import Epoch, Timing

__all__ = ["BEST", "LAST", "keep_as", "load", "replacing", "restore", "save", "save_run", "statistics"]

FORMAT = 2
LAST, BEST = CHECKPOINTS

_DIGITS = 64  # of a SHA-256 in hexadecimal, the very end of the file
_BLANK = b"0" * _DIGITS  # what stands there while the sum is computed


class Saved(NamedTuple):
    """What a checkpoint holds."""

    weights: dict[str, np.ndarray]
    velocity: dict[str, np.ndarray]
    mean: np.ndarray
    state: dict
    first_kernels: np.ndarray | None


def save(path: Any, weights: dict, velocity: dict, mean: Any, state: dict, first_kernels: Any = None) -> None:
    """Write a checkpoint. weights, velocity: {name: array}; mean, first_kernels: arrays; state: what JSON can hold.

    Raises NotWritten, a UserError, when it cannot be written, on a full disk for example; an older file of that name stays.
    """
    arrays = {f"model/{name}": array for name, array in weights.items()}
    arrays |= {f"velocity/{name}": array for name, array in velocity.items()}
    arrays |= {} if first_kernels is None else {"first_kernels": first_kernels}
    arrays |= {"mean": mean, "state": np.array(json.dumps({"format": FORMAT} | state))}
    with replacing(path) as file:
        _write_sealed(file, arrays)


def save_run(trainer: Any) -> None:
    """Write a Trainer's checkpoint-last.npz: all that `restore` needs to go on from here."""
    experiment, config, optimizer = trainer.experiment, trainer.config, trainer.optimizer.state_dict()
    velocity = dict(zip(finetune.learning(trainer.model), optimizer["velocity"]))
    components = experiment.statistics.components
    save(trainer.folder.last, trainer.model.state_dict(), {name: v for name, v in velocity.items() if v is not None},
         experiment.statistics.mean, {
        "variant": config.variant, "input_shape": list(trainer.model.input_shape),
        "classes": experiment.train.classes, "class_names": differing(experiment.train.classes), "settings": config.settings(),
        "std": experiment.statistics.std, "components": None if components is None else components.tolist(),
        "pixels": config.pixels,
        "epoch": trainer.epoch, "batch": trainer.batch, "tally": trainer.tally.state(),
        "history": trainer.history, "timing": trainer.timing, "best": trainer.best,
        "groups": optimizer["groups"], "schedule": trainer.schedule.state_dict(), "random": random_state(),
    }, experiment.first_kernels)


def restore(trainer: Any, saved: Saved) -> None:
    """Put a Trainer where it was when `save_run` was called. Raises UserError when the checkpoint belongs to another run."""
    state, folder = saved.state, trainer.folder
    velocity = [saved.velocity.get(name) for name in finetune.learning(trainer.model)]
    try:
        trainer.model.load_state_dict(saved.weights)
        trainer.optimizer.load_state_dict({"velocity": velocity, "groups": state["groups"]})
        trainer.schedule.load_state_dict(state["schedule"])
        set_random_state(state["random"])
        trainer.epoch, trainer.batch, trainer.tally = state["epoch"], state["batch"], Tally(**state["tally"])
        trainer.history, trainer.timing = [Epoch(*row) for row in state["history"]], [Timing(*row) for row in state["timing"]]
        trainer.best, trainer.saved = state["best"], (trainer.epoch, trainer.batch) if folder.source == folder.last else None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder.source} does not belong to this run: {error}") from error
    if saved.first_kernels is not None:
        trainer.experiment.first_kernels = saved.first_kernels


def statistics(saved: Saved) -> Statistics:
    """The mean image and spread; without components in checkpoints that are older than the colour augmentation."""
    components = saved.state.get("components")
    return Statistics(saved.mean, saved.state["std"], None if components is None else np.array(components))


class _Summing:
    """Adds what is written to a checksum and passes it on. It cannot seek, so a zip file is written from front to back."""

    def __init__(self, file):
        self.file, self.sum = file, hashlib.sha256()

    def write(self, data):
        self.sum.update(data)
        return self.file.write(data)

    def flush(self):
        self.file.flush()


def _write_sealed(file, arrays):
    summing = _Summing(file)
    with zipfile.ZipFile(summing, "w") as archive:
        archive.comment = SEAL + _BLANK
        for name, array in arrays.items():
            # ZipInfo's date is 1980: the file does not depend on the clock.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, to_numpy(array), allow_pickle=False)
    file.seek(-_DIGITS, os.SEEK_END)
    file.write(summing.sum.hexdigest().encode())


def _is_sealed(file, path):
    """Does this file end with a seal? Raises UserError when it does and the seal is broken."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - len(SEAL) - _DIGITS))
    end = file.read()
    file.seek(0)
    if not end.startswith(SEAL):
        return False
    found = hashlib.sha256()
    for start in range(0, length - _DIGITS, 1 << 20):
        found.update(file.read(min(1 << 20, length - _DIGITS - start)))
    found.update(_BLANK)
    file.seek(0)
    if found.hexdigest().encode() != end[len(SEAL):]:
        raise UserError(f"{path} is damaged: its checksum is not that of its content.")
    return True


def load(path: Any) -> Saved:
    """What `save` got. Raises UserError for any file that is not a whole checkpoint, to the last byte."""
    try:
        with open(path, "rb") as file:
            sealed = _is_sealed(file, path)
            found = np.load(file, allow_pickle=False)
            arrays = None if isinstance(found, np.ndarray) else {name: found[name] for name in found.files}
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}.") from error
    except Exception as error:  # damaged bytes make zip and NumPy raise almost anything
        raise UserError(f"cannot read {path}: it is damaged, cut off, or no .npz file of plain arrays ({error}).") from error
    if arrays is None:
        raise UserError(f"{path} holds one array without a name: give an .npz file of named arrays.")
    if "state" not in arrays or "mean" not in arrays:
        some = ", ".join(list(arrays)[:4]) + (", ..." if len(arrays) > 4 else "")
        raise UserError(f"{path} is no checkpoint of minialex: it holds {some}.")
    try:
        state = json.loads(str(arrays["state"][()]))
        version = state["format"]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise UserError(f"{path} is no checkpoint of minialex: its state cannot be read ({error}).") from error
    if version != FORMAT:
        raise UserError(f"{path} has format {version}, this minialex reads format {FORMAT}: use the version that wrote it.")
    if not sealed:
        raise UserError(f"{path} is damaged: the checksum that every checkpoint ends with is not there.")
    weights, velocity = ({name[len(prefix):]: array for name, array in arrays.items() if name.startswith(prefix)}
                         for prefix in ("model/", "velocity/"))
    return Saved(weights, velocity, arrays["mean"], state, arrays.get("first_kernels"))
