"""A checkpoint: one .npz file of plain arrays, from which a run goes on as if it had never stopped.

    model/conv1.weight ...      the weights, by their names in model.state_dict()
    velocity/conv1.weight ...   the optimiser's memory of earlier steps
    mean                        the mean image, float32 (C, size, size)
    first_kernels               conv1's weights before training, to show what it has changed
    state                       JSON text: network, classes, epoch, schedule, random numbers, metrics

It is written under another name, forced to the disk and then renamed: whatever happens, the old file or the new one is
there, whole. Nothing in it can run code. Reading verifies the checksum that a zip file keeps of every array.
"""

import json
import os
import shutil
from contextlib import contextmanager

import numpy as np

from ..backend import to_numpy
from ..errors import UserError

FORMAT = 1
LAST, BEST = "checkpoint-last.npz", "checkpoint-best.npz"


@contextmanager
def replacing(path, mode="wb", **options):
    """Yield a file that takes the name `path` when the block ends well. Raises UserError when it cannot be written."""
    temporary = f"{path}.new"  # always the same: what a killed program leaves is overwritten by the next
    try:
        with open(temporary, mode, **options) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(os.path.dirname(os.path.abspath(path)))
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; what was there before is unchanged.") from error
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def _sync_folder(folder):
    """Force the renaming itself to the disk, where folders can be opened (not on Windows)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def save(path, weights, velocity, mean, state, first_kernels=None):
    """Write a checkpoint. weights, velocity: {name: array}; mean, first_kernels: arrays; state: what JSON can hold.

    Raises UserError when it cannot be written, on a full disk for example; an older file of that name then stays.
    """
    arrays = {f"model/{name}": to_numpy(array) for name, array in weights.items()}
    arrays |= {f"velocity/{name}": to_numpy(array) for name, array in velocity.items()}
    if first_kernels is not None:
        arrays["first_kernels"] = first_kernels
    text = json.dumps({"format": FORMAT} | state)
    with replacing(path) as file:
        np.savez(file, mean=mean, state=np.array(text), **arrays)


def keep_as(source, target):
    """Give a checkpoint a second name that stays when `source` is written anew: a link, or where there are none a copy."""
    temporary = f"{target}.new"
    try:
        if os.path.exists(temporary):
            os.unlink(temporary)
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
        os.replace(temporary, target)
    except OSError as error:
        raise UserError(f"cannot write {target}: {error.strerror or error}; what was there before is unchanged.") from error


def load(path):
    """(weights, velocity, mean, state, first_kernels) as `save` got them.

    Raises UserError for any file that is not a whole checkpoint.
    """
    arrays = read_arrays(path)
    if "state" not in arrays or "mean" not in arrays:
        raise UserError(f"{path} is no checkpoint of minialex: it holds {_some(arrays)}.")
    try:
        state = json.loads(str(arrays["state"][()]))
        version = state["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no checkpoint of minialex: its state cannot be read ({error}).") from error
    if version != FORMAT:
        raise UserError(f"{path} has format {version}, this minialex reads format {FORMAT}: use the version that wrote it.")
    return _below("model/", arrays), _below("velocity/", arrays), arrays["mean"], state, arrays.get("first_kernels")


def read_arrays(path):
    """All arrays of an .npz file by name. Raises UserError when it is missing, damaged, or no .npz of plain arrays."""
    try:
        file = np.load(path, allow_pickle=False)
        if isinstance(file, np.ndarray):
            raise UserError(f"{path} holds one array without a name: give an .npz file of named arrays.")
        with file:
            return {name: file[name] for name in file.files}
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}.") from error
    except Exception as error:  # damaged bytes make zip and NumPy raise almost anything
        raise UserError(f"cannot read {path}: it is damaged, cut off, or no .npz file of plain arrays ({error}).") from error


def _below(prefix, arrays):
    return {name[len(prefix):]: array for name, array in arrays.items() if name.startswith(prefix)}


def _some(arrays):
    return ", ".join(list(arrays)[:4]) + (", ..." if len(arrays) > 4 else "")
