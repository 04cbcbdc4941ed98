"""Keras' files (.h5, .weights.h5, .keras) of the variant keras, through h5py.

    Keras 2   [model_weights/]conv2d/conv2d/kernel:0 and bias:0; the layers' settings as JSON in the attribute model_config
    Keras 3   layers/conv2d/vars/0 and 1; in a .keras file, a zip, as model.weights.h5 beside config.json

Layers may have any names: their kernels' shapes tell them apart. Kernels are (KH, KW, C_in, C_out), matrices (in, out), fc6's
rows in the order (H, W, C), colours red, green, blue. Only a Rescaling layer says what pixels the network wants.
"""

import io
import json
import re
import zipfile
from typing import BinaryIO

import numpy as np

from ..data import Statistics
from . import conventions
from .conventions import Difference, Refusal, Weights, shown

KERNELS = {"conv1": (11, 11, None, 96), "conv2": (5, 5, 96, 256), "conv3": (3, 3, 256, 384), "conv4": (3, 3, 384, 384),
           "conv5": (3, 3, 384, 256), "fc6": (6400, 4096), "fc7": (4096, 4096), "fc8": (4096, None)}
POOL5 = (5, 5)  # height and width of what fc6 sees
_POOL = ("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "valid"})
_CONVOLUTIONS = [("Conv2D", {"filters": out, "kernel_size": size, "strides": stride, "padding": padding, "activation": "relu",
                             "groups": 1, "dilation_rate": 1, "use_bias": True})
                 for out, size, stride, padding in ((96, 11, 4, "valid"), (256, 5, 1, "same"), (384, 3, 1, "same"),
                                                    (384, 3, 1, "same"), (256, 3, 1, "same"))]
_DENSE = ("Dense", {"units": 4096, "activation": "relu", "use_bias": True})
LAYERS = [_CONVOLUTIONS[0], _POOL, _CONVOLUTIONS[1], _POOL, *_CONVOLUTIONS[2:], _POOL, _DENSE, _DENSE,
          ("Dense", {"use_bias": True, "activation": ("softmax", "linear")})]
NOTHING = {"InputLayer", "Dropout", "Flatten", "Softmax", "RandomFlip", "RandomRotation", "RandomZoom"}  # once it is trained
MOST_DATASETS = 10_000


def read_zip(file: BinaryIO) -> Weights:
    """Weights from an open .keras file. Raises as `read` does."""
    with zipfile.ZipFile(file) as archive:
        return read(io.BytesIO(archive.read("model.weights.h5")), archive.read("config.json"))


def read(file: BinaryIO, config: bytes | None = None) -> Weights:
    """Weights from an open .h5 file. Raises Refusal when it holds another network or h5py is not installed, any Exception
    when it is damaged. config: the layers' settings, where they are not in the file."""
    try:
        import h5py
    except ImportError as error:
        raise Refusal("is an HDF5 file of Keras, for which h5py is needed: python -m pip install h5py.") from error
    with h5py.File(file, "r") as h5:
        config = h5.attrs.get("model_config") if config is None else config
        scale, offset, notes = _compare(json.loads(config)) if config else (None, None, [
            "the file does not hold its layers' settings: taken for the network of the variant keras"])
        arrays = _arrays(_datasets(h5, h5py, file.seek(0, 2)))
    channels = arrays["conv1.weight"].shape[1]
    statistics = scale and Statistics(conventions.mean_image(np.broadcast_to(-offset / scale, channels)), 1 / scale)
    return Weights(arrays, "a network of Keras (.h5)", "keras", statistics, "unit" if statistics else "raw", notes=notes)


def _difference(difference):
    return Difference(difference, "the variant keras")


def _datasets(h5, h5py, size):
    """{name: dataset} of numbers, all of them inside this file, and no larger than a file of this size can hold."""
    found, seen = {}, []

    def see(name, item):
        seen.append(name)
        if len(seen) > MOST_DATASETS:
            raise ValueError("it holds too many objects")
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f" and not re.match(r"_?optimizer|metrics", name):
            if item.external or item.is_virtual:
                raise ValueError(f"{name} lies in another file")
            found[name] = item

    h5.visititems(see)  # follows no link to another file
    if sum(item.size * item.dtype.itemsize for item in found.values()) > 20 * size:
        raise ValueError("its arrays would be much larger than the file")
    return found


def _arrays(datasets):
    """{name in state_dict: array}"""
    order = sorted(datasets, key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)])
    arrays, used = {}, set()
    for name in order:
        shape, folder = datasets[name].shape, name.rpartition("/")[0]
        if len(shape) < 2:
            continue
        fitting = [layer for layer, wanted in KERNELS.items() if f"{layer}.weight" not in arrays and _fits(shape, wanted)]
        beside = [other for other in order if other.rpartition("/")[0] == folder and datasets[other].shape == shape[-1:]]
        if not fitting or not beside:
            raise _difference(f"its {shown(name)} has shape {shape}, " + (
                "but there is no bias beside it" if fitting else "which no layer of the network has"))
        layer, bias = fitting[0], beside[0]
        arrays[f"{layer}.weight"] = conventions.from_tensorflow(
            layer, datasets[name][()].astype(np.float32, copy=False), POOL5)
        arrays[f"{layer}.bias"] = datasets[bias][()].astype(np.float32, copy=False)
        used |= {name, bias}
    rest = [name for name in order if name not in used]
    if rest:
        raise _difference(f"it has {shown(rest[0])}, of a layer that the network does not have")
    if "conv1.weight" not in arrays:
        raise _difference("it has no convolutions")
    return {f"{layer}.{kind}": arrays[f"{layer}.{kind}"] for layer in KERNELS for kind in ("weight", "bias")
            if f"{layer}.{kind}" in arrays}


