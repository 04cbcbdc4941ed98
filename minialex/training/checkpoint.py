"""A checkpoint: one .npz file of plain arrays, from which a run goes on as if it had never stopped.

    model/conv1.weight ...      the weights, by their names in model.state_dict()
    velocity/conv1.weight ...   the optimiser's memory of earlier steps
    mean                        the mean image, float32 (C, size, size)
    first_kernels               conv1's weights before training, to show what it has changed
    state                       JSON text: settings, classes, epoch, step, schedule, random numbers, metrics

It is whole or not there (see files), and nothing in it can run code. Its last bytes are a seal: the SHA-256 of everything
before them, in the comment that a zip file may end with, so that any other program still reads the arrays. Not a single
byte can change unnoticed; the checksums that a zip file keeps by itself do not cover names and headers.
"""

import hashlib
import json
import os
import zipfile

import numpy as np

from ..device import to_numpy
from ..errors import UserError
from ..utils.files import keep_as, replacing
from ..utils.marks import CHECKPOINTS, SEAL

__all__ = ["BEST", "LAST", "keep_as", "load", "read_arrays", "replacing", "save"]

FORMAT = 2
LAST, BEST = CHECKPOINTS

_DIGITS = 64  # of a SHA-256 in hexadecimal, the very end of the file
_BLANK = b"0" * _DIGITS  # what stands there while the sum is computed


def save(path, weights, velocity, mean, state, first_kernels=None):
    """Write a checkpoint. weights, velocity: {name: array}; mean, first_kernels: arrays; state: what JSON can hold.

    Raises NotWritten, a UserError, when it cannot be written, on a full disk for example; an older file of that name stays.
    """
    arrays = {f"model/{name}": array for name, array in weights.items()}
    arrays |= {f"velocity/{name}": array for name, array in velocity.items()}
    arrays |= {} if first_kernels is None else {"first_kernels": first_kernels}
    arrays |= {"mean": mean, "state": np.array(json.dumps({"format": FORMAT} | state))}
    with replacing(path) as file:
        _write_sealed(file, arrays)


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


def load(path):
    """(weights, velocity, mean, state, first_kernels) as `save` got them.

    Raises UserError for any file that is not a whole checkpoint, to the last byte.
    """
    arrays, sealed = _read(path)
    if "state" not in arrays or "mean" not in arrays:
        raise UserError(f"{path} is no checkpoint of minialex: it holds {_some(arrays)}.")
    try:
        state = json.loads(str(arrays["state"][()]))
        version = state["format"]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise UserError(f"{path} is no checkpoint of minialex: its state cannot be read ({error}).") from error
    if version != FORMAT:
        raise UserError(f"{path} has format {version}, this minialex reads format {FORMAT}: use the version that wrote it.")
    _check_seal(sealed, path)
    return _below("model/", arrays), _below("velocity/", arrays), arrays["mean"], state, arrays.get("first_kernels")


def read_arrays(path):
    """All arrays of an .npz file by name. Raises UserError when it is missing, damaged, or no .npz of plain arrays."""
    arrays, sealed = _read(path)
    if "state" in arrays and "mean" in arrays:
        _check_seal(sealed, path)
    return arrays


def _read(path):
    """(arrays by name, is the file sealed?)"""
    try:
        with open(path, "rb") as file:
            sealed = _is_sealed(file, path)
            arrays = np.load(file, allow_pickle=False)
            if isinstance(arrays, np.ndarray):
                raise UserError(f"{path} holds one array without a name: give an .npz file of named arrays.")
            return {name: arrays[name] for name in arrays.files}, sealed
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}.") from error
    except Exception as error:  # damaged bytes make zip and NumPy raise almost anything
        raise UserError(f"cannot read {path}: it is damaged, cut off, or no .npz file of plain arrays ({error}).") from error


def _check_seal(sealed, path):
    if not sealed:
        raise UserError(f"{path} is damaged: the checksum that every checkpoint ends with is not there.")


def _below(prefix, arrays):
    return {name[len(prefix):]: array for name, array in arrays.items() if name.startswith(prefix)}


def _some(arrays):
    return ", ".join(list(arrays)[:4]) + (", ..." if len(arrays) > 4 else "")
