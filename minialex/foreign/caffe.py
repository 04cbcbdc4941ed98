"""Caffe's .caffemodel: a NetParameter of caffe.proto, with weights, and the layers that they belong
to.

Pixels are 0..255, blue before red, minus the mean. The file must describe bvlc_alexnet, or
bvlc_reference_caffenet, which pools before it normalises. Weights have the same shapes in many
networks: only the layers' parameters tell whether a network that looks like AlexNet computes like
it, so `compare` goes through them one by one.

A layer is what protobuf.decode makes of a LayerParameter, or of a V1LayerParameter in files from
before December 2014, with `values`, the parameters of its type, and `told`: whether the file holds
them at all.
"""

import re
from pathlib import PurePosixPath
from types import SimpleNamespace as Layer
from typing import BinaryIO

import numpy as np

from ..data import Statistics
from . import architecture, conventions, protobuf
from .conventions import Difference, Refusal, Weights

MOST_LAYERS = 1000
SOURCES = {"Data", "ImageData", "WindowData", "HDF5Data", "MemoryData", "DummyData", "Input"}
LOOKERS = {"Accuracy", "Softmax", "SoftmaxWithLoss", "Silence", "ArgMax", "HDF5Output",
           "MultinomialLogisticLoss", "InfogainLoss", "HingeLoss"}
# they hand on what they are given, once a network is trained
PASSING = {"Dropout", "Split", "Flatten"}

ORDER = ("conv1 relu1 norm1 pool1 conv2 relu2 norm2 pool2 conv3 relu3 conv4 relu4 "
         "conv5 relu5 pool5 "
         "fc6 relu6 fc7 relu7 fc8")  # of bvlc_alexnet
KINDS = {"conv": "Convolution", "relu": "ReLU", "norm": "LRN", "pool": "Pooling",
         "fc": "InnerProduct"}
PARAMETERS = {"Convolution": "convolution_param", "ReLU": "relu_param", "LRN": "lrn_param",
              "Pooling": "pooling_param", "InnerProduct": "inner_product_param",
              "Dropout": "dropout_param"}
# one number for both axes, or two; where there is none
BOTH = {"kernel_size": None, "stride": 1, "pad": 0, "dilation": 1}
OUR_NORM = {"caffe": (1.0, 1e-4 / 5), "caffenet": (2.0, 1e-4)}  # k and α of these variants


def read(file: BinaryIO) -> Weights:
    """Weights from an open .caffemodel file. Raises Refusal for another network, any Exception for
    damaged bytes."""
    net = protobuf.decode(file.read(), "NetParameter")
    layers = [_completed(layer) for layer in (*net.layers, *net.layer)]
    if len(layers) > MOST_LAYERS:
        raise Difference(f"it has {len(layers)} layers")
    variant, chain, notes = compare(layers, net.input)
    arrays, pixels = {}, _pixels(layers, net.input_shape[0].dim if net.input_shape
                                 else net.input_dim[:4])
    for ours, layer in chain:
        arrays |= _parameters(ours, layer)
    if "conv1.weight" not in arrays:
        raise Refusal("holds no AlexNet: "
                      f"none of its {len(layers)} layers is a convolution named conv1.")
    arrays["conv1.weight"] = conventions.bgr_to_rgb(arrays["conv1.weight"])
    notes += _fold_norm(arrays, [layer for _, layer in chain], variant)
    statistics, more = _statistics(pixels, arrays["conv1.weight"].shape[1])
    if statistics is None:
        arrays["conv1.weight"] = arrays["conv1.weight"] * np.float32(pixels["scale"])
    unit = statistics is not None and pixels["scale"] != 1
    origin = f"Caffe's {net.name or 'network'} (.caffemodel)"
    return Weights(arrays, origin, variant, statistics, "unit" if unit else "raw",
                   notes=notes + more)


def _completed(layer):
    """A decoded layer with `values` and `told`."""
    if "layer" in layer.given:
        raise Difference("it is written in Caffe's form of 2013, whose layers this cannot read: "
                         "Caffe's upgrade_net_proto_binary turns it into one of today")
    layer.type, parameters = str(layer.type), PARAMETERS.get(layer.type)
    layer.name = layer.name or layer.type
    layer.values = _values(getattr(layer, parameters)) if parameters else {}
    # LRN alone can live by its defaults
    layer.told = layer.type == "LRN" or parameters in layer.given
    return layer


