"""The safetensors format: a length (8 bytes, little-endian), that much JSON, then the arrays' bytes.

    {"__metadata__": {...}, "conv1.weight": {"dtype": "F32", "shape": [96, 3, 11, 11], "data_offsets": [0, 139392]}, ...}

It is short enough to be read and written here. A file that minialex has written carries what its network expects in
__metadata__, and the mean image as one more array. One with torchvision's names is torchvision's.
"""

import json
import os
import struct

import numpy as np

from ..errors import UserError
from . import names
from .conventions import described, description

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1", "BOOL": "?"}
_NAMES = {np.dtype(code): name for name, code in _TYPES.items()}
MOST_JSON = 100_000_000  # bytes, the limit of the format's own library


def is_one(head):
    """Do these first 16 bytes begin a file of this format?"""
    return len(head) == 16 and head[8:9] == b"{" and struct.unpack("<Q", head[:8])[0] <= MOST_JSON


def read(file, path):
    """Weights from an open file. Raises UserError when it is damaged."""
    try:
        arrays, metadata = _arrays(file)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise UserError(f"cannot read {path}: it is damaged or cut off ({error}).") from error
    if "minialex" in metadata:
        return described(metadata["minialex"], arrays, "minialex (.safetensors)", path)
    return names.weights(*names.choose({(name,): array for name, array in arrays.items()}), ".safetensors")


def _arrays(file):
    (length,) = struct.unpack("<Q", file.read(8))
    size = os.fstat(file.fileno()).st_size
    if length > min(MOST_JSON, size - 8):
        raise ValueError("the description is longer than the file")
    entries = json.loads(file.read(length))
    metadata = entries.pop("__metadata__", {})
    arrays = {}
    for name, entry in entries.items():
        start, end = entry["data_offsets"]
        kind = _TYPES.get(entry["dtype"], "<u2" if entry["dtype"] == "BF16" else None)
        if kind is None or not 0 <= start <= end <= size - 8 - length:
            raise ValueError(f"{name} has type {entry['dtype']} at bytes {start} to {end}")
        file.seek(8 + length + start)
        array = np.frombuffer(file.read(end - start), kind).reshape(entry["shape"])
        if entry["dtype"] == "BF16":  # the upper half of a float32
            array = (array.astype("<u4") << 16).view("<f4")
        arrays[name] = array
    return arrays, metadata


def write(file, weights):
    """Write Weights into an open file."""
    text, arrays = description(weights)
    entries, offset = {"__metadata__": {"minialex": text}}, 0
    for name, array in arrays.items():
        entries[name] = {"dtype": _NAMES[array.dtype.newbyteorder("=")], "shape": array.shape,
                         "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)  # arrays begin at a multiple of 8
    file.write(struct.pack("<Q", len(header)) + header)
    for array in arrays.values():
        file.write(np.ascontiguousarray(array).tobytes())
