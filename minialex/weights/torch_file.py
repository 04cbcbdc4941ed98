"""PyTorch's files of weights (.pth, .pt), without PyTorch: the zip of today, and the two forms before it.

    zip      NAME/data.pkl, a pickle in which each tensor is (storage, offset, size, stride); NAME/data/KEY, the storages' bytes
    legacy   a magic number, a version, facts about the machine, the pickle, a list of keys (each a pickle); then the storages,
             each a length and its bytes
    tar      the members storages, tensors and pickle, from 2016

The pickles are read by pickles.load, which runs nothing; names.choose finds the network among the tensors.
"""

import math
import struct
import tarfile
import zipfile

import numpy as np

from ..errors import UserError
from . import names, pickles, torchvision
from .conventions import described

MAGIC = 0x1950A86A20F9469CFC6C
EXTRA = "minialex.json"  # beside data.pkl in files that minialex has written; PyTorch does not look at it
_TYPES = {"Double": "<f8", "Float": "<f4", "Half": "<f2", "BFloat16": "<u2", "Long": "<i8", "Int": "<i4", "Short": "<i2",
          "Char": "i1", "Byte": "u1", "Bool": "?", "Untyped": "u1",
          "ComplexFloat": "<c8", "ComplexDouble": "<c16", "QInt8": "i1", "QUInt8": "u1", "QInt32": "<i4"}


_LATER_TYPES = {f"{kind}{size}": f"<{kind[0]}{size // 8}" for kind in ("uint", "int", "float") for size in (8, 16, 32, 64)}


class Storage:
    """A row of numbers that tensors are cut from; `values` is filled in when its bytes have been found."""

    def __init__(self, kind, key, count):
        name = kind.text.rpartition(".")[2].removesuffix("Storage").removesuffix("Tensor")
        self.key, self.count, self.values = _key(key), int(count), None
        self.brain_float, self.dtype = name == "BFloat16", np.dtype(_TYPES[name])

    def fill(self, content):
        self.values = np.frombuffer(content, self.dtype, self.count)
        if self.brain_float:
            self.values = _widened(self.values)


def _widened(brain_floats):
    """A bfloat16 is the upper half of a float32."""
    return (brain_floats.astype("<u4") << 16).view("<f4")


class LaterTensor:
    """(storage, offset, size, stride): a tensor whose storage may not have been read yet.

    kind: the name of its type, in steps of which all is counted, for a storage of bytes."""

    def __init__(self, storage, offset, size, stride, _gradient=None, _hooks=None, kind=None, marks=None, *_):
        if not isinstance(storage, Storage):
            raise ValueError("a tensor without a storage")
        self.storage, self.offset, self.size, self.stride = storage, int(offset), tuple(size), tuple(stride)
        self.kind = kind.text.removeprefix("torch.") if isinstance(kind, pickles.Name) else None
        marks = kind if isinstance(kind, dict) else marks  # of a view that says what is to be done with the numbers
        self.negative = isinstance(marks, dict) and bool(marks.get("neg"))

    def array(self):
        """The tensor's numbers. Raises ValueError when its storage does not hold them."""
        values, size = self.storage.values, self.size
        if self.kind is not None:
            values = values.view("<u2" if self.kind == "bfloat16" else _LATER_TYPES[self.kind])
        last = self.offset + sum((n - 1) * step for n, step in zip(size, self.stride, strict=True))
        fits = min(self.offset, *size, *self.stride, 0) == 0 and math.prod(size) <= len(values)
        if not fits or math.prod(size) and last >= len(values):
            raise ValueError(f"a tensor of shape {size} reaches beyond its storage")
        strides = [step * values.itemsize for step in self.stride]
        array = np.lib.stride_tricks.as_strided(values[self.offset:], size, strides).copy()
        array = _widened(array) if self.kind == "bfloat16" else array
        return -array if self.negative else array


BUILDERS = pickles.NUMPY | {
    "torch._utils._rebuild_tensor": LaterTensor,
    "torch._utils._rebuild_tensor_v2": LaterTensor,
    "torch._utils._rebuild_tensor_v3": LaterTensor,
    "torch._utils._rebuild_parameter": lambda data, *_: data,
    "torch._utils._rebuild_parameter_with_state": lambda data, *_: data,
    "torch._tensor._rebuild_from_type_v2": lambda make, kind, arguments, state: make(*arguments),
    "torch._utils._rebuild_device_tensor_from_numpy": lambda data, *_: data,
    **{f"torch.{name}{kind}": None for name in _TYPES for kind in ("Storage", "Tensor")},
    **{f"torch.{place}{kind}Storage": None for kind in ("Untyped", "Typed") for place in ("", "storage.")},
    **{f"torch.{kind}": None for kind in (*_LATER_TYPES, "bfloat16")},
}


def read_zip(file, path):
    """Weights from an open file in the zip form. Raises UserError."""
    try:
        with zipfile.ZipFile(file) as archive:
            return _from_archive(archive, path)
    except UserError:
        raise
    except Exception as error:  # damaged bytes make zip and NumPy raise almost anything
        raise _damaged(path, error) from error


