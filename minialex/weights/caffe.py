"""Caffe's .caffemodel: a NetParameter of the published caffe.proto, with weights, and the layers that they belong to.

Pixels are 0..255, blue before red, minus the mean. The file must describe bvlc_alexnet, or bvlc_reference_caffenet, which pools
before it normalises. Weights have the same shapes in many networks: only the layers' parameters tell whether a network that
looks like AlexNet computes like it, so `compare` goes through them one by one, by the tables here.

A layer is a LayerParameter, or a V1LayerParameter in files from before December 2014. The numbers of their fields stand in NEW
and OLD, those of the parameters, with the defaults for what a file leaves out, in PARAMETERS.
"""

import re
from pathlib import PurePosixPath
from typing import BinaryIO

import numpy as np

from ..data import Statistics
from ..errors import UserError
from . import conventions, protobuf
from .conventions import Difference, Refusal, Weights
from .protobuf import integers, last, text

NAME, LAYERS_OLD, INPUT, INPUT_DIM, INPUT_SHAPE, LAYERS = 1, 2, 3, 4, 8, 100  # fields of NetParameter
NEW = {"name": 1, "type": 2, "bottom": 3, "top": 4, "blobs": 7, "transform": 100, "data": (107, 115, 129), "Input": 143,
       "Convolution": 106, "Dropout": 108, "InnerProduct": 117, "LRN": 118, "Pooling": 121, "ReLU": 123}
OLD = {"name": 4, "type": 5, "bottom": 2, "top": 3, "blobs": 6, "transform": 36, "data": (11, 15, 20), "Input": 0,
       "Convolution": 10, "Dropout": 12, "InnerProduct": 17, "LRN": 18, "Pooling": 19, "ReLU": 30}
OLD_TYPES = dict(enumerate(
    "None Accuracy BNLL Concat Convolution Data Dropout EuclideanLoss Flatten HDF5Data HDF5Output Im2col ImageData InfogainLoss "
    "InnerProduct LRN MultinomialLogisticLoss Pooling ReLU Sigmoid Softmax SoftmaxWithLoss Split TanH WindowData Eltwise Power "
    "SigmoidCrossEntropyLoss HingeLoss MemoryData ArgMax Threshold DummyData Slice MVN AbsVal Silence ContrastiveLoss Exp "
    "Deconvolution".split()))
MOST_LAYERS = 1000
V0 = 1  # the field of a V1LayerParameter that holds a layer of the form before that

SOURCES = {"Data", "ImageData", "WindowData", "HDF5Data", "MemoryData", "DummyData", "Input"}
LOOKERS = {"Accuracy", "Softmax", "SoftmaxWithLoss", "Silence", "ArgMax", "HDF5Output", "MultinomialLogisticLoss",
           "InfogainLoss", "HingeLoss"}
PASSING = {"Dropout", "Split", "Flatten"}  # they hand on what they are given, once a network is trained

PARAMETERS = {  # {parameter: (its field, or three for both axes and for each, default)}
    "Convolution": {"num_output": (1, 0), "kernel_size": ((4, 11, 12), None), "stride": ((6, 13, 14), 1), "pad": ((3, 9, 10), 0),
                    "group": (5, 1), "dilation": ((18, 0, 0), 1), "bias_term": (2, 1), "axis": (16, 1)},
    "Pooling": {"pool": (1, 0), "kernel_size": ((2, 5, 6), None), "stride": ((3, 7, 8), 1), "pad": ((4, 9, 10), 0),
                "global_pooling": (12, 0)},
    "LRN": {"local_size": (1, 5), "alpha": (2, 1.0), "beta": (3, 0.75), "norm_region": (4, 0), "k": (5, 1.0)},
    "InnerProduct": {"num_output": (1, 0), "bias_term": (2, 1), "axis": (5, 1), "transpose": (6, 0)},
    "ReLU": {"negative_slope": (1, 0.0)},
    "Dropout": {"dropout_ratio": (1, 0.5)},
    "transform": {"scale": (1, 1.0), "crop_size": (3, 0), "mean_file": (4, ""), "mean_value": (5, []), "force_gray": (7, 0)},
    "data": {"scale": (2, 1.0), "crop_size": (5, 0), "mean_file": (3, "")},  # where the same stood before 2014
}
WORDS = {"pool": ("MAX", "AVE", "STOCHASTIC"), "norm_region": ("ACROSS_CHANNELS", "WITHIN_CHANNEL")}

