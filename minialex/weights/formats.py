"""Which format is it? Decided by a file's first bytes, never by its name. A new format is one more
row of FORMATS."""

import re
import zipfile
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from ..errors import UserError
from . import arrays, caffe, keras, means, torch
from .conventions import Refusal, Weights, shown

# in a run folder, the first of them that is there
RUN_FILES = ("checkpoint-best.npz", "checkpoint-last.npz")
MOST_BYTES = 3 * 2**30  # unpacked; AlexNet with its optimiser has half a gigabyte
KNOWN = (".npz, PyTorch's .pth, Caffe's .caffemodel, bvlc_alexnet.npy, "
         ".safetensors and Keras' .h5 and .keras")
# the magic number as its pickle writes it
LEGACY = re.escape(b"\x8a\x0a" + torch.MAGIC.to_bytes(10, "little"))

# How a file begins: its reader and what it should be, or what a file of that kind is instead.
FORMATS = [
    (rb"PK\x03\x04", (None, "archive")),
    (rb"\x93NUMPY", (arrays.read_npy, ".npy file")),
    (rb".." + LEGACY, (torch.read_legacy, "file of weights")),
    (rb".{257}ustar", (torch.read_tar, "file of weights")),
    # at most 100 MB of JSON
    (rb".{3}[\x00-\x05]\x00{4}\{.{7}", (arrays.read_safetensors, ".safetensors file")),
    (rb"\x89HDF", (keras.read, "HDF5 file of Keras")),
    (rb"\x80", "a bare pickle, which no program here writes weights into"),
    # a NetParameter's name, an input, or a layer
    (rb"[\x0a\x12\x1a]|\xa2\x06", (caffe.read, ".caffemodel")),
    (rb"\s*<", "a web page, so the download has failed"),
    (rb"(?i)\s*name:", "Caffe's description of a network, without weights"),
    (rb"(?i)\s*version https://git-lfs", "Git LFS's pointer to a file (git lfs pull fetches it)"),
    (rb"\s*\x1f\x8b", "packed with gzip, so unpack it first"),
    (rb"(?i)\s*(7z|rar!)", "an archive, so unpack it first"),
    (rb"(?i)\s*pk\x05\x06", "an empty archive"),
    (rb"", "in no format known here"),
]
ZIPS = [(r"model\.weights\.h5", (keras.read_zip, "HDF5 file of Keras")),
        (r".*/data\.pkl", (torch.read_zip, "file of weights")),
        (r".*\.npy", (arrays.read_npz, ".npz file of plain arrays"))]  # by the name of an entry


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
    raise UserError(f"{path} holds no {' or '.join(RUN_FILES)}: "
                    "give the folder of a run that has saved one, or a file.")


def _format(file: BinaryIO) -> tuple[Callable[[BinaryIO], Weights], str]:
    """(the function that reads this open file, what the file should be). Raises Refusal."""
    head = file.read(512)
    file.seek(0)
    if not head:
        raise Refusal("is empty.")
    found = next(what for start, what in FORMATS if re.match(start, head, re.DOTALL))
    if isinstance(found, str):
        raise Refusal(f"is {found}: this reads {KNOWN}.")
    if found[0] is not None:
        return found
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
    file.seek(0)
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise Refusal(f"would unpack to more than {MOST_BYTES / 2**30:.0f} GiB: "
                      "that is no file of weights.")
    for name, found in ZIPS:
        if any(re.fullmatch(name, entry.filename, re.DOTALL) for entry in entries):
            return found
    inside = shown(entries[0].filename) if entries else "nothing"
    raise Refusal(f"is an archive with {inside} in it: unpack it, "
                  f"and give a file of weights: {KNOWN}.")
