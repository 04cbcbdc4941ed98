"""Which format is it? Decided by a file's first bytes, never by its name."""

import struct
import zipfile
from pathlib import Path

from ..errors import UserError
from . import caffe, keras, means, npy, npz, safetensors, torch_file

RUN_FILES = ("checkpoint-best.npz", "checkpoint-last.npz")  # in a run folder, the first of them that is there
LEGACY = b"\x8a\x0a" + torch_file.MAGIC.to_bytes(10, "little")  # the magic number as its pickle writes it
MOST_BYTES = 3 * 2**30  # unpacked; AlexNet with its optimiser has half a gigabyte
_NO_WEIGHTS = {b"<": "a web page, so the download has failed", b"name:": "Caffe's description of a network, without weights",
               b"version https://git-lfs": "Git LFS's pointer to a file (git lfs pull fetches it)",
               b"\x1f\x8b": "packed with gzip, so unpack it first", b"7z": "an archive, so unpack it first",
               b"rar!": "an archive, so unpack it first", b"pk\5\6": "an empty archive"}
KNOWN = ".npz, PyTorch's .pth, Caffe's .caffemodel, bvlc_alexnet.npy, .safetensors and Keras' .h5 and .keras"


def read(path, mean=None):
    """Weights from a run folder or a file in any format known here. Raises UserError.

    mean: what --mean names, for weights that come without the mean of their pictures or with another (see means.py).
    """
    path = find(path)
    try:
        with open(path, "rb") as file:
            found = _reader(file, path)(file, path)
        if mean is not None:
            means.apply(found, mean)
        return found
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}.") from error
    except MemoryError as error:
        raise UserError(f"{path} asks for more memory than there is.") from error


def find(path):
    """The file itself, or the best checkpoint in a run folder. Raises UserError when there is none."""
    path = Path(path)
    if not path.exists():
        raise UserError(f"there is no file or run {path}: check the path.")
    if not path.is_dir():
        return path
    for name in RUN_FILES:
        if (path / name).exists():
            return path / name
    raise UserError(f"{path} holds no {' or '.join(RUN_FILES)}: give the folder of a run that has saved one, or a file.")


def _reader(file, path):
    """The function that reads this open file."""
    head = file.read(512)
    file.seek(0)
    if not head:
        raise UserError(f"{path} is empty.")
    if head.startswith(b"PK\x03\x04"):
        return _zip_reader(file, path)
    if head.startswith(b"\x93NUMPY"):
        return npy.read
    if head[2:].startswith(LEGACY):
        return torch_file.read_legacy
    if head[257:262] == b"ustar":
        return torch_file.read_tar
    if safetensors.is_one(head[:16]):
        return safetensors.read
    if head.startswith(b"\x89HDF"):
        return keras.read
    if head[:1] == b"\x80":
        raise UserError(f"{path} is a bare pickle, which no program here writes weights into: this reads {KNOWN}.")
    if caffe.is_one(head):
        return caffe.read
    what = [what for start, what in _NO_WEIGHTS.items() if head.lstrip().lower().startswith(start)]
    raise UserError(f"{path} is {what[0] if what else 'in no format known here'}: this reads {KNOWN}.")


def _zip_reader(file, path):
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
        raise UserError(f"cannot read {path}: it is damaged or cut off ({error}).") from error
    finally:
        file.seek(0)
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise UserError(f"{path} would unpack to more than {MOST_BYTES / 2**30:.0f} GiB: that is no file of weights.")
    if any(entry.filename == "model.weights.h5" for entry in entries):
        return keras.read_zip
    if any(entry.filename.endswith("/data.pkl") for entry in entries):
        return torch_file.read_zip
    if not any(entry.filename.endswith(".npy") for entry in entries):
        raise UserError(f"{path} is an archive with {entries[0].filename if entries else 'nothing'} in it: unpack it, and give "
                        f"a file of weights: {KNOWN}.")
    return npz.read
