"""Keras' files (.h5, .weights.h5, .keras) of the variant keras, through h5py.

    Keras 2   [model_weights/]conv2d/conv2d/kernel:0 and bias:0; the layers' settings as JSON in the
              attribute model_config
    Keras 3   layers/conv2d/vars/0 and 1; in a .keras file, a zip, as model.weights.h5 beside
              config.json

Layers may have any names: their kernels' shapes tell them apart. Kernels are (KH, KW, C_in, C_out),
matrices (in, out), fc6's rows in the order (H, W, C), colours red, green, blue. Only a Rescaling
layer says what pixels the network wants.
"""

import io
import json
import re
import zipfile
from typing import BinaryIO

import numpy as np

from ..data import Statistics
from . import architecture, conventions
from .conventions import Difference, Refusal, Weights, shown

NETWORK = "the variant keras"
POOL5 = (5, 5)  # height and width of what fc6 sees
# their layout
SHAPES = {name: (*shape[2:], *shape[1::-1])
          for name, shape in architecture.shapes(5, towers=False).items()}
# once it is trained
NOTHING = {"InputLayer", "Dropout", "Flatten", "Softmax", "RandomFlip", "RandomRotation",
           "RandomZoom"}
MOST_DATASETS = 10_000


def read_zip(file: BinaryIO) -> Weights:
    """Weights from an open .keras file. Raises as `read` does."""
    with zipfile.ZipFile(file) as archive:
        return read(io.BytesIO(archive.read("model.weights.h5")), archive.read("config.json"))


def read(file: BinaryIO, config: bytes | None = None) -> Weights:
    """Weights from an open .h5 file. Raises Refusal when it holds another network or h5py is not
    installed, any Exception when it is damaged. config: the layers' settings, where they are not in
    the file."""
    try:
        import h5py
    except ImportError as error:
        raise Refusal("is an HDF5 file of Keras, for which h5py is needed: "
                      "python -m pip install h5py.") from error
    with h5py.File(file, "r") as h5:
        config = h5.attrs.get("model_config") if config is None else config
        scale, offset, notes = (_compare(json.loads(config)) if config
                                else (None, None, ["the file does not hold its layers' settings: "
                                                   "taken for the network of the variant keras"]))
        arrays = _arrays(_datasets(h5, h5py, file.seek(0, 2)))
    channels = arrays["conv1.weight"].shape[1]
    statistics = scale and Statistics(conventions.mean_image(np.broadcast_to(-offset / scale,
                                                                             channels)), 1 / scale)
    return Weights(arrays, "a network of Keras (.h5)", "keras", statistics,
                   "unit" if statistics else "raw", notes=notes)


def _datasets(h5, h5py, size):
    """{name: dataset} of numbers, all of them inside this file, and no larger than a file of this
    size can hold."""
    found, seen = {}, []

    def see(name, item):
        seen.append(name)
        if len(seen) > MOST_DATASETS:
            raise ValueError("it holds too many objects")
        if (isinstance(item, h5py.Dataset) and item.dtype.kind == "f"
            and not re.match(r"_?optimizer|metrics", name)):
            if item.external or item.is_virtual:
                raise ValueError(f"{name} lies in another file")
            found[name] = item

    h5.visititems(see)  # follows no link to another file
    if sum(item.size * item.dtype.itemsize for item in found.values()) > 20 * size:
        raise ValueError("its arrays would be much larger than the file")
    return found


def _arrays(datasets):
    """{name in state_dict: array}"""
    order = sorted(datasets, key=lambda name: [int(part) if part.isdigit() else part
                                               for part in re.split(r"(\d+)", name)])
    found = {}  # {layer: (name of its kernel, of its bias)}
    for name in (name for name in order if datasets[name].ndim > 1):
        shape = datasets[name].shape
        beside = [other for other in order if other.rpartition("/")[0] == name.rpartition("/")[0]]
        layer = next((layer for layer, wanted in SHAPES.items() if layer not in found
                      and architecture.fits(shape, wanted)), None)
        bias = next((other for other in beside if datasets[other].shape == shape[-1:]), None)
        if layer is None or bias is None:
            what = ("which no layer of the network has" if layer is None
                    else "but there is no bias beside it")
            raise Difference(f"its {shown(name)} has shape {shape}, {what}", NETWORK)
        found[layer] = name, bias
    rest = [name for name in order if all(name not in pair for pair in found.values())]
    if rest:
        raise Difference(f"it has {shown(rest[0])}, of a layer that the network does not have",
                         NETWORK)
    if "conv1" not in found:
        raise Difference("it has no convolutions", NETWORK)
    arrays = {}
    for layer in filter(found.get, SHAPES):
        kernel, bias = (datasets[name][()].astype(np.float32, copy=False) for name in found[layer])
        arrays |= {f"{layer}.weight": conventions.from_tensorflow(layer, kernel, POOL5),
                   f"{layer}.bias": bias}
    return arrays


def _layers():
    """The network in Keras' words: [("", class name, {setting: value})]."""
    everywhere = {"data_format": "channels_last", "groups": 1, "dilation_rate": 1, "use_bias": True,
                  "activation": "relu"}
    for name, (filters, size, stride, padding, _) in architecture.CONVOLUTIONS.items():
        yield "", "Conv2D", everywhere | {"filters": filters, "kernel_size": size,
                                          "strides": stride,
                                          "padding": "same" if padding else "valid"}
        if name in architecture.POOLED:
            yield "", "MaxPooling2D", {"data_format": "channels_last", "pool_size": 3, "strides": 2,
                                       "padding": "valid"}
    for settings in ({"units": 4096}, {"units": 4096}, {"activation": ("softmax", "linear")}):
        yield "", "Dense", everywhere | settings


LAYERS = list(_layers())


def _compare(config):
    """(scale, offset, notes) of a model's settings. Raises Difference for the first layer that
    computes otherwise."""
    scale, offset, chain = None, None, []
    for layer in config["config"]["layers"]:
        kind, values = layer["class_name"], dict(layer["config"])
        shape = values.get("batch_shape") or values.get("batch_input_shape")
        if shape and tuple(shape[1:3]) not in ((224, 224), (None, None)):
            raise Difference(f"its pictures have {shape[1]} pixels a side, the network's 224",
                             NETWORK)
        if kind == "Rescaling" and not chain:
            scale, offset = float(values["scale"]), np.float64(values.get("offset", 0))
        elif kind == "Activation" and chain:
            chain[-1][1]["activation"] = values["activation"]
        elif kind == "ReLU" and chain and not any(values.get(bend)
                                                  for bend in ("negative_slope", "max_value",
                                                               "threshold")):
            chain[-1][1]["activation"] = "relu"
        elif kind not in NOTHING:
            chain.append((kind, values))
    architecture.compare([(str(values.get("name", kind)), kind,
                           {name: _number(value) for name, value in values.items()})
                          for kind, values in chain], LAYERS, NETWORK)
    return scale, offset, []


def _number(value):
    """A setting: [2, 2] is 2."""
    return value[0] if isinstance(value,
                                  list) and value and value.count(value[0]) == len(value) else value
