"""Caffe's .caffemodel: a NetParameter of the published caffe.proto, with weights, and the layers that they belong to.

Pixels are 0..255, blue before red, minus the mean. The file must describe bvlc_alexnet, or bvlc_reference_caffenet, which pools
before it normalises: caffe_layers.py compares every layer. What the file leaves out has the default of caffe.proto.
"""

from pathlib import PurePosixPath

import numpy as np

from ..data import Statistics
from ..errors import UserError
from . import caffe_layers, conventions, protobuf
from .conventions import Weights

OUR_NORM = {"caffe": (1.0, 1e-4 / 5), "caffenet": (2.0, 1e-4)}  # k and α of these variants
NAME, LAYERS_OLD, INPUT, INPUT_DIM, INPUT_SHAPE, LAYERS = 1, 2, 3, 4, 8, 100  # fields of NetParameter


def is_one(head):
    """Could these first bytes begin a NetParameter: its name, an input, or a layer?"""
    return head[:1] in (b"\x0a", b"\x12", b"\x1a") or head[:2] == b"\xa2\x06"


def read(file, path):
    """Weights from an open .caffemodel file. Raises UserError when it is damaged, or holds another network."""
    try:
        net = protobuf.fields(file.read())
        layers = [caffe_layers.Layer(message, caffe_layers.OLD) for message in net.get(LAYERS_OLD, [])]
        layers += [caffe_layers.Layer(message, caffe_layers.NEW) for message in net.get(LAYERS, [])]
        inputs = [protobuf.text([name]) for name in net.get(INPUT, [])]
        sizes = protobuf.integers(net.get(INPUT_DIM, []))[:4]
        if INPUT_SHAPE in net:
            sizes = protobuf.integers(protobuf.fields(net[INPUT_SHAPE][0]).get(1, []))
        name = protobuf.text(net.get(NAME), "network")
        variant, chain, notes = caffe_layers.compare(layers, inputs)
        arrays, pixels = {}, _pixels(layers, sizes)
        for ours, layer in chain:
            arrays |= _parameters(ours, layer)
    except caffe_layers.Difference as difference:
        raise UserError(f"{path} holds another network than AlexNet: {difference}.") from difference
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise UserError(f"cannot read {path}: it is damaged, cut off, or no .caffemodel ({error}).") from error
    if "conv1.weight" not in arrays:
        raise UserError(f"{path} holds no AlexNet: none of its {len(layers)} layers is a convolution named conv1.")
    if arrays["conv1.weight"].shape[1] == 3:
        arrays["conv1.weight"] = conventions.bgr_to_rgb(arrays["conv1.weight"])
    notes += _fold_norm(arrays, [layer for _, layer in chain], variant)
    statistics, more = _statistics(pixels, arrays["conv1.weight"].shape[1])
    if statistics is None:
        arrays["conv1.weight"] = arrays["conv1.weight"] * np.float32(pixels["scale"])
    unit = statistics is not None and pixels["scale"] != 1
    return Weights(arrays, f"Caffe's {name} (.caffemodel)", variant, statistics, "unit" if unit else "raw", notes=notes + more)


def _parameters(name, layer):
    """{name.weight, name.bias: array}; the old form has four numbers for every shape, ones where there is nothing to count."""
    if not layer.blobs:
        return {}
    weight, *bias = (protobuf.blob(blob) for blob in layer.blobs)
    weight = weight.reshape(weight.shape[-2:]) if layer.type == "InnerProduct" else weight
    caffe_layers.compare_shape(name, layer.name, weight.shape)
    if [part.size for part in bias] != [len(weight)]:
        raise caffe_layers.Difference(f"{layer.name} has {sum(part.size for part in bias)} biases for {len(weight)} outputs")
    return {f"{name}.weight": weight, f"{name}.bias": bias[0].reshape(-1)}


def _fold_norm(arrays, chain, variant):
    """Where the file's response norm has other constants than our variant, change the weights so that both agree."""
    found = {(layer.values["k"], layer.values["alpha"] / layer.values["local_size"]) for layer in chain if layer.type == "LRN"}
    if not found:
        return []
    (theirs,) = found
    if not np.allclose(theirs, OUR_NORM[variant], rtol=1e-5, atol=0):
        conventions.fold_response_norm(arrays, theirs, OUR_NORM[variant])
    if np.allclose(theirs, OUR_NORM["caffe"], rtol=1e-5, atol=0):
        return []
    return [f"its response norm has k = {theirs[0]:g} and alpha = {5 * theirs[1]:g}, published are 1 and 0.0001: the "
            "weights are changed so that the result is the same"]


def _pixels(layers, sizes):
    """What the layers that read pictures do to them: {"scale", "mean_value", "mean_file"}."""
    found = {"scale": 1.0, "mean_value": [], "mean_file": ""}
    for layer in layers:
        given = layer.transform
        size = given["crop_size"] or sizes[-1:] or layer.input_shape[-1:]
        if size and size != 227 and size != [227]:
            size = size if isinstance(size, int) else size[0]
            raise caffe_layers.Difference(f"its pictures have {size} pixels a side (crop_size), the network's 227")
        if given["force_gray"]:
            raise caffe_layers.Difference("its transform_param has force_gray, the network reads colours")
        found |= {name: given[name] for name in found if given[name] not in (1.0, [], "")}
    return found


def _statistics(pixels, channels):
    """(Statistics, notes): the mean that the file names. None when it is in another file that is not ImageNet's."""
    mean, file, notes = pixels["mean_value"], PurePosixPath(pixels["mean_file"].replace("\\", "/")).name, []
    if pixels["scale"] != 1:
        notes.append(f"its transform_param has scale {pixels['scale']:g}: pixels minus the mean are multiplied by it")
    if file and not file.startswith(("imagenet_mean", "ilsvrc_2012_mean")):
        return None, [*notes, f"its transform_param has the mean_file {file}, which is not in it: give it with --mean"]
    if file or not mean:
        notes.append("its mean image is in another file" + f" ({file})" * bool(file)
                     + ": taken is ImageNet's mean colour; --mean gives another")
    elif len(mean) not in (1, channels):
        raise UserError(f"a .caffemodel with {len(mean)} numbers as mean_value, for {channels} channels, cannot be used.")
    colour = np.broadcast_to(mean, channels)[::-1] if mean else conventions.CAFFE_MEAN[:channels]
    return Statistics(conventions.mean_image(colour), 1 / pixels["scale"]), notes
