"""PyTorch's files of weights (.pth, .pt), without PyTorch: the zip of today, and the two forms before it.

    zip      NAME/data.pkl, a pickle in which each tensor is (storage, offset, size, stride); NAME/data/KEY, the
             storages' bytes. This form is written, too: torch.load reads it, also with weights_only=True
    legacy   a magic number, a version, facts about the machine, the pickle, a list of keys (each a pickle); then the
             storages, each a length and its bytes
    tar      the members storages, tensors and pickle, from 2016

By hand, because PyTorch is a gigabyte, and its own reader runs what older files hold. pickles.load runs nothing;
names.choose finds the network among the tensors.
"""

import io
import math
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable
from mmap import mmap
from typing import Any, BinaryIO

import numpy as np

from . import names, pickles
from .conventions import MEAN, Refusal, Weights, described, description

MAGIC = 0x1950A86A20F9469CFC6C
EXTRA = "minialex.json"  # beside data.pkl in files that minialex has written; PyTorch does not look at it
_TYPES = {"Double": "<f8", "Float": "<f4", "Half": "<f2", "BFloat16": "<u2", "Long": "<i8", "Int": "<i4", "Short": "<i2",
          "Char": "i1", "Byte": "u1", "Bool": "?", "Untyped": "u1", "ComplexFloat": "<c8", "ComplexDouble": "<c16",
          "QInt8": "i1", "QUInt8": "u1", "QInt32": "<i4", "torch.bfloat16": "<u2",  # and the names of types in views of bytes
          **{f"torch.{kind}{size}": f"<{kind[0]}{size // 8}" for kind in ("uint", "int", "float") for size in (8, 16, 32, 64)}}


class Storage(pickles.Object):
    """A row of numbers that tensors are cut from; `values` is filled in when its bytes have been found."""

    def __init__(self, kind, key, count):
        name = kind.__name__.rpartition(".")[2].removesuffix("Storage").removesuffix("Tensor")
        self.key, self.count, self.values, self.at = _key(key), int(count), None, 0
        self.dtype, self.brain_float = np.dtype(_TYPES[name]), name == "BFloat16"

    def place(self, file: io.BytesIO | mmap) -> None:
        """Note where the bytes are, behind their number, and go on behind them."""
        (self.count,) = struct.unpack("<q", file.read(8))
        if self.count < 0:
            raise ValueError("a storage of less than nothing")
        self.at = file.tell()
        file.seek(self.count * self.dtype.itemsize, 1)


class Tensor(pickles.Later):
    """(storage, offset, size, stride): a tensor whose storage may not have been read yet.

    kind: the type, in steps of which all is counted, for a storage of bytes."""

    def __init__(self, storage, offset, size, stride, _gradient=None, _hooks=None, kind=None, marks=None, *_):
        if not isinstance(storage, Storage):
            raise ValueError("a tensor without a storage")
        self.storage, self.offset, self.size, self.stride = storage, int(offset), size, stride
        self.kind = kind.__name__ if isinstance(kind, type) else None
        marks = kind if isinstance(kind, dict) else marks  # of a view that says what is to be done with the numbers
        self.negative = isinstance(marks, dict) and bool(marks.get("neg"))

    def array(self) -> np.ndarray:
        values, size = self.storage.values, tuple(self.size)
        values = values if self.kind is None else values.view(_TYPES[self.kind])
        last = self.offset + sum((n - 1) * step for n, step in zip(size, self.stride, strict=True))
        fits = min(self.offset, *size, *self.stride, 0) == 0 and math.prod(size) <= len(values)
        if not fits or math.prod(size) and last >= len(values):
            raise ValueError(f"a tensor of shape {size} reaches beyond its storage")
        strides = [step * values.itemsize for step in self.stride]
        array = np.lib.stride_tricks.as_strided(values[self.offset:], size, strides).copy()
        array = widened(array) if self.kind == "torch.bfloat16" or self.storage.brain_float and not self.kind else array
        return -array if self.negative else array


