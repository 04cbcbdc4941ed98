"""Weights out: one writer a format, chosen by the ending of the file's name."""

import os

import numpy as np

from ..errors import UserError
from . import safetensors, torch_writer
from .conventions import description


def _write_npz(file, weights):
    text, arrays = description(weights)
    np.savez(file, **{"minialex": np.array(text)}, **arrays)


WRITERS = {".npz": _write_npz, ".pth": torch_writer.write, ".pt": torch_writer.write, ".safetensors": safetensors.write}


def write(path, weights):
    """Write Weights to a file. Raises UserError for an unknown ending, for arrays of anything but real numbers, or when it
    cannot be written."""
    ending = os.path.splitext(path)[1].lower()
    if ending not in WRITERS:
        raise UserError(f"{path} ends in no format that can be written: choose {', '.join(WRITERS)}.")
    for name, array in weights.arrays.items():
        if array.dtype.kind not in "fiu":
            raise UserError(f"{name} holds {array.dtype} instead of real numbers: these weights cannot be written to {path}.")
    temporary = f"{path}.new"
    try:
        with open(temporary, "wb") as file:
            WRITERS[ending](file, weights)
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}.") from error
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