ORDER = ("conv1 relu1 norm1 pool1 conv2 relu2 norm2 pool2 conv3 relu3 conv4 relu4 conv5 relu5 pool5 "
         "fc6 relu6 fc7 relu7 fc8")  # of bvlc_alexnet
KINDS = {"conv": "Convolution", "relu": "ReLU", "norm": "LRN", "pool": "Pooling", "fc": "InnerProduct"}
SETTINGS = {"conv1": {"num_output": 96, "kernel_size": (11, 11), "stride": (4, 4)},  # what is not caffe.proto's default
            "conv2": {"num_output": 256, "kernel_size": (5, 5), "pad": (2, 2), "group": 2},
            "conv3": {"num_output": 384, "kernel_size": (3, 3), "pad": (1, 1)},
            "conv4": {"num_output": 384, "kernel_size": (3, 3), "pad": (1, 1), "group": 2},
            "conv5": {"num_output": 256, "kernel_size": (3, 3), "pad": (1, 1), "group": 2},
            "fc6": {"num_output": 4096}, "fc7": {"num_output": 4096}, "fc8": {},
            **{f"pool{number}": {"kernel_size": (3, 3), "stride": (2, 2)} for number in (1, 2, 5)}}
INPUTS = {"conv1": 3, "conv2": 48, "conv3": 256, "conv4": 192, "conv5": 192, "fc6": 9216, "fc7": 4096, "fc8": 4096}
OUR_NORM = {"caffe": (1.0, 1e-4 / 5), "caffenet": (2.0, 1e-4)}  # k and α of these variants


def read(file: BinaryIO) -> Weights:
    """Weights from an open .caffemodel file. Raises Refusal for another network, any Exception for damaged bytes."""
    net = protobuf.fields(file.read())
    layers = [Layer(message, form) for number, form in ((LAYERS_OLD, OLD), (LAYERS, NEW)) for message in net.get(number, [])]
    if len(layers) > MOST_LAYERS:
        raise Difference(f"it has {len(layers)} layers")
    shape = [last(net, INPUT_SHAPE)] if INPUT_SHAPE in net else []
    sizes = _sizes(shape) if shape else integers(net.get(INPUT_DIM, []))[:4]
    name = text(last(net, NAME, b"network"))
    variant, chain, notes = compare(layers, [text(blob) for blob in net.get(INPUT, [])])
    arrays, pixels = {}, _pixels(layers, sizes)
    for ours, layer in chain:
        arrays |= _parameters(ours, layer)
    if "conv1.weight" not in arrays:
        raise Refusal(f"holds no AlexNet: none of its {len(layers)} layers is a convolution named conv1.")
    arrays["conv1.weight"] = conventions.bgr_to_rgb(arrays["conv1.weight"])
    notes += _fold_norm(arrays, [layer for _, layer in chain], variant)
    statistics, more = _statistics(pixels, arrays["conv1.weight"].shape[1])
    if statistics is None:
        arrays["conv1.weight"] = arrays["conv1.weight"] * np.float32(pixels["scale"])
    unit = statistics is not None and pixels["scale"] != 1
    return Weights(arrays, f"Caffe's {name} (.caffemodel)", variant, statistics, "unit" if unit else "raw", notes=notes + more)


class Layer:
    """name, type, bottoms and tops (names of what it takes and gives), blobs (unread), values: {parameter: value}.

    told: whether the file holds the layer's parameters at all; transform: what it does to pixels, {parameter: value}.
    """

    def __init__(self, message: memoryview, numbers: dict):
        found = protobuf.fields(message)
        if numbers is OLD and V0 in found:
            raise Difference("it is written in Caffe's form of 2013, whose layers this cannot read: Caffe's "
                             "upgrade_net_proto_binary turns it into one of today")
        kind = last(found, numbers["type"], 0 if numbers is OLD else b"")
        self.type = OLD_TYPES.get(kind, str(kind)) if isinstance(kind, int) else text(kind)
        self.name = text(last(found, numbers["name"], self.type.encode()))
        self.bottoms, self.tops = ([text(name) for name in found.get(numbers[end], [])] for end in ("bottom", "top"))
        self.blobs = found.get(numbers["blobs"], [])
        self.told = self.type == "LRN" or numbers.get(self.type) in found  # LRN alone can live by its defaults
        self.values = _values(self.type, last(found, numbers.get(self.type)))
        self.transform = _values("transform", last(found, numbers["transform"]))
        for number in numbers["data"]:
            given = _values("data", last(found, number))
            self.transform |= {name: value for name, value in given.items() if value not in (1, 0, "")}
        self.sizes = _sizes(protobuf.fields(last(found, numbers["Input"])).get(1, [])) if self.type == "Input" else []


