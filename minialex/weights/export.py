"""Weights out: one writer a format, chosen by the ending of the file's name."""

import os

from ..errors import UserError
from ..foreign import torch
from ..foreign.conventions import Weights
from ..utils.files import Output, replacing
from . import arrays

WRITERS = {".npz": arrays.write_npz, ".pth": torch.write, ".pt": torch.write,
           ".safetensors": arrays.write_safetensors}
# in no other program's files
_SIGNS = (b"archive/minialex", b"minialex.npy", b'{"__metadata__": {"minialex"')


def target(path: str | os.PathLike, force: bool = False) -> Output:
    """The files.Output to write to. Raises UserError for an unknown ending, or for a file that
    something else has written."""
    _writer(path)
    output = Output(path, "weights", force=force, signs=_SIGNS)
    output.check()
    return output


def write(path: str | os.PathLike | Output, weights: Weights) -> None:
    """Write Weights to a file, a path or what `target` returned. Raises UserError for an unknown
    ending, for arrays of anything but real numbers, or when it cannot be written."""
    writer = _writer(path)
    for name, array in weights.arrays.items():
        if array.dtype.kind not in "fiu":
            raise UserError(f"{name} holds {array.dtype} instead of real numbers: "
                            f"these weights cannot be written to {path}.")
    with replacing(path) as file:
        writer(file, weights)


def _writer(path):
    ending = os.path.splitext(path)[1].lower()
    if ending not in WRITERS:
        raise UserError(f"{path} ends in no format that can be written: "
                        f"choose {', '.join(WRITERS)}.")
    return WRITERS[ending]