def _values(message):
    """{parameter: value} of a decoded message, with a pair for what differs from axis to axis."""
    values = {name: value for name, value in vars(message).items() if name != "given"}
    for name in BOTH.keys() & values.keys():
        axes = [values.pop(f"{name.removesuffix('_size')}_{axis}", None) for axis in "hw"]
        pair = (values[name] * 2)[:2] or [BOTH[name] if axis is None else axis for axis in axes]
        values[name] = pair[0] if pair[0] == pair[1] else tuple(pair)
    return values


def network(pool_first: bool = False) -> list[tuple[str, str, dict]]:
    """[(name, type, {parameter: value})] of the layers that compute, of bvlc_alexnet or, with
    pool_first, of bvlc_reference_caffenet. A response norm's alpha and k are left out: weights can
    be changed for others."""
    empty, found = protobuf.decode(b"", "LayerParameter"), []
    for name in (re.sub(r"(norm\d) (pool\d)", r"\2 \1", ORDER) if pool_first else ORDER).split():
        kind = KINDS[name.rstrip("12345678")]
        values = _values(getattr(empty, PARAMETERS[kind]))
        if name in architecture.CONVOLUTIONS:
            values |= zip(("num_output", "kernel_size", "stride", "pad", "group"),
                          architecture.CONVOLUTIONS[name])
        values |= {"kernel_size": 3, "stride": 2} if kind == "Pooling" else {}
        values |= {"num_output": architecture.HIDDEN} if name in ("fc6", "fc7") else {}
        found.append((name, kind, {name: value for name, value in values.items()
                                   if name not in ("alpha", "k") and value is not None}))
    return found


def compare(layers: list[Layer],
            inputs: list[str]) -> tuple[str, list[tuple[str, Layer]], list[str]]:
    """(variant, [(our name, Layer)] of those that compute, notes). Raises Difference, which names
    the first one.

    inputs: the names of what the network is given, where the file says so. A file may end early.
    """
    chain = in_order([layer for layer in layers if layer.type not in SOURCES],
                     [top for layer in layers if layer.type in SOURCES for top in layer.top]
                     + inputs)
    computing = [layer for layer in chain if layer.type not in PASSING]
    pool_first = [layer.type for layer in computing
                  if layer.type in ("Pooling", "LRN")][:2] == ["Pooling", "LRN"]
    ours = network(pool_first)
    architecture.compare(((layer.name, layer.type, layer.values if layer.told else {})
                          for layer in computing), ours)
    norms = {(layer.values["alpha"], layer.values["k"])
             for layer in computing if layer.type == "LRN"}
    if len(norms) > 1 or any(alpha <= 0 or k <= 0 for alpha, k in norms):
        raise Difference(f"its response norms have alpha and k {sorted(norms)}, "
                         "the network's are all alike")
    named = [(name, layer) for (name, _, _), layer in zip(ours, computing)]
    return "caffenet" if pool_first else "caffe", named, [*_dropout(chain),
                                                          *_untold(computing, ours)]


def in_order(layers: list[Layer], inputs: list[str]) -> list[Layer]:
    """Layers as the data pass through them, by the names of what they take and give; in the file's
    order where it lacks names.

    Of several that could come next, first those that work in place, then those that compute, then
    those that only look. Raises Difference for a layer that hangs elsewhere than behind the one
    before.
    """
    wired = all(layer.bottom for layer in layers)
    rest, chain = (list(layers), []) if wired else ([], list(layers))
    blobs = set(inputs) or {name for layer in layers[:1] for name in layer.bottom}
    while rest:
        taken = {name for layer in rest if layer.type not in LOOKERS for name in layer.bottom}
        ready = [layer for layer in rest
                 if (set(layer.bottom) & blobs and set(layer.top) & taken if layer.type in LOOKERS
                     else set(layer.bottom) <= blobs)]
        if not ready:
            break
        chain.append(min(ready,
                         key=lambda layer: (layer.top != layer.bottom, layer.type in LOOKERS)))
        rest.remove(chain[-1])
        blobs = blobs - set(chain[-1].bottom) | set(chain[-1].top)
    for layer in rest:
        if layer.type not in LOOKERS | PASSING:
            raise Difference(f"its layer {layer.name} takes {', '.join(layer.bottom)}, "
                             "the network's layers take only what the layer before gives")
    while chain and chain[-1].type in LOOKERS:
        chain.pop()
    return chain


