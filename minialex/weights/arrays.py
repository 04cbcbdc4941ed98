"""Files of named arrays: .npz (our checkpoints, too), .npy dictionaries and .safetensors.

Layers by their names, as converters from Caffe write them; bvlc_alexnet.npy is the first kind:

    {"conv1": [W, b]}, {"conv1": {"weights": W, "biases": b}}, {"conv1_W": W, "conv1_b": b},
    {"conv1/kernel:0": W, ...}

TensorFlow's layout: kernels (KH, KW, C_in, C_out), matrices (in, out), fc6's rows in the order (H,
W, C). Caffe's own: (C_out, C_in, KH, KW) and (out, in). Kernels are square, so their shape tells
which. Both have channels in the order blue, green, red. Where there is no mean_bgr_chw it is
ImageNet's mean colour. Other names are names.choose's.

A checkpoint holds model/<name> arrays, the mean image and, as JSON text, the network's name, its
classes and the pixels' spread. Plain files hold <name> arrays; nothing says there what pixels they
want, unless the names are torchvision's.

safetensors: a length (8 bytes, little-endian), that much JSON, then the arrays' bytes. It is read
and written here because its own package has no bfloat16 for NumPy, and checks no less than these
thirty lines:

    {"__metadata__": {...}, "conv1.weight": {"dtype": "F32", "shape": [96, 3, 11, 11],
    "data_offsets": [0, 139392]}, ...}
"""

import json
import os
import re
import struct
from typing import BinaryIO

import numpy as np

from ..data import Statistics
from ..foreign import architecture, conventions, names, pickles
from ..foreign.conventions import Difference, Refusal, Weights, description, shown

PARAMETER = re.compile(
    r"(?i)(?:.*[/.])?((?:conv|fc)\d+)(?:/\w+)*[/._](w|weights?|kernel|0|b|bias|biases|1)(?::\d+)?")
POOL5 = (6, 6)  # height and width of what fc6 sees


def read_npz(file: BinaryIO) -> Weights:
    """Weights from an open .npz file. Raises Refusal, or any Exception for anything but plain
    arrays."""
    with np.load(file, allow_pickle=False) as archive:
        # Without what only training needs, which takes as much memory as the weights.
        arrays = {name: archive[name] for name in archive.files if not name.startswith("velocity/")}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # NumPy gives bytes for what is no .npy inside
            raise ValueError(f"{name} is no array")
    model = {name.removeprefix("model/"): array for name, array in arrays.items()
             if name.startswith("model/")}
    if model and "state" in arrays:
        model[conventions.MEAN] = arrays["mean"].astype(np.float32)
        return names.weights(model, "checkpoint", str(arrays["state"]))
    if "minialex" in arrays:
        return names.weights(arrays, ".npz", str(arrays.pop("minialex")))
    if arrays and all(re.fullmatch(r"arr_\d+", name) for name in arrays):
        raise Refusal("holds arrays that have no names (arr_0, ...): "
                      "save them as np.savez(FILE, **model.state_dict()).")
    return _layers(arrays, file.name,
                   ".npz") if _are_layers(arrays) else names.weights(model or arrays, ".npz")


def write_npz(file: BinaryIO, weights: Weights) -> None:
    """Write Weights into an open file."""
    text, arrays = description(weights)
    np.savez(file, **{"minialex": np.array(text)}, **arrays)


def read_npy(file: BinaryIO) -> Weights:
    """Weights from an open .npy file. Raises as `read_npz` does; runs nothing that the file
    holds."""
    view = pickles.mapped(file)
    version = np.lib.format.read_magic(view)
    header = (np.lib.format.read_array_header_1_0 if version == (1, 0)
              else np.lib.format.read_array_header_2_0)
    _, _, kind = header(view)
    if not kind.hasobject:
        raise Refusal("holds one array without a name: give an .npz file of named arrays, "
                      "or a .npy with a dictionary.")
    value = pickles.load(view)
    arrays = {"/".join(way): names.array(item) for way, item in names.leaves(value)}
    ours = any(re.search(r"(features[./]0|conv1)[./]weight$", name) for name in arrays)
    return names.weights(value, ".npy") if ours and not _are_layers(arrays) else _layers(arrays,
                                                                                         file.name,
                                                                                         ".npy")


# ---------------------------------------------------------------------------- layers by their names


def _are_layers(arrays):
    """Do {name: array} have layers' names as converters write them, not those of a state_dict in
    our layout?"""
    return any(PARAMETER.fullmatch(name)
               and (not name.endswith((".weight", ".bias")) or _is_tensorflow(array.shape))
               for name, array in arrays.items())


def _is_tensorflow(shape):
    """(KH, KW, C_in, C_out), told from (C_out, C_in, KH, KW) by the square kernel."""
    return len(shape) == 4 and shape[0] == shape[1] and shape[2] != shape[3]


