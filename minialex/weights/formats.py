"""Which format is it? Decided by a file's first bytes, never by its name. A new format is one more
row of FORMATS; one of another program, of foreign.signs.FORMATS."""

import os
import re
import zipfile
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from ..errors import UserError
from ..foreign import signs
from ..foreign.conventions import Refusal, Weights, shown
from . import arrays, means

# in a run folder, the first of them that is there
RUN_FILES = ("checkpoint-best.npz", "checkpoint-last.npz")
MOST_BYTES = 3 * 2**30  # unpacked; AlexNet with its optimiser has half a gigabyte
KNOWN = f".npz, .safetensors, {signs.KNOWN}"

# How a file begins: its reader and what it should be, or what a file of that kind is instead.
FORMATS = [
    (rb"PK\x03\x04", (None, "archive")),
    (rb"\x93NUMPY", (arrays.read_npy, ".npy file")),
    # at most 100 MB of JSON
    (rb".{3}[\x00-\x05]\x00{4}\{.{7}", (arrays.read_safetensors, ".safetensors file")),
    *signs.FORMATS,
]
# By the name of an entry.
ZIPS = [*signs.ZIPS, (r".*\.npy", (arrays.read_npz, ".npz file of plain arrays"))]


def read(path: str | PathLike, mean: str | None = None) -> Weights:
    """Weights from a run folder or a file in any format known here. Raises UserError.

    mean: what --mean names, for weights that come without the mean of their pictures or with
    another (see means.py).
    """
    path, problem = find(path), "damaged or cut off"
    try:
        with open(path, "rb") as file:
            reader, what = _format(file)
            problem = f"damaged, cut off, or no {what}"
            found = reader(file)
        if mean is not None:
            means.apply(found, mean)
        return found
    except UserError:
        raise
    except Refusal as refusal:
        raise UserError(f"{path} {refusal}") from refusal
    except MemoryError as error:
        raise UserError(f"{path} asks for more memory than there is.") from error
    except Exception as error:
        # damaged bytes make zip, NumPy, HDF5 and pickle raise almost anything
        if isinstance(error, OSError) and error.strerror:
            raise UserError(f"cannot read {path}: {error.strerror}.") from error
        said = f"{type(error).__name__}: {shown(str(error))}"
        raise UserError(f"cannot read {path}: it is {problem} ({said}).") from error


def find(path: str | PathLike) -> Path:
    """The file itself, or the best checkpoint in a run folder. Raises UserError when there is
    none."""
    path = Path(path)
    if not path.exists():
        raise UserError(f"there is no file or run {path}: check the path.")
    if not path.is_dir():
        return path
    for name in RUN_FILES:
        if (path / name).exists():
            return path / name
    there = [shown(name) for name in sorted(os.listdir(path))]
    but = f", but {', '.join(there[:4])}{', ...' * (len(there) > 4)}" if there else ""
    raise UserError(f"{path} holds no {' or '.join(RUN_FILES)}{but}: "
                    "give the folder of a run that has saved one, or a file.")


def _format(file: BinaryIO) -> tuple[Callable[[BinaryIO], Weights], str]:
    """(the function that reads this open file, what the file should be). Raises Refusal."""
    head = file.read(512)
    file.seek(0)
    if not head:
        raise Refusal("is empty.")
    found = next(what for start, what in FORMATS if re.match(start, head, re.DOTALL))
    if isinstance(found, str):
        raise Refusal(f"is {found}; this reads {KNOWN}.")
    if found[0] is not None:
        return found
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
    file.seek(0)
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise Refusal(f"would unpack to more than {MOST_BYTES / 2**30:.0f} GiB: "
                      "that is no file of weights.")
    inside = [entry.filename for entry in entries]
    found = next((found for name, found in ZIPS
                  if any(re.fullmatch(name, entry, re.DOTALL) for entry in inside)), None)
    if found is None or isinstance(found, str):
        what = found or f"an archive with {shown([*inside, 'nothing'][0])} in it: unpack it"
        raise Refusal(f"is {what}, and give a file of weights; this reads {KNOWN}.")
    return found
