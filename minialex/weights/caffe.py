"""Caffe's .caffemodel: a NetParameter of the published caffe.proto, in both its forms.

    NetParameter      name = 1, layers = 2 (V1LayerParameter, before 2014-12), layer = 100 (LayerParameter)
    LayerParameter    name = 1, type = 2 (text), blobs = 7, transform_param = 100, lrn_param = 118
    V1LayerParameter  name = 4, type = 5 (number), blobs = 6, lrn_param = 18, transform_param = 36
    BlobProto         num, channels, height, width = 1 to 4 (the old shape), data = 5, shape = 7 {dim = 1}, double_data = 8
    LRNParameter      local_size = 1, alpha = 2, beta = 3, norm_region = 4, k = 5
    TransformationParameter   mean_value = 5

Pixels are 0..255, blue before red, minus the mean colour. Whether response norm comes before the pool (bvlc_alexnet) or after
it (bvlc_reference_caffenet) is seen in the order of the layers.
"""

import numpy as np

from ..data import Statistics
from ..errors import UserError
from . import conventions, protobuf
from .conventions import Weights

NEW = {"name": 1, "type": 2, "blobs": 7, "norm": 118, "transform": 100}
OLD = {"name": 4, "type": 5, "blobs": 6, "norm": 18, "transform": 36}
OLD_TYPES = {4: "Convolution", 14: "InnerProduct", 15: "LRN", 17: "Pooling"}
OUR_NORM = {"caffe": (1.0, 1e-4 / 5), "caffenet": (2.0, 1e-4)}  # k and α of these variants


def is_one(head):
    """Could these first bytes begin a NetParameter: its name, or a layer?"""
    return head[:1] in (b"\x0a", b"\x12") or head[:2] == b"\xa2\x06"


def read(file, path):
    """Weights from an open .caffemodel file. Raises UserError."""
    try:
        net = protobuf.fields(file.read())
        layers = [_layer(message, NEW) for message in net.get(100, [])] + [_layer(message, OLD) for message in net.get(2, [])]
        arrays = {}
        for layer in layers:
            if layer["blobs"] and layer["type"] in ("Convolution", "InnerProduct"):
                arrays |= _parameters(layer)
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        raise UserError(f"cannot read {path}: it is damaged, cut off, or no .caffemodel ({error}).") from error
    if "conv1.weight" not in arrays or arrays["conv1.weight"].ndim != 4:
        raise UserError(f"{path} holds no AlexNet: none of its {len(layers)} layers is a convolution named conv1.")
    if arrays["conv1.weight"].shape[1] == 3:
        arrays["conv1.weight"] = conventions.bgr_to_rgb(arrays["conv1.weight"])
    variant = _variant(layers)
    _fold_norm(arrays, layers, variant, path)
    return Weights(arrays, f"Caffe's {protobuf.text(net.get(1), 'network')} (.caffemodel)", variant,
                   Statistics(conventions.mean_image(_mean(layers)), 1.0))


def _layer(message, numbers):
    found = protobuf.fields(message)
    kind = found.get(numbers["type"], [b""])[-1]
    return {
        "name": protobuf.text(found.get(numbers["name"])),
        "type": OLD_TYPES.get(kind, str(kind)) if isinstance(kind, int) else protobuf.text([kind]),
        "blobs": [_blob(blob) for blob in found.get(numbers["blobs"], [])],
        "norm": protobuf.fields(found.get(numbers["norm"], [b""])[-1]),
        "mean": protobuf.numbers(protobuf.fields(found.get(numbers["transform"], [b""])[-1]).get(5, [])),
    }


def _blob(message):
    found = protobuf.fields(message)
    data = protobuf.numbers(found[8], "<f8").astype(np.float32) if 8 in found else protobuf.numbers(found.get(5, []))
    if 7 in found:
        return data.reshape(protobuf.integers(protobuf.fields(found[7][-1]).get(1, [])))
    return data.reshape([found.get(number, [1])[-1] for number in (1, 2, 3, 4)])


def _parameters(layer):
    """{name: array}; the old form has four numbers for every shape, and ones where there is nothing to count."""
    weight, *bias = layer["blobs"]
    if layer["type"] == "InnerProduct":
        weight = weight.reshape(weight.shape[-2:])
    arrays = {f"{layer['name']}.weight": weight}
    return arrays | ({f"{layer['name']}.bias": bias[0].reshape(-1)} if bias else {})


def _variant(layers):
    """caffenet if the first pool comes before the first response norm."""
    order = [layer["type"] for layer in layers if layer["type"] in ("Pooling", "LRN")]
    return "caffenet" if order[:2] == ["Pooling", "LRN"] else "caffe"


def _fold_norm(arrays, layers, variant, path):
    """Where the file's response norm has other constants than our variant, change the weights so that both agree."""
    norms = [layer["norm"] for layer in layers if layer["type"] == "LRN"]
    found = {(norm.get(1, [5])[-1], protobuf.number(norm.get(2), 1.0), protobuf.number(norm.get(3), 0.75),
              norm.get(4, [0])[-1], protobuf.number(norm.get(5), 1.0)) for norm in norms}
    if not found:
        return
    size, alpha, beta, region, k = next(iter(found))
    if len(found) > 1 or (size, beta, region) != (5, 0.75, 0) or alpha <= 0 or k <= 0:
        raise UserError(f"{path} has response norms that no variant here has: size {size}, beta {beta:g}, region {region}.")
    theirs = k, alpha / size
    if not np.allclose(theirs, OUR_NORM[variant], rtol=1e-5, atol=0):
        conventions.fold_response_norm(arrays, theirs, OUR_NORM[variant])


def _mean(layers):
    """The mean colour (red, green, blue) that the file names, or ImageNet's."""
    named = [layer["mean"] for layer in layers if len(layer["mean"]) in (1, 3)]
    return np.broadcast_to(named[0], 3)[::-1] if named else conventions.CAFFE_MEAN
