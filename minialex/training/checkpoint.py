"""A checkpoint: one .npz file of plain arrays, from which a run goes on as if it had never stopped.

    model/conv1.weight ...      the weights, by their names in model.state_dict()
    velocity/conv1.weight ...   the optimiser's memory of earlier steps
    mean                        the mean image, float32 (C, size, size)
    first_kernels               the first convolution's weights before training
    state                       JSON text: settings, classes, epoch, step, schedule, random numbers

It is whole or not there (see files), not a byte of it can change unnoticed (see seal), and nothing
in it can run code.
"""

import json
import zipfile
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ..aliases import Array
from ..data import Statistics
from ..device import to_numpy
from ..errors import UserError, require
from ..evaluation.metrics import Tally
from ..folders.names import differing
from ..random import random_state, set_random_state
from ..utils import seal
from ..utils.files import Place, replacing
from . import finetune
from .run_dir import Epoch, Timing

FORMAT = 2


class Saved(NamedTuple):
    """What a checkpoint holds."""

    weights: dict[str, Array]
    velocity: dict[str, Array]
    mean: Array
    state: dict[str, Any]  # what JSON can hold
    first_kernels: Array | None = None


def save(path: Place, saved: Saved) -> None:
    """Write a checkpoint, which `load` gives back.

    Raises NotWritten, a UserError, when it cannot be written, on a full disk for example; an older
    file of that name stays.
    """
    weights, velocity, mean, state, first_kernels = saved
    arrays = {f"model/{name}": array for name, array in weights.items()}
    arrays |= {f"velocity/{name}": array for name, array in velocity.items()}
    arrays |= {} if first_kernels is None else {"first_kernels": first_kernels}
    arrays |= {"mean": mean, "state": np.array(json.dumps({"format": FORMAT} | state))}
    with replacing(path, "w+b") as file:
        _write_sealed(file, arrays)


def save_run(trainer: Any) -> None:
    """Write a Trainer's checkpoint-last.npz: all that `restore` needs to go on from here."""
    config, optimizer = trainer.config, trainer.optimizer.state_dict()
    velocity = {name: array for name, array in zip(finetune.learning(trainer.model),
                                                   optimizer["velocity"]) if array is not None}
    statistics, classes = trainer.experiment.statistics, trainer.experiment.train.classes
    components = statistics.components
    state = {
        "variant": config.variant, "input_shape": list(trainer.model.input_shape),
        "classes": classes, "class_names": differing(classes),
        "settings": config.settings(), "std": statistics.std,
        "components": None if components is None else components.tolist(), "pixels": config.pixels,
        "epoch": trainer.epoch, "batch": trainer.batch, "tally": trainer.tally.state(),
        "history": trainer.history, "timing": trainer.timing, "best": trainer.best,
        "groups": optimizer["groups"], "schedule": trainer.schedule.state_dict(),
        "random": random_state(), "fresh": sorted(trainer.experiment.fresh),
    }
    save(trainer.folder.last, Saved(trainer.model.state_dict(), velocity, statistics.mean, state,
                                    trainer.experiment.first_kernels))


def restore(trainer: Any, saved: Saved) -> None:
    """Put a Trainer where it was when `save_run` was called.

    With another number of epochs, the learning rate is from here on that of its new number: "steps"
    and "linear" are parts of all epochs, so they rise again; the other schedules do not depend on
    it. Raises UserError when the checkpoint belongs to another run, or has more epochs behind it.
    """
    state, folder, config = saved.state, trainer.folder, trainer.config
    velocity = [saved.velocity.get(name) for name in finetune.learning(trainer.model)]
    try:
        trainer.model.load_state_dict(saved.weights)
        trainer.optimizer.load_state_dict({"velocity": velocity, "groups": state["groups"]})
        trainer.schedule.load_state_dict(state["schedule"])
        set_random_state(state["random"])
        trainer.epoch, trainer.batch, trainer.best = state["epoch"], state["batch"], state["best"]
        trainer.tally, before = Tally(**state["tally"]), state["settings"]["epochs"]
        trainer.history = [Epoch(*row) for row in state["history"]]
        trainer.timing = [Timing(*row) for row in state["timing"]]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder.source} does not belong to this run: {error}") from error
    trainer.experiment.fresh = frozenset(state.get("fresh", ()))  # older checkpoints have none
    trainer.saved = (trainer.epoch, trainer.batch) if folder.source == folder.last else None
    if saved.first_kernels is not None:
        trainer.experiment.first_kernels = saved.first_kernels
    if config.epochs != before:
        require(config.epochs > trainer.epoch, f"{folder} has {trainer.epoch} epochs behind it: "
                f"--epochs {config.epochs} needs a larger number, or leave it out.")
        _stretch(trainer, before)


def _stretch(trainer: Any, before: int) -> None:
    """Let the schedule be that of another number of epochs than `before`."""
    config, lr = trainer.config, trainer.lr
    if config.schedule != "plateau" and not (trainer.epoch == 0 and trainer.batch < config.warmup):
        trainer.schedule.set_rate()
    if trainer.lr != lr:
        trainer.experiment.notes.append(
            f"the schedule {config.schedule} is from here on that of {config.epochs} epochs "
            f"instead of {before}: lr goes from {lr:.3g} to {trainer.lr:.3g}")


def statistics(saved: Saved) -> Statistics:
    """The mean image and spread; no components in checkpoints older than the colour shifts."""
    components = saved.state.get("components")
    components = None if components is None else np.array(components)
    return Statistics(saved.mean, saved.state["std"], components)


def _write_sealed(file: BinaryIO, arrays: dict[str, Array]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = seal.BLANK
        for name, array in arrays.items():
            # ZipInfo's date is 1980: the file does not depend on the clock.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, to_numpy(array), allow_pickle=False)
    seal.seal(file)


def load(path: Place) -> Saved:
    """What `save` got. Raises UserError for a file that is no whole checkpoint to the last byte."""
    try:
        with open(path, "rb") as file:
            sealed = seal.is_whole(file, path)
            require(zipfile.is_zipfile(file), f"{path} is no checkpoint, or is cut off: give the "
                    "folder of a run.")
            file.seek(0)
            found = np.load(file, allow_pickle=False)
            arrays = {name: found[name] for name in found.files}
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}.") from error
    except Exception as error:  # damaged bytes make zip and NumPy raise almost anything
        raise UserError(f"cannot read {path}: it is damaged, cut off, or no .npz file of plain "
                        f"arrays ({error}).") from error
    some = ", ".join(list(arrays)[:4]) + ", ..." * (len(arrays) > 4)
    no_checkpoint = f"{path} is no checkpoint of minialex: it"
    require(arrays.keys() >= {"state", "mean"}, f"{no_checkpoint} holds {some}.")
    try:
        state = json.loads(str(arrays.pop("state")[()]))
        version = state["format"]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise UserError(f"{no_checkpoint}s state cannot be read ({error}).") from error
    require(version == FORMAT, f"{path} has format {version}, this minialex reads format {FORMAT}: "
                               "use the version that wrote it.")
    require(sealed, f"{path} is damaged: the checksum that every checkpoint ends with is not "
                    "there.")
    return Saved(_below("model/", arrays), _below("velocity/", arrays), arrays["mean"], state,
                 arrays.get("first_kernels"))


def _below(folder: str, arrays: dict[str, Array]) -> dict[str, Array]:
    return {name[len(folder):]: array for name, array in arrays.items() if name.startswith(folder)}