def _dropout(chain):
    """Dropout does nothing in a trained network: other ratios are only worth a note."""
    found, last = [], ""
    for layer in chain:
        if layer.type == "Dropout":
            found.append(f"{layer.values['dropout_ratio']:g} behind {last}")
        elif layer.type == "InnerProduct" or layer.type not in {"ReLU", *PASSING}:
            last = layer.name
    ends = [layer.name for layer in chain if layer.type == "InnerProduct"][:2]
    if found != [f"0.5 behind {name}" for name in ends]:
        yield (f"its dropout is {', '.join(found) or 'none'}, "
               "the network's 0.5 behind fc6 and fc7: the same once it is trained")


def _untold(computing, ours):
    untold = [layer.name for layer in computing if not layer.told
              and layer.type in ("Convolution", "Pooling", "InnerProduct")]
    if untold:
        yield f"it does not say how {', '.join(untold)} compute: taken for BVLC's AlexNet"
    if computing and len(computing) < len(ours):
        yield f"it ends with {computing[-1].name}"


def _parameters(name, layer):
    """{name.weight, name.bias: array}; the old form has four numbers for every shape, ones where
    there is nothing to count."""
    if not layer.blobs:
        return {}
    weight, *bias = (protobuf.blob(blob) for blob in layer.blobs)
    weight = weight.reshape(weight.shape[-2:]) if layer.type == "InnerProduct" else weight
    architecture.compare_shape(name, layer.name, weight.shape)
    if [part.size for part in bias] != [len(weight)]:
        raise Difference(f"{layer.name} has {sum(part.size for part in bias)} biases "
                         f"for {len(weight)} outputs")
    return {f"{name}.weight": weight, f"{name}.bias": bias[0].reshape(-1)}


def _fold_norm(arrays, chain, variant):
    """Where the file's response norm has other constants than our variant, change the weights so
    that both agree."""
    norms = [layer.values for layer in chain if layer.type == "LRN"]
    for theirs in {(norm["k"], norm["alpha"] / norm["local_size"]) for norm in norms}:
        if not np.allclose(theirs, OUR_NORM[variant], rtol=1e-5, atol=0):
            conventions.fold_response_norm(arrays, theirs, OUR_NORM[variant])
        if not np.allclose(theirs, OUR_NORM["caffe"], rtol=1e-5, atol=0):
            yield (f"its response norm has k = {theirs[0]:g} and alpha = {5 * theirs[1]:g}, "
                   "published are 1 and 0.0001: "
                   "the weights are changed so that the result is the same")


def _pixels(layers, sizes):
    """What the layers that read pictures do to them: {"scale", "mean_value", "mean_file"}."""
    found = {"scale": 1.0, "mean_value": [], "mean_file": ""}
    for layer in layers:
        shapes = (layer.input_param.shape if layer.type == "Input" and "input_param" in layer.given
                  else [])
        size = [*sizes[-1:], *[shape.dim[-1] for shape in shapes[:1] if shape.dim]][:1] or [227]
        # Before 2014 the same stood where the pictures are.
        for given in (layer.transform_param, layer.data_param, layer.image_data_param,
                      layer.window_data_param):
            size = [given.crop_size] if given.crop_size else size
            found |= {name: vars(given)[name] for name in found if name in given.given}
        if size != [227]:
            raise Difference(f"its pictures have {size[0]} pixels a side (crop_size), "
                             "the network's 227")
        if layer.transform_param.force_gray:
            raise Difference("its transform_param has force_gray, the network reads colours")
    return found


def _statistics(pixels, channels):
    """(Statistics, notes): the mean that the file names. None when it is in another file that is
    not ImageNet's."""
    mean, file, notes = (pixels["mean_value"],
                         PurePosixPath(pixels["mean_file"].replace("\\", "/")).name, [])
    if pixels["scale"] != 1:
        notes.append(f"its transform_param has scale {pixels['scale']:g}: "
                     "pixels minus the mean are multiplied by it")
    if file and not file.startswith(("imagenet_mean", "ilsvrc_2012_mean")):
        return None, [*notes, f"its transform_param has the mean_file {file}, which is not in it: "
                      "give it with --mean"]
    if file or not len(mean):
        notes.append("its mean image is in another file" + f" ({file})" * bool(file)
                     + ": taken is ImageNet's mean colour; --mean gives another")
    elif len(mean) not in (1, channels):
        raise Refusal(f"has {len(mean)} numbers as mean_value, for {channels} channels: "
                      "it cannot be used.")
    colour = np.broadcast_to(mean,
                             channels)[::-1] if len(mean) else conventions.CAFFE_MEAN[:channels]
    return Statistics(conventions.mean_image(colour), 1 / pixels["scale"]), notes
