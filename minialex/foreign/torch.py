"""PyTorch's files of weights (.pth, .pt), without PyTorch: the zip of today, and the two forms
before it.

    zip      NAME/data.pkl, a pickle in which each tensor is (storage, offset, size, stride);
             NAME/data/KEY, the storages' bytes. This form is written, too: torch.load reads it,
             also with weights_only=True
    legacy   a magic number, a version, facts about the machine, the pickle, a list of keys (each a
             pickle); then the storages, each a length and its bytes
    tar      the members storages, tensors and pickle, from 2016

By hand, because PyTorch is a gigabyte, and its own reader runs what older files hold. pickles.load
runs nothing; names.choose finds the network among the tensors.
"""

import io
import math
import pickle
import struct
import tarfile
import zipfile
from functools import cached_property
from mmap import mmap
from typing import BinaryIO

import numpy as np

from . import conventions, names, pickles
from .conventions import MEAN, Weights, description

MAGIC = 0x1950A86A20F9469CFC6C
# beside data.pkl in files that minialex has written; PyTorch does not look at it
EXTRA = "minialex.json"
# The types of storages, by the names of their classes.
_TYPES = {"Double": "float64", "Float": "float32", "Half": "float16", "BFloat16": "bfloat16",
          "Long": "int64", "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8",
          "Bool": "bool", "Untyped": "uint8", "ComplexFloat": "complex64",
          "ComplexDouble": "complex128", "QInt8": "int8", "QUInt8": "uint8", "QInt32": "int32"}


class Storage(pickles.Object):
    """A row of numbers that tensors are cut from. read: what gives its bytes, once they are asked
    for."""

    def __init__(self, kind, key, read=None):
        name = kind.__name__.rpartition(".")[2].removesuffix("Storage").removesuffix("Tensor")
        self.type, self.key, self.read, self.taken = _TYPES[name], _key(key), read, 0

    @cached_property
    def content(self) -> bytes | memoryview:
        """Its bytes."""
        return self.read(self.key)

    def place(self, file: io.BytesIO | mmap, whole: memoryview) -> None:
        """Take the bytes, behind their number, and go on behind them. whole: the same file."""
        (count,) = struct.unpack("<q", file.read(8))
        start, length = file.tell(), count * conventions.stored(self.type).itemsize
        if not 0 <= length <= len(whole) - start:
            raise ValueError("a storage reaches beyond the file")
        self.content = whole[start : start + length]
        file.seek(length, 1)


class Tensor(pickles.Later):
    """(storage, offset, size, stride): a tensor whose storage may not have been read yet.

    kind: the type, in steps of which all is counted, for a storage of bytes."""

    def __init__(self, storage, offset, size, stride, _gradient=None, _hooks=None, kind=None,
                 marks=None, *_):
        if not isinstance(storage, Storage):
            raise ValueError("a tensor without a storage")
        self.storage, self.offset, self.size, self.stride = storage, int(offset), size, stride
        self.type = kind.__name__.removeprefix("torch.") if isinstance(kind, type) else storage.type
        # of a view that says what is to be done with the numbers
        marks = kind if isinstance(kind, dict) else marks
        self.negative = isinstance(marks, dict) and bool(marks.get("neg"))

    def array(self) -> np.ndarray:
        values, size = np.frombuffer(self.storage.content,
                                     conventions.stored(self.type)), tuple(self.size)
        count, last = math.prod(size), self.offset + sum((n - 1) * step
                                                         for n, step in zip(size, self.stride,
                                                                            strict=True))
        if min(self.offset, *size, *self.stride,
               0) < 0 or count > len(values) or count and last >= len(values):
            raise ValueError(f"a tensor of shape {size} reaches beyond its storage")
        self.storage.taken += count
        if self.storage.taken > 2 * values.nbytes:
            raise ValueError("the tensors of a storage are much larger than it is")
        strides = [step * values.itemsize for step in self.stride]
        array = np.lib.stride_tricks.as_strided(values[self.offset:], size, strides).copy()
        array = conventions.widened(array, self.type)
        return -array if self.negative else array


class _Other(pickles.Later):
    """A tensor of a kind that has no numbers in their places: quantised, sparse, nested, on no
    device."""

    def array(self) -> np.ndarray:
        kind = type(self).__name__.removeprefix("torch._utils._rebuild_")
        raise conventions.Refusal(f"holds tensors that are not plain numbers ({kind}: quantised, "
                                  "sparse or empty ones): save them as tensor.dequantize(), "
                                  ".to_dense() or .float() makes them.")


class _First(pickles.Object):
    """A call around a tensor that gives the tensor."""

    def __new__(cls, data, *_):
        return data


class _FromType(pickles.Object):
    """A call that says by which call a tensor of a subclass is made."""

    def __new__(cls, make, kind, arguments, state):
        return make(*arguments)


_REBUILDS = {Tensor: ("tensor", "tensor_v2", "tensor_v3"),
             _First: ("parameter", "parameter_with_state", "device_tensor_from_numpy",
                      "device_tensor_from_cpu_tensor"),
             _Other: ("qtensor", "sparse_tensor", "sparse_csr_tensor", "nested_tensor",
                      "meta_tensor_no_storage", "wrapper_subclass")}
_CLASSES = {f"torch._utils._rebuild_{what}": made for made, names in _REBUILDS.items()
            for what in names} | {"torch._tensor._rebuild_from_type_v2": _FromType}


