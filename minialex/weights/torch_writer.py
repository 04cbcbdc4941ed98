"""Writes the zip form of PyTorch's files: torch.load reads it, also with weights_only=True.

The pickle is written instruction by instruction: Python's own pickle module could only name functions of a PyTorch that is
installed.
"""

import struct
import zipfile

import numpy as np

from . import torchvision
from .conventions import MEAN, description
from .torch_file import EXTRA

FOLDER = "archive/"


def write(file, weights):
    """Write Weights into an open file; the variant torchvision under torchvision's names."""
    text, arrays = description(weights)
    mean = arrays.pop(MEAN, None)
    if weights.variant == "torchvision":
        arrays = torchvision.state_dict(arrays)
    arrays = {name: np.ascontiguousarray(array, "<f4") for name, array in arrays.items()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"{FOLDER}data.pkl", _pickle(arrays))
        archive.writestr(f"{FOLDER}byteorder", "little")
        for key, array in enumerate(arrays.values()):
            archive.writestr(f"{FOLDER}data/{key}", array.tobytes())
        archive.writestr(f"{FOLDER}{EXTRA}", text)
        if mean is not None:
            with archive.open(f"{FOLDER}{MEAN}.npy", "w") as entry:
                np.lib.format.write_array(entry, mean, allow_pickle=False)
        archive.writestr(f"{FOLDER}version", "3\n")


def _pickle(arrays):
    """OrderedDict of torch._utils._rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict()), protocol 2."""
    ordered = _name("collections", "OrderedDict") + b")R"  # ) the empty tuple, R call
    parts = [b"\x80\x02", ordered, b"("]  # ( a mark
    for key, (name, array) in enumerate(arrays.items()):
        strides = [step // array.itemsize for step in array.strides]
        storage = (b"(" + _text("storage") + _name("torch", "FloatStorage") + _text(str(key)) + _text("cpu") + _int(array.size)
                   + b"tQ")  # t a tuple from the mark, Q the object for it
        parts += [_text(name), _name("torch._utils", "_rebuild_tensor_v2"), b"(", storage, _int(0), _tuple(array.shape),
                  _tuple(strides), b"\x89", ordered, b"tR"]  # \x89 False
    return b"".join([*parts, b"u."])  # u set all items, . stop


def _name(module, name):
    return f"c{module}\n{name}\n".encode()


def _text(text):
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def _int(number):
    return b"J" + struct.pack("<i", number)


def _tuple(numbers):
    return b"(" + b"".join(map(_int, numbers)) + b"t"
