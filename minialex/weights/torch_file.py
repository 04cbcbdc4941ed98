"""PyTorch's files of weights (.pth, .pt), without PyTorch: the zip of today, and the two forms before it.

    zip      NAME/data.pkl, a pickle in which each tensor is (storage, offset, size, stride); NAME/data/KEY, the storages' bytes
    legacy   a magic number, a version, facts about the machine, the pickle, a list of keys (each a pickle); then the storages,
             each a length and its bytes
    tar      the members storages, tensors and pickle, from 2016

The pickles are read by pickles.read, which runs nothing.
"""

import math
import struct
import tarfile
import zipfile

import numpy as np

from ..errors import UserError
from . import pickles, torchvision
from .conventions import Weights, described

MAGIC = 0x1950A86A20F9469CFC6C
EXTRA = "minialex.json"  # beside data.pkl in files that minialex has written; PyTorch does not look at it
_TYPES = {"Double": "<f8", "Float": "<f4", "Half": "<f2", "BFloat16": "<u2", "Long": "<i8", "Int": "<i4", "Short": "<i2",
          "Char": "i1", "Byte": "u1", "Bool": "?"}


class Storage:
    """A row of numbers that tensors are cut from; `values` is filled in when its bytes have been found."""

    def __init__(self, kind, key, count):
        name = kind.text.removeprefix("torch.").removesuffix("Storage").removesuffix("Tensor") if kind else ""
        self.key, self.count, self.values = str(key), int(count), None
        self.brain_float, self.dtype = name == "BFloat16", np.dtype(_TYPES[name])

    def fill(self, content):
        self.values = np.frombuffer(content, self.dtype, self.count)
        if self.brain_float:  # the upper half of a float32
            self.values = (self.values.astype("<u4") << 16).view("<f4")


class LaterTensor:
    """(storage, offset, size, stride): a tensor whose storage may not have been read yet."""

    def __init__(self, storage, offset, size, stride, *_):
        self.storage, self.offset, self.size, self.stride = storage, int(offset), tuple(size), tuple(stride)

    def array(self):
        values, size = self.storage.values, self.size
        last = self.offset + sum((n - 1) * step for n, step in zip(size, self.stride, strict=True))
        fits = min(self.offset, *size, *self.stride, 0) == 0 and math.prod(size) <= len(values)
        if not fits or math.prod(size) and last >= len(values):
            raise ValueError(f"a tensor of shape {size} reaches beyond its storage")
        strides = [step * values.itemsize for step in self.stride]
        return np.lib.stride_tricks.as_strided(values[self.offset:], size, strides).copy()


BUILDERS = {
    "collections.OrderedDict": lambda *pairs: dict(*pairs),
    "torch._utils._rebuild_tensor": LaterTensor,
    "torch._utils._rebuild_tensor_v2": LaterTensor,
    "torch._utils._rebuild_parameter": lambda data, *_: data,
    "torch.Size": lambda sizes: tuple(sizes),
    **{f"torch.{name}{kind}": None for name in _TYPES for kind in ("Storage", "Tensor")},
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
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
        raise ValueError("PyTorch compresses nothing in its files, this one is compressed")
    if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") == b"big":
        raise ValueError("it was written on a big-endian machine")
    storages = {}
    with archive.open(f"{folder}data.pkl") as pickle:
        value = pickles.read(pickle, path, BUILDERS, _by_key(storages))
    for storage in storages.values():
        storage.fill(archive.read(f"{folder}data/{storage.key}"))
    extra = f"{folder}{EXTRA}"
    if extra in archive.namelist():
        return _ours(archive, folder, _state_dict(value, path), path)
    return _weights(value, path, ".pth")


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
        pickles.read(file, path, {})  # the magic number, by which the format was recognised
        pickles.read(file, path, {})
        pickles.read(file, path, {})
        storages = {}
        value = pickles.read(file, path, BUILDERS, _by_key(storages))
        for key in pickles.read(file, path, {}):
            _fill_from(file, storages[str(key)])
    except UserError:
        raise
    except Exception as error:
        raise _damaged(path, error) from error
    return _weights(value, path, ".pth, legacy form")


def _fill_from(file, storage):
    (storage.count,) = struct.unpack("<q", file.read(8))
    content = pickles.Careful(file).read(storage.count * storage.dtype.itemsize)
    storage.fill(content)


def read_tar(file, path):
    """Weights from an open file in the form of PyTorch 0.1. Raises UserError."""
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            storages = _tar_storages(archive.extractfile("storages"), path)
            tensors = _tar_tensors(archive.extractfile("tensors"), path, storages)
            value = pickles.read(archive.extractfile("pickle"), path, BUILDERS, lambda key: tensors[str(key)])
    except UserError:
        raise
    except Exception as error:
        raise _damaged(path, error) from error
    return _weights(value, path, ".pth, tar form")


def _tar_storages(file, path):
    storages = {}
    for _ in range(pickles.read(file, path, BUILDERS)):
        key, _, kind = pickles.read(file, path, BUILDERS)
        storages[str(key)] = Storage(kind, key, 0)
        _fill_from(file, storages[str(key)])
    return storages


def _tar_tensors(file, path, storages):
    tensors = {}
    for _ in range(pickles.read(file, path, BUILDERS)):
        key, storage, _ = pickles.read(file, path, BUILDERS)
        (ndim,) = struct.unpack("<i4x", file.read(8))
        numbers = struct.unpack(f"<{2 * ndim + 1}q", file.read(16 * ndim + 8))
        tensors[str(key)] = LaterTensor(storages[str(storage)], numbers[-1], numbers[:ndim], numbers[ndim:-1])
    return tensors


def _by_key(storages):
    """What gives a Storage for the persistent identifier ("storage", type, key, place, count), the same one for each key."""
    def find(identifier):
        what, kind, key, _, count = identifier[:5]
        if what != "storage" or not isinstance(kind, pickles.Name):
            raise ValueError(f"a persistent identifier {what!r}")
        return storages.setdefault(str(key), Storage(kind, key, count))
    return find


def _weights(value, path, form):
    arrays = _state_dict(value, path)
    if torchvision.is_one(arrays):
        return torchvision.read(arrays, f"torchvision's AlexNet ({form})")
    return Weights(arrays, f"plain arrays ({form})")


def _state_dict(value, path):
    """{name: array} from a state_dict, or from a dictionary that holds one, as training scripts save."""
    for key in ("state_dict", "model"):
        if isinstance(value, dict) and isinstance(value.get(key), dict):
            value = value[key]
    tensors = {name: item for name, item in value.items() if isinstance(item, LaterTensor)} if isinstance(value, dict) else {}
    if not tensors:
        raise UserError(f"{path} holds no state_dict, the dictionary of tensors that torch.save(model.state_dict(), ...) writes.")
    try:
        storages = {id(tensor.storage): tensor.storage.values.nbytes for tensor in tensors.values()}
        if sum(math.prod(tensor.size) for tensor in tensors.values()) > 2 * sum(storages.values()):
            raise ValueError("its tensors together are much larger than its storages")
        return {name: tensor.array() for name, tensor in tensors.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise _damaged(path, error) from error


def _damaged(path, error):
    return UserError(f"cannot read {path}: it is damaged, cut off, or no file of weights ({type(error).__name__}: {error}).")