def read_zip(file: BinaryIO) -> Weights:
    """Weights from an open file in the zip form. Raises Refusal, or any Exception for damaged
    bytes."""
    with zipfile.ZipFile(file) as archive:
        entries = archive.NameToInfo
        folder = next(name for name in entries
                      if name.endswith("/data.pkl")).removesuffix("data.pkl")

        def part(name):
            entry = entries[folder + name]
            if entry.compress_type != zipfile.ZIP_STORED:
                raise ValueError("PyTorch compresses nothing in its files, this one is compressed")
            return archive.read(entry)

        if f"{folder}byteorder" in entries and part("byteorder") == b"big":
            raise ValueError("it was written on a big-endian machine")
        find = _by_key({}, lambda key: part(f"data/{key}"))
        value = pickles.load(io.BytesIO(part("data.pkl")), _CLASSES, find)
        if f"{folder}{MEAN}.npy" in entries:
            value[MEAN] = np.lib.format.read_array(io.BytesIO(part(f"{MEAN}.npy")),
                                                   allow_pickle=False)
        return names.weights(value, ".pth", part(EXTRA) if f"{folder}{EXTRA}" in entries else None)


def read_legacy(file: BinaryIO) -> Weights:
    """Weights from an open file in the form that PyTorch wrote before 1.6. Raises as `read_zip`
    does."""
    view, storages = pickles.mapped(file), {}
    # the magic number, by which the format was recognised, and facts about the machine
    for _ in range(3):
        pickles.load(view)
    value = pickles.load(view, _CLASSES, _by_key(storages))
    for key in pickles.load(view):
        storages[_key(key)].place(view, memoryview(view))
    return names.weights(value, ".pth, legacy form")


def read_tar(file: BinaryIO) -> Weights:
    """Weights from an open file in the form of PyTorch 0.1. Raises as `read_zip` does."""
    with tarfile.open(fileobj=file, mode="r:") as archive:
        # whose holes would be read as zeros without end
        if any(member.issparse() for member in archive):
            raise ValueError("a sparse file in it")
        if not {"storages", "tensors", "pickle"} <= set(archive.getnames()):
            first = conventions.shown([*archive.getnames(), "nothing"][0])
            raise conventions.Refusal(f"is a tar archive with {first} in it: unpack it, and give "
                                      "a file of weights.")
        places, parts, pickle = (io.BytesIO(archive.extractfile(name).read())
                                 for name in ("storages", "tensors", "pickle"))
        storages, tensors = {}, {}
        for _ in range(pickles.load(places)):
            key, _, kind = pickles.load(places)
            storages[_key(key)] = Storage(kind, key)
            storages[_key(key)].place(places, places.getbuffer())
        for _ in range(pickles.load(parts)):
            key, storage, _ = pickles.load(parts)
            (ndim,) = struct.unpack("<i4x", parts.read(8))
            numbers = struct.unpack(f"<{2 * ndim + 1}q", parts.read(16 * ndim + 8))
            tensors[_key(key)] = Tensor(storages[_key(storage)], numbers[-1], numbers[:ndim],
                                        numbers[ndim:-1])
        return names.weights(pickles.load(pickle, _CLASSES, lambda key: tensors[_key(key)]),
                             ".pth, tar form")


def _key(key):
    if not isinstance(key, (str, int)):
        raise ValueError("a storage without a name")
    return str(key)


def _by_key(storages, read=None):
    """What gives a Storage for the persistent identifier ("storage", type, key, place, count), the
    same one for each key."""
    def find(identifier):
        if identifier[0] == "module":  # a class, its file and its source text, before it is used
            return identifier[1]
        what, kind, key = identifier[:3]
        if what != "storage" or not isinstance(kind, type):
            raise ValueError("an identifier of another kind")
        return storages.setdefault(_key(key), Storage(kind, key, read))
    return find


# ------------------------------------------------------------------------------------------ writing


def write(file: BinaryIO, weights: Weights) -> None:
    """Write Weights into an open file; the variant torchvision under torchvision's names."""
    text, arrays = description(weights)
    mean = arrays.pop(MEAN, None)
    arrays = names.renamed(arrays,
                           names.TO_TORCHVISION) if weights.variant == "torchvision" else arrays
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
    """OrderedDict of torch._utils._rebuild_tensor_v2(storage, 0, size, stride, False,
    OrderedDict()), protocol 2.

    Instruction by instruction: Python's own pickle module could only name functions of a PyTorch
    that is installed."""
    def plain(value):
        return pickle.dumps(value, 2)[2:-1]  # without the protocol's number and the stop

    # ) the empty tuple, R call
    ordered, rebuild = b"ccollections\nOrderedDict\n)R", b"ctorch._utils\n_rebuild_tensor_v2\n"
    parts = [b"\x80\x02", ordered, b"("]  # ( a mark
    for key, (name, array) in enumerate(arrays.items()):
        strides = tuple(step // array.itemsize for step in array.strides)
        # t a tuple, Q the object for it
        storage = b"ctorch\nFloatStorage\n", *map(plain, (str(key), "cpu", array.size)), b"tQ"
        parts += [plain(name), rebuild, b"((", plain("storage"), *storage,
                  *map(plain, (0, array.shape, strides, False)), ordered, b"tR"]
    return b"".join([*parts, b"u."])  # u set all items, . stop