def widened(brain_floats: np.ndarray) -> np.ndarray:
    """A bfloat16 is the upper half of a float32."""
    return (brain_floats.astype("<u4") << 16).view("<f4")


class _First(pickles.Object):
    """A call around a tensor that gives the tensor."""

    def __new__(cls, data, *_):
        return data


class _FromType(pickles.Object):
    """A call that says by which call a tensor of a subclass is made."""

    def __new__(cls, make, kind, arguments, state):
        return make(*arguments)


_CLASSES = {f"torch._utils._rebuild_tensor{version}": Tensor for version in ("", "_v2", "_v3")} | {
    f"torch._utils._rebuild_{what}": _First for what in ("parameter", "parameter_with_state", "device_tensor_from_numpy")} | {
    "torch._tensor._rebuild_from_type_v2": _FromType}


def read_zip(file: BinaryIO) -> Weights:
    """Weights from an open file in the zip form. Raises Refusal, or any Exception for damaged bytes."""
    with zipfile.ZipFile(file) as archive:
        entries = archive.NameToInfo
        folder = next(name for name in entries if name.endswith("/data.pkl")).removesuffix("data.pkl")
        if any(entry.compress_type != zipfile.ZIP_STORED for name, entry in entries.items()
               if name.startswith((f"{folder}data/", f"{folder}data.pkl"))):
            raise ValueError("PyTorch compresses nothing in its files, this one is compressed")
        if f"{folder}byteorder" in entries and archive.read(f"{folder}byteorder") == b"big":
            raise ValueError("it was written on a big-endian machine")
        value = pickles.load(io.BytesIO(archive.read(f"{folder}data.pkl")), _CLASSES, _by_key({}))
        arrays, notes = _network(value, lambda storage: archive.read(f"{folder}data/{storage.key}"))
        if f"{folder}{EXTRA}" not in entries:
            return names.weights(arrays, notes, ".pth")
        if f"{folder}{MEAN}.npy" in entries:
            with archive.open(f"{folder}{MEAN}.npy") as entry:
                arrays[MEAN] = np.lib.format.read_array(entry, allow_pickle=False)
        found = described(archive.read(f"{folder}{EXTRA}"), arrays, "minialex (.pth)")
    if found.variant == "torchvision":
        found.arrays = names.renamed(found.arrays, names.TORCHVISION)
    return found


def read_legacy(file: BinaryIO) -> Weights:
    """Weights from an open file in the form that PyTorch wrote before 1.6. Raises as `read_zip` does."""
    view, storages = pickles.mapped(file), {}
    for _ in range(3):  # the magic number, by which the format was recognised, and facts about the machine
        pickles.load(view)
    value = pickles.load(view, _CLASSES, _by_key(storages))
    for key in pickles.load(view):
        storages[_key(key)].place(view)
    return names.weights(*_network(value, lambda storage: view), ".pth, legacy form")


def read_tar(file: BinaryIO) -> Weights:
    """Weights from an open file in the form of PyTorch 0.1. Raises as `read_zip` does."""
    with tarfile.open(fileobj=file, mode="r:") as archive:
        if any(member.issparse() for member in archive):  # whose holes would be read as zeros without end
            raise ValueError("a sparse file in it")
        places, parts, pickle = (io.BytesIO(archive.extractfile(name).read()) for name in ("storages", "tensors", "pickle"))
        storages, tensors = {}, {}
        for _ in range(pickles.load(places)):
            key, _, kind = pickles.load(places)
            storages[_key(key)] = Storage(kind, key, 0)
            storages[_key(key)].place(places)
        for _ in range(pickles.load(parts)):
            key, storage, _ = pickles.load(parts)
            (ndim,) = struct.unpack("<i4x", parts.read(8))
            numbers = struct.unpack(f"<{2 * ndim + 1}q", parts.read(16 * ndim + 8))
            tensors[_key(key)] = Tensor(storages[_key(storage)], numbers[-1], numbers[:ndim], numbers[ndim:-1])
        value = pickles.load(pickle, _CLASSES, lambda key: tensors[_key(key)])
        return names.weights(*_network(value, lambda storage: places.getbuffer()), ".pth, tar form")