def _fits(shape, wanted):
    return len(shape) == len(wanted) and all(two in (None, one) for one, two in zip(shape, wanted))


def _compare(config):
    """(scale, offset, notes) of a model's settings. Raises _Difference for the first layer that computes otherwise."""
    scale, offset, chain = None, None, []
    for layer in config["config"]["layers"]:
        kind, values = layer["class_name"], dict(layer["config"])
        shape = values.get("batch_shape") or values.get("batch_input_shape")
        if shape and tuple(shape[1:3]) not in ((224, 224), (None, None)):
            raise _difference(f"its pictures have {shape[1]} pixels a side, the network's 224")
        if kind == "Rescaling" and not chain:
            scale, offset = float(values["scale"]), np.float64(values.get("offset", 0))
        elif kind == "Activation" and chain:
            chain[-1][1]["activation"] = values["activation"]
        elif kind == "ReLU" and chain and not any(values.get(bend) for bend in ("negative_slope", "max_value", "threshold")):
            chain[-1][1]["activation"] = "relu"
        elif kind not in NOTHING:
            chain.append((kind, values))
    for number, (kind, values) in enumerate(chain):
        name = shown(str(values.get("name", kind)))
        if number == len(LAYERS) or kind != LAYERS[number][0]:
            wanted = LAYERS[number][0] if number < len(LAYERS) else "its last"
            raise _difference(f"its layer {number + 1} is {name} ({shown(kind)}), the network's is {wanted}")
        if values.get("data_format") == "channels_first":
            raise _difference(f"{name} has data_format channels_first")
        for setting, wanted in LAYERS[number][1].items():
            given, allowed = _number(values.get(setting)), wanted if isinstance(wanted, tuple) else (wanted,)
            if setting in values and given not in allowed:
                raise _difference(f"{name} has {setting} {shown(str(given))}, the network's layer has {allowed[0]}")
    return scale, offset, []


def _number(value):
    return value[0] if isinstance(value, list) and len(set(value)) == 1 else value
