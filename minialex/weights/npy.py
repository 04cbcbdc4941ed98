"""Layers by their names, in .npy dictionaries and .npz files, as converters from Caffe write them.

    {"conv1": [W, b]}, {"conv1": {"weights": W, "biases": b}}, {"conv1_W": W, "conv1_b": b}, {"conv1/kernel:0": W, ...}

bvlc_alexnet.npy is the first kind. TensorFlow's layout: kernels (KH, KW, C_in, C_out), matrices (in, out), fc6's rows in the
order (H, W, C). Caffe's own: (C_out, C_in, KH, KW) and (out, in). Kernels are square, so their shape tells which. Both have
channels in the order blue, green, red. Where there is no mean it is ImageNet's mean colour.
"""

import re

import numpy as np

from ..data import Statistics
from ..errors import UserError
from . import caffe_layers, conventions, names, pickles
from .conventions import Weights

PARAMETER = re.compile(r"(?i)(?:.*[/.])?((?:conv|fc)\d+)(?:/\w+)*[/._](w|weights?|kernel|0|b|bias|biases|1)(?::\d+)?")
LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")
POOL5 = (6, 6)  # height and width of what fc6 sees


def read(file, path):
    """Weights from an open .npy file. Raises UserError; runs nothing that the file holds."""
    value = _dictionary(file, path)
    found = dict(names.leaves(value, np.ndarray))
    arrays = {"/".join(way): array for way, array in found.items()}
    if not is_one(arrays) and any(".".join(way).endswith(("features.0.weight", "conv1.weight")) for way in found):
        return names.weights(*names.choose(found), ".npy")
    return layers(arrays, path, ".npy")


def is_one(arrays):
    """Do {name: array} have layers' names as converters write them, not those of a state_dict in our layout?"""
    return any(PARAMETER.fullmatch(name) and (not name.endswith((".weight", ".bias")) or _is_tensorflow(array.shape))
               for name, array in arrays.items())


def _is_tensorflow(shape):
    """(KH, KW, C_in, C_out), told from (C_out, C_in, KH, KW) by the square kernel."""
    return len(shape) == 4 and shape[0] == shape[1] and shape[2] != shape[3]


def layers(arrays, path, form):
    """Weights from {name: array}, whose names hold a layer's name and the parameter's. Raises UserError."""
    found, unknown = {}, []
    for name in sorted(arrays, key=lambda name: names.COMPANIONS.search(name) is not None):
        array, match = arrays[name], PARAMETER.fullmatch(name)
        parameter = f"{match[1]}.{'bias' if match[2][0] in 'bB1' else 'weight'}".lower() if match else name
        if match and array.dtype.kind == "f" and parameter not in found:
            found[parameter] = np.asarray(array, np.float32)
        elif name != "mean_bgr_chw":
            unknown.append(name)
    strange = [name for name in found if name.partition(".")[0] not in LAYERS]
    if "conv1.weight" not in found or strange:
        shown = pickles.shown(", ".join(list(dict.fromkeys([*strange, *list(found)[:4], *unknown]))[:8]) or "nothing")
        raise UserError(f"{path} holds {shown}, so it is no AlexNet, whose layers are {', '.join(LAYERS)}, each with a "
                        "weight and a bias.")
    _convert(found, path)
    mean = arrays.get("mean_bgr_chw")
    mean = conventions.mean_image(conventions.CAFFE_MEAN) if mean is None else np.ascontiguousarray(mean[::-1], np.float32)
    notes = [f"not used from {path}: {pickles.shown(', '.join(unknown))}"] if unknown else []
    return Weights(found, f"Caffe's AlexNet as arrays ({form})", "caffe", Statistics(mean, 1.0), notes=notes)


def _convert(found, path):
    """Bring arrays into our layout and order of colours, in place. Raises UserError for another network's shapes."""
    tensorflow = any(_is_tensorflow(array.shape) for array in found.values())
    for name, array in found.items():
        layer, _, kind = name.partition(".")
        if kind == "weight":
            try:
                found[name] = _from_tensorflow(layer, array) if tensorflow else array
                caffe_layers.compare_shape(layer, layer, found[name].shape)
            except (ValueError, TypeError, IndexError, caffe_layers.Difference) as difference:
                raise UserError(f"{path} holds another network than AlexNet: {difference}.") from difference
    if found["conv1.weight"].shape[1] == 3:
        found["conv1.weight"] = conventions.bgr_to_rgb(found["conv1.weight"])


def _from_tensorflow(layer, weight):
    if weight.ndim == 4:
        return conventions.hwio_to_oihw(weight)
    if layer == "fc6":
        return conventions.hwc_rows_to_chw(weight, *POOL5)
    return np.ascontiguousarray(weight.T)


def _dictionary(file, path):
    try:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        _, _, kind = header(pickles.Careful(file))
    except (ValueError, SyntaxError, RecursionError) as error:
        raise UserError(f"cannot read {path}: its header is damaged ({error}).") from error
    if not kind.hasobject:
        raise UserError(f"{path} holds one array without a name: give an .npz file of named arrays, or a .npy with a dictionary.")
    value = pickles.read(file, path, pickles.NUMPY)
    while isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if not isinstance(value, dict):
        raise UserError(f"{path} holds no dictionary of layers.")
    return value