def _values(kind, message=b""):
    found = protobuf.fields(message) if kind in PARAMETERS else {}
    return {name: protobuf.value(found, *field) for name, field in PARAMETERS.get(kind, {}).items()}


def _sizes(shapes):
    """The numbers of the first BlobShape."""
    return integers(protobuf.fields(shapes[0]).get(1, [])) if shapes else []


def network(pool_first: bool = False) -> list[tuple[str, str, dict]]:
    """[(name, type, {parameter: value})] of the layers that compute, of bvlc_alexnet or, with pool_first, of
    bvlc_reference_caffenet. A response norm's alpha and k are left out: weights can be changed for others."""
    order = re.sub(r"(norm\d) (pool\d)", r"\2 \1", ORDER) if pool_first else ORDER
    named = [(name, KINDS[name.rstrip("12345678")]) for name in order.split()]
    defaults = {kind: {name: value for name, value in _values(kind).items() if name not in ("alpha", "k", "num_output")}
                for kind in KINDS.values()}
    return [(name, kind, defaults[kind] | SETTINGS.get(name, {})) for name, kind in named]


def compare(layers: list[Layer], inputs: list[str]) -> tuple[str, list[tuple[str, Layer]], list[str]]:
    """(variant, [(our name, Layer)] of those that compute, notes). Raises Difference, which names the first one.

    inputs: the names of what the network is given, where the file says so. A file may end early.
    """
    chain = in_order([layer for layer in layers if layer.type not in SOURCES],
                     [top for layer in layers if layer.type in SOURCES for top in layer.tops] + inputs)
    computing = [layer for layer in chain if layer.type not in PASSING]
    pool_first = [layer.type for layer in computing if layer.type in ("Pooling", "LRN")][:2] == ["Pooling", "LRN"]
    ours = network(pool_first)
    for number, layer in enumerate(computing):
        if number >= len(ours):
            raise Difference(f"it has more layers than the network, the first is {layer.name} ({layer.type})")
        name, kind, wanted = ours[number]
        if layer.type != kind:
            raise Difference(f"its layer {number + 1} is {layer.name} ({layer.type}), the network's is {name} ({kind})")
        for parameter, value in wanted.items() if layer.told else []:
            theirs = layer.values[parameter]
            if abs(theirs - value) > 1e-5 * abs(value) if isinstance(value, float) else theirs != value:
                theirs, value = _word(parameter, theirs), _word(parameter, value)
                raise Difference(f"{layer.name} has {parameter} {theirs}, the network's {name} has {value}")
    norms = {(layer.values["alpha"], layer.values["k"]) for layer in computing if layer.type == "LRN"}
    if len(norms) > 1 or any(alpha <= 0 or k <= 0 for alpha, k in norms):
        raise Difference(f"its response norms have alpha and k {sorted(norms)}, the network's are all alike")
    named = [(name, layer) for (name, _, _), layer in zip(ours, computing)]
    return "caffenet" if pool_first else "caffe", named, [*_dropout(chain), *_untold(computing, ours)]