def _from_archive(archive, path):
    folder = next(name for name in archive.namelist() if name.endswith("/data.pkl")).removesuffix("data.pkl")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist() if entry.filename.startswith(
            (f"{folder}data/", f"{folder}data.pkl"))):
        raise ValueError("PyTorch compresses nothing in its files, this one is compressed")
    if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") == b"big":
        raise ValueError("it was written on a big-endian machine")
    with archive.open(f"{folder}data.pkl") as pickle:
        value = pickles.load(pickle, path, BUILDERS, _by_key({}))
    tensors, notes = _tensors(value, path)
    for key, storage in _storages(tensors).items():
        storage.fill(archive.read(f"{folder}data/{key}"))
    if f"{folder}{EXTRA}" in archive.namelist():
        return _ours(archive, folder, _arrays(tensors, path), path)
    return names.weights(_arrays(tensors, path), notes, ".pth")


def _ours(archive, folder, arrays, path):
    mean = f"{folder}minialex.mean.npy"
    if torchvision.is_one(arrays):
        arrays = torchvision.renamed(arrays)
    if mean in archive.namelist():
        with archive.open(mean) as entry:
            arrays["minialex.mean"] = np.lib.format.read_array(entry, allow_pickle=False)
    return described(archive.read(f"{folder}{EXTRA}"), arrays, "minialex (.pth)", path)


def read_legacy(file, path):
    """Weights from an open file in the form that PyTorch wrote before 1.6. Raises UserError."""
    try:
        for _ in range(3):  # the magic number, by which the format was recognised, and facts about the machine
            pickles.load(file, path)
        storages = {}
        value = pickles.load(file, path, BUILDERS, _by_key(storages))
        tensors, notes = _tensors(value, path)
        needed = _storages(tensors)
        for key in pickles.load(file, path):
            storage = storages[_key(key)]
            if storage.key in needed:
                _fill_from(file, storage)
            else:
                (count,) = struct.unpack("<q", file.read(8))
                file.seek(count * storage.dtype.itemsize, 1)
    except UserError:
        raise
    except Exception as error:
        raise _damaged(path, error) from error
    return names.weights(_arrays(tensors, path), notes, ".pth, legacy form")


def _fill_from(file, storage):
    (storage.count,) = struct.unpack("<q", file.read(8))
    content = pickles.Careful(file).read(storage.count * storage.dtype.itemsize)
    storage.fill(content)


def read_tar(file, path):
    """Weights from an open file in the form of PyTorch 0.1. Raises UserError."""
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            if any(member.issparse() for member in archive):  # whose holes would be read as zeros without end
                raise ValueError("a sparse file in it")
            storages = _tar_storages(archive.extractfile("storages"), path)
            tensors = _tar_tensors(archive.extractfile("tensors"), path, storages)
            value = pickles.load(archive.extractfile("pickle"), path, BUILDERS, lambda key: tensors[_key(key)])
    except UserError:
        raise
    except Exception as error:
        raise _damaged(path, error) from error
    chosen, notes = _tensors(value, path)
    return names.weights(_arrays(chosen, path), notes, ".pth, tar form")


def _tar_storages(file, path):
    storages = {}
    for _ in range(pickles.load(file, path, BUILDERS)):
        key, _, kind = pickles.load(file, path, BUILDERS)
        storages[_key(key)] = Storage(kind, key, 0)
        _fill_from(file, storages[_key(key)])
    return storages


def _tar_tensors(file, path, storages):
    tensors = {}
    for _ in range(pickles.load(file, path, BUILDERS)):
        key, storage, _ = pickles.load(file, path, BUILDERS)
        (ndim,) = struct.unpack("<i4x", file.read(8))
        numbers = struct.unpack(f"<{2 * ndim + 1}q", file.read(16 * ndim + 8))
        tensors[_key(key)] = LaterTensor(storages[_key(storage)], numbers[-1], numbers[:ndim], numbers[ndim:-1])
    return tensors


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
        if what != "storage" or not isinstance(kind, pickles.Name):
            raise ValueError("a persistent identifier of another kind")
        return storages.setdefault(_key(key), Storage(kind, key, count))
    return find


def _tensors(value, path):
    """({name: LaterTensor}, notes) of the network in what a file holds, as training scripts save it."""
    found = dict(names.leaves(value, (LaterTensor, pickles.LaterArray)))
    if not found:
        raise UserError(f"{path} holds no state_dict, the dictionary of tensors that torch.save(model.state_dict(), ...) writes.")
    return names.choose(found)


def _storages(tensors):
    """{key: Storage} of these tensors."""
    return {tensor.storage.key: tensor.storage for tensor in tensors.values() if isinstance(tensor, LaterTensor)}


def _arrays(tensors, path):
    """{name: array} of tensors whose storages have been read."""
    try:
        held = sum(storage.values.nbytes for storage in _storages(tensors).values())
        if sum(math.prod(tensor.size) for tensor in tensors.values() if isinstance(tensor, LaterTensor)) > 2 * held:
            raise ValueError("its tensors together are much larger than its storages")
        arrays = {name: tensor.array() for name, tensor in tensors.items()}
        if any(array.dtype.hasobject for array in arrays.values()):
            raise ValueError("an array of objects")
        return arrays
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise _damaged(path, error) from error


def _damaged(path, error):
    return UserError(f"cannot read {path}: it is damaged, cut off, or no file of weights "
                     f"({type(error).__name__}: {pickles.shown(str(error))}).")