def _key(key):
    if not isinstance(key, (str, int)):
        raise ValueError("a storage without a name")
    return str(key)


def _by_key(storages):
    """What gives a Storage for the persistent identifier ("storage", type, key, place, count), the same one for each key."""
    def find(identifier):
        if identifier[0] == "module":  # a class, its file and its source text, before it is used
            return identifier[1]
        what, kind, key, _, count = identifier[:5]
        if what != "storage" or not isinstance(kind, type):
            raise ValueError("a persistent identifier of another kind")
        return storages.setdefault(_key(key), Storage(kind, key, count))
    return find


def _network(value: Any, content: Callable[[Storage], Any]) -> tuple[dict[str, np.ndarray], list[str]]:
    """({name: array}, notes) of the network in what a file holds, as training scripts save it; nothing else is read."""
    found = dict(names.leaves(value))
    if not found:
        raise Refusal("holds no state_dict, the dictionary of tensors that torch.save(model.state_dict(), ...) writes.")
    chosen, notes = names.choose(found)
    tensors = [item for item in chosen.values() if isinstance(item, Tensor)]
    storages = {id(tensor.storage): tensor.storage for tensor in tensors}
    for storage in storages.values():
        storage.values = np.frombuffer(content(storage), storage.dtype, storage.count, storage.at)
    if sum(math.prod(tuple(tensor.size)) for tensor in tensors) > 2 * sum(storage.values.nbytes for storage in storages.values()):
        raise ValueError("its tensors together are much larger than its storages")
    return {name: item.array() for name, item in chosen.items()}, notes


# ------------------------------------------------------------------------------------------------ writing


def write(file: BinaryIO, weights: Weights) -> None:
    """Write Weights into an open file; the variant torchvision under torchvision's names."""
    text, arrays = description(weights)
    mean = arrays.pop(MEAN, None)
    arrays = names.renamed(arrays, names.TO_TORCHVISION) if weights.variant == "torchvision" else arrays
    arrays = {name: np.ascontiguousarray(array, "<f4") for name, array in arrays.items()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", _pickle(arrays))
        archive.writestr("archive/byteorder", "little")
        for key, array in enumerate(arrays.values()):
            archive.writestr(f"archive/data/{key}", array.tobytes())
        archive.writestr(f"archive/{EXTRA}", text)
        if mean is not None:
            with archive.open(f"archive/{MEAN}.npy", "w") as entry:
                np.lib.format.write_array(entry, mean, allow_pickle=False)
        archive.writestr("archive/version", "3\n")


def _pickle(arrays):
    """OrderedDict of torch._utils._rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict()), protocol 2.

    Instruction by instruction: Python's own pickle module could only name functions of a PyTorch that is installed."""
    def plain(value):
        return pickle.dumps(value, 2)[2:-1]  # without the protocol's number and the stop

    ordered, rebuild = b"ccollections\nOrderedDict\n)R", b"ctorch._utils\n_rebuild_tensor_v2\n"  # ) the empty tuple, R call
    parts = [b"\x80\x02", ordered, b"("]  # ( a mark
    for key, (name, array) in enumerate(arrays.items()):
        strides = tuple(step // array.itemsize for step in array.strides)
        storage = b"ctorch\nFloatStorage\n", *map(plain, (str(key), "cpu", array.size)), b"tQ"  # t a tuple, Q the object for it
        parts += [plain(name), rebuild, b"((", plain("storage"), *storage, *map(plain, (0, array.shape, strides, False)), ordered,
                  b"tR"]
    return b"".join([*parts, b"u."])  # u set all items, . stop