def in_order(layers: list[Layer], inputs: list[str]) -> list[Layer]:
    """Layers as the data pass through them, by the names of what they take and give; in the file's order where it lacks names.

    Of several that could come next, first those that work in place, then those that compute, then those that only look.
    Raises Difference for a layer that hangs elsewhere than behind the one before.
    """
    wired = all(layer.bottoms for layer in layers)
    rest, chain = (list(layers), []) if wired else ([], list(layers))
    blobs = set(inputs) or {name for layer in layers[:1] for name in layer.bottoms}
    while rest:
        taken = {name for layer in rest if layer.type not in LOOKERS for name in layer.bottoms}
        ready = [layer for layer in rest if (set(layer.bottoms) & blobs and set(layer.tops) & taken if layer.type in LOOKERS
                                             else set(layer.bottoms) <= blobs)]
        if not ready:
            break
        chain.append(min(ready, key=lambda layer: (layer.tops != layer.bottoms, layer.type in LOOKERS)))
        rest.remove(chain[-1])
        blobs = blobs - set(chain[-1].bottoms) | set(chain[-1].tops)
    for layer in rest:
        if layer.type not in LOOKERS | PASSING:
            raise Difference(f"its layer {layer.name} takes {', '.join(layer.bottoms)}, the network's layers take only what "
                             "the layer before gives")
    while chain and chain[-1].type in LOOKERS:
        chain.pop()
    return chain


def compare_shape(name: str, theirs: str, shape: tuple[int, ...]) -> None:
    """Raises Difference when weights of this shape are not the network's."""
    if name not in INPUTS:
        raise Difference(f"{theirs} has weights, the network's {name} has none")
    inputs = 1 if name == "conv1" and shape[1:2] == (1,) else INPUTS[name]
    wanted = (SETTINGS[name].get("num_output", shape[0]), inputs, *SETTINGS[name].get("kernel_size", ()))
    if tuple(shape) != wanted:
        raise Difference(f"{theirs}'s weights have shape {tuple(shape)}, the network's {name} has {wanted}")


def _word(parameter, value):
    if parameter in WORDS:
        return WORDS[parameter][value] if value < len(WORDS[parameter]) else value
    if isinstance(value, tuple):
        return value[0] if value[0] == value[1] else "×".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else value


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
        yield f"its dropout is {', '.join(found) or 'none'}, the network's 0.5 behind fc6 and fc7: the same once it is trained"


def _untold(computing, ours):
    untold = [layer.name for layer in computing if not layer.told and layer.type in ("Convolution", "Pooling", "InnerProduct")]
    if untold:
        yield f"it does not say how {', '.join(untold)} compute: taken for BVLC's AlexNet"
    if computing and len(computing) < len(ours):
        yield f"it ends with {computing[-1].name}"


def _parameters(name, layer):
    """{name.weight, name.bias: array}; the old form has four numbers for every shape, ones where there is nothing to count."""
    if not layer.blobs:
        return {}
    weight, *bias = (protobuf.blob(blob) for blob in layer.blobs)
    weight = weight.reshape(weight.shape[-2:]) if layer.type == "InnerProduct" else weight
    compare_shape(name, layer.name, weight.shape)
    if [part.size for part in bias] != [len(weight)]:
        raise Difference(f"{layer.name} has {sum(part.size for part in bias)} biases for {len(weight)} outputs")
    return {f"{name}.weight": weight, f"{name}.bias": bias[0].reshape(-1)}


def _fold_norm(arrays, chain, variant):
    """Where the file's response norm has other constants than our variant, change the weights so that both agree."""
    norms = [layer.values for layer in chain if layer.type == "LRN"]
    for theirs in {(norm["k"], norm["alpha"] / norm["local_size"]) for norm in norms}:
        if not np.allclose(theirs, OUR_NORM[variant], rtol=1e-5, atol=0):
            conventions.fold_response_norm(arrays, theirs, OUR_NORM[variant])
        if not np.allclose(theirs, OUR_NORM["caffe"], rtol=1e-5, atol=0):
            yield (f"its response norm has k = {theirs[0]:g} and alpha = {5 * theirs[1]:g}, published are 1 and 0.0001: the "
                   "weights are changed so that the result is the same")


def _pixels(layers, sizes):
    """What the layers that read pictures do to them: {"scale", "mean_value", "mean_file"}."""
    found = {"scale": 1.0, "mean_value": [], "mean_file": ""}
    for layer in layers:
        given = layer.transform
        size = given["crop_size"] or (sizes[-1:] or layer.sizes[-1:] or [227])[0]
        if size != 227:
            raise Difference(f"its pictures have {size} pixels a side (crop_size), the network's 227")
        if given["force_gray"]:
            raise Difference("its transform_param has force_gray, the network reads colours")
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