def _layers(arrays, path, form):
    """Weights from {name: array}, whose names hold a layer's name and the parameter's. Raises
    Refusal."""
    found, unknown = {}, []
    for name in sorted(arrays, key=lambda name: names.COMPANIONS.search(name) is not None):
        array, match = arrays[name], PARAMETER.fullmatch(name)
        parameter = (f"{match[1]}.{'bias' if match[2][0] in 'bB1' else 'weight'}".lower() if match
                     else name)
        if match and array.dtype.kind == "f" and parameter not in found:
            found[parameter] = np.asarray(array, np.float32)
        elif name != "mean_bgr_chw":
            unknown.append(name)
    strange = [name for name in found if name.partition(".")[0] not in architecture.CAFFE]
    if "conv1.weight" not in found or strange:
        what = shown(", ".join(list(dict.fromkeys([*strange, *list(found)[:4], *unknown]))[:8])
                     or "nothing")
        layers = ", ".join(architecture.CAFFE)
        raise Refusal(f"holds {what}, so it is no AlexNet, whose layers are {layers}, "
                      "each with a weight and a bias.")
    _convert(found)
    mean = arrays.get("mean_bgr_chw", np.array(conventions.CAFFE_MEAN[::-1]))
    if mean.shape not in ((3,),
                          (3, conventions.SIZE, conventions.SIZE)) or mean.dtype.kind not in "fiu":
        raise Refusal(f"has a mean_bgr_chw of {mean.dtype} {mean.shape}: it must be numbers for "
                      f"blue, green and red, (3,) or (3, {conventions.SIZE}, {conventions.SIZE}).")
    mean = (conventions.mean_image(mean[::-1]) if mean.ndim == 1
            else np.ascontiguousarray(mean[::-1], np.float32))
    notes = [f"not used from {path}: {shown(', '.join(unknown))}"] if unknown else []
    return Weights(found, f"Caffe's AlexNet as arrays ({form})", "caffe", Statistics(mean, 1.0),
                   notes=notes)


def _convert(found):
    """Bring arrays into our layout and order of colours, in place. Raises Difference for another
    network's shapes."""
    tensorflow = any(_is_tensorflow(array.shape) for array in found.values())
    for name, array in found.items():
        layer, _, kind = name.partition(".")
        if kind == "weight":
            try:
                found[name] = conventions.from_tensorflow(layer, array,
                                                          POOL5) if tensorflow else array
                architecture.compare_shape(layer, layer, found[name].shape)
            except (ValueError, TypeError, IndexError) as difference:
                raise Difference(str(difference)) from difference
    found["conv1.weight"] = conventions.bgr_to_rgb(found["conv1.weight"])


# -------------------------------------------------------------------------------------- safetensors

# F32 is PyTorch's float32
_TYPES = {"F": "float", "BF": "bfloat", "I": "int", "U": "uint", "C": "complex"}
MOST_JSON = 100_000_000  # bytes, the limit of the format's own library


def read_safetensors(file: BinaryIO) -> Weights:
    """Weights from an open file. Raises any Exception when it is damaged."""
    (length,), size = struct.unpack("<Q", file.read(8)), os.fstat(file.fileno()).st_size
    if length > min(MOST_JSON, size - 8):
        raise ValueError("the description is longer than the file")
    entries = json.loads(file.read(length))
    metadata, arrays = entries.pop("__metadata__", {}), {}
    for name, entry in entries.items():
        start, end = entry["data_offsets"]
        if not 0 <= start <= end <= size - 8 - length:
            raise ValueError(f"{name} lies at bytes {start} to {end}")
        file.seek(8 + length + start)
        kind = re.sub(r"^([A-Z]+)(?=\d)", lambda found: _TYPES.get(found[1], found[1]),
                      entry["dtype"]).lower()
        array = np.frombuffer(file.read(end - start),
                              conventions.stored(kind)).reshape(entry["shape"])
        arrays[name] = conventions.widened(array, kind)
    return names.weights(arrays, ".safetensors", metadata.get("minialex"))


def write_safetensors(file: BinaryIO, weights: Weights) -> None:
    """Write Weights into an open file: what its network expects in __metadata__, the mean image as
    one more array."""
    text, arrays = description(weights)
    entries, offset = {"__metadata__": {"minialex": text}}, 0
    for name, array in arrays.items():
        entries[name] = {"dtype": f"{array.dtype.kind.upper()}{8 * array.itemsize}",
                         "shape": array.shape, "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)  # arrays begin at a multiple of 8
    file.write(struct.pack("<Q", len(header)) + header)
    for array in arrays.values():
        file.write(np.ascontiguousarray(array).tobytes())
