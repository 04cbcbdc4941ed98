"""The layers of a .caffemodel, compared with those of bvlc_alexnet and bvlc_reference_caffenet one by one.

A layer is a LayerParameter, or a V1LayerParameter in files from before December 2014, of the published caffe.proto. The
numbers of their fields stand in NEW and OLD, those of the parameters in PARAMETERS. Weights have the same shapes in many
networks: only the layers' parameters tell whether a network that looks like AlexNet computes like it.
"""

from . import protobuf

NEW = {"name": 1, "type": 2, "bottom": 3, "top": 4, "blobs": 7, "transform": 100, "data": (107, 115, 129), "Input": 143,
       "Convolution": 106, "Dropout": 108, "InnerProduct": 117, "LRN": 118, "Pooling": 121, "ReLU": 123}
OLD = {"name": 4, "type": 5, "bottom": 2, "top": 3, "blobs": 6, "transform": 36, "data": (11, 15, 20), "Input": None,
       "Convolution": 10, "Dropout": 12, "InnerProduct": 17, "LRN": 18, "Pooling": 19, "ReLU": 30}
OLD_TYPES = dict(enumerate(
    "None Accuracy BNLL Concat Convolution Data Dropout EuclideanLoss Flatten HDF5Data HDF5Output Im2col ImageData InfogainLoss "
    "InnerProduct LRN MultinomialLogisticLoss Pooling ReLU Sigmoid Softmax SoftmaxWithLoss Split TanH WindowData Eltwise Power "
    "SigmoidCrossEntropyLoss HingeLoss MemoryData ArgMax Threshold DummyData Slice MVN AbsVal Silence ContrastiveLoss Exp "
    "Deconvolution".split()))
V0 = 1  # the field of a V1LayerParameter that holds a layer of the form before that

SOURCES = {"Data", "ImageData", "WindowData", "HDF5Data", "MemoryData", "DummyData", "Input"}
LOOKERS = {"Accuracy", "Softmax", "SoftmaxWithLoss", "Silence", "ArgMax", "HDF5Output", "MultinomialLogisticLoss",
           "InfogainLoss", "HingeLoss"}
PASSING = {"Dropout", "Split", "Flatten"}  # they hand on what they are given, once a network is trained

# {parameter: (kind, fields, default)}; a "pair" is one field for both axes, or one for each
_SIZES = ("pair", (3, 9, 10), 0), ("pair", (4, 11, 12), None), ("pair", (6, 13, 14), 1)
PARAMETERS = {
    "Convolution": {"num_output": ("int", 1, 0), "kernel_size": _SIZES[1], "stride": _SIZES[2], "pad": _SIZES[0],
                    "group": ("int", 5, 1), "dilation": ("pair", (18, 0, 0), 1), "bias_term": ("int", 2, 1),
                    "axis": ("int", 16, 1)},
    "Pooling": {"pool": ("int", 1, 0), "kernel_size": ("pair", (2, 5, 6), None), "stride": ("pair", (3, 7, 8), 1),
                "pad": ("pair", (4, 9, 10), 0), "global_pooling": ("int", 12, 0)},
    "LRN": {"local_size": ("int", 1, 5), "alpha": ("float", 2, 1.0), "beta": ("float", 3, 0.75), "norm_region": ("int", 4, 0),
            "k": ("float", 5, 1.0)},
    "InnerProduct": {"num_output": ("int", 1, 0), "bias_term": ("int", 2, 1), "axis": ("int", 5, 1), "transpose": ("int", 6, 0)},
    "ReLU": {"negative_slope": ("float", 1, 0.0)},
    "Dropout": {"dropout_ratio": ("float", 1, 0.5)},
    "transform": {"scale": ("float", 1, 1.0), "crop_size": ("int", 3, 0), "mean_file": ("text", 4, ""),
                  "mean_value": ("floats", 5, []), "force_gray": ("int", 7, 0)},
    "data": {"scale": ("float", 2, 1.0), "crop_size": ("int", 5, 0), "mean_file": ("text", 3, "")},
}
WORDS = {"pool": ("MAX", "AVE", "STOCHASTIC"), "norm_region": ("ACROSS_CHANNELS", "WITHIN_CHANNEL")}

CONVOLUTIONS = {"conv1": (96, 11, 4, 0, 1), "conv2": (256, 5, 1, 2, 2), "conv3": (384, 3, 1, 1, 1), "conv4": (384, 3, 1, 1, 2),
                "conv5": (256, 3, 1, 1, 2)}  # num_output, kernel_size, stride, pad, group
INPUTS = {"conv2": 48, "conv3": 256, "conv4": 192, "conv5": 192, "fc6": 9216, "fc7": 4096, "fc8": 4096}


class Difference(Exception):
    """Where the file's network differs from ours, as a part of a sentence."""


class Layer:
    """name, type, bottoms and tops (names of what it takes and gives), blobs (unread), values: {parameter: value}.

    told: whether the file holds the layer's parameters at all; transform: what it does to pixels, {parameter: value}.
    """

    def __init__(self, message, numbers):
        found = protobuf.fields(message)
        if numbers is OLD and V0 in found:
            raise Difference("it is written in Caffe's form of 2013, whose layers this cannot read: Caffe's "
                             "upgrade_net_proto_binary turns it into one of today")
        kind = found.get(numbers["type"], [0 if numbers is OLD else b""])[-1]
        self.type = OLD_TYPES.get(kind, str(kind)) if isinstance(kind, int) else protobuf.text([kind])
        self.name = protobuf.text(found.get(numbers["name"]), self.type)
        self.bottoms, self.tops = ([protobuf.text([name]) for name in found.get(numbers[end], [])] for end in ("bottom", "top"))
        self.blobs = found.get(numbers["blobs"], [])
        self.told = self.type == "LRN" or numbers.get(self.type) in found  # LRN alone can live by its defaults
        self.values = _values(self.type, found.get(numbers.get(self.type), [b""])[-1])
        self.transform = _values("transform", found.get(numbers["transform"], [b""])[-1])
        for number in numbers["data"]:  # where the same stood before 2014
            given = _values("data", found.get(number, [b""])[-1])
            self.transform |= {name: value for name, value in given.items() if value not in (1.0, 0, "")}
        shapes = protobuf.fields(found[143][-1]).get(1, []) if self.type == "Input" and 143 in found else []
        self.input_shape = protobuf.integers(protobuf.fields(shapes[0]).get(1, [])) if shapes else []


def _values(kind, message):
    found = protobuf.fields(message) if kind in PARAMETERS else {}
    return {name: _value(found, *how) for name, how in PARAMETERS.get(kind, {}).items()}


def _value(found, kind, field, default):
    if kind == "pair":
        both = protobuf.integers(found.get(field[0], []))
        return tuple((both * 2)[:2]) if both else tuple(found.get(axis, [default])[-1] for axis in field[1:])
    values = found.get(field, [])
    if kind == "int":
        return int(values[-1]) if values else default
    if kind == "floats":
        return protobuf.numbers(values).tolist()
    return protobuf.text(values, default) if kind == "text" else protobuf.number(values, default)


def network(pool_first=False):
    """[(name, type, {parameter: value})] of the layers that compute, of bvlc_alexnet or, with pool_first, of
    bvlc_reference_caffenet. A response norm's alpha and k are left out: weights can be changed for others."""
    layers = []
    for number, (name, (out, kernel, stride, pad, group)) in enumerate(CONVOLUTIONS.items(), 1):
        layers += [(name, "Convolution", {"num_output": out, "kernel_size": (kernel, kernel), "stride": (stride, stride),
                                          "pad": (pad, pad), "group": group, "dilation": (1, 1), "bias_term": 1, "axis": 1}),
                   (f"relu{number}", "ReLU", {"negative_slope": 0.0})]
        norm = (f"norm{number}", "LRN", {"local_size": 5, "beta": 0.75, "norm_region": 0})
        pool = (f"pool{number}", "Pooling", {"pool": 0, "kernel_size": (3, 3), "stride": (2, 2), "pad": (0, 0),
                                             "global_pooling": 0})
        layers += {1: [norm, pool], 2: [norm, pool], 5: [pool]}.get(number, [])[:: -1 if pool_first else 1]
    for number in (6, 7, 8):
        same = {"bias_term": 1, "axis": 1, "transpose": 0}
        layers.append((f"fc{number}", "InnerProduct", same | ({"num_output": 4096} if number < 8 else {})))
        layers += [(f"relu{number}", "ReLU", {"negative_slope": 0.0})] if number < 8 else []
    return layers


def compare(layers, inputs=()):
    """(variant, [(our name, Layer)] of those that compute, notes). Raises Difference, which names the first one.

    inputs: the names of what the network is given, where the file says so. A file may end early.
    """
    chain = in_order([layer for layer in layers if layer.type not in SOURCES],
                     [top for layer in layers if layer.type in SOURCES for top in layer.tops] + list(inputs))
    computing = [layer for layer in chain if layer.type not in PASSING]
    order = [layer.type for layer in computing if layer.type in ("Pooling", "LRN")]
    pool_first = order[:2] == ["Pooling", "LRN"]
    ours = network(pool_first)
    for number, layer in enumerate(computing):
        if number >= len(ours):
            raise Difference(f"it has more layers than the network, the first is {layer.name} ({layer.type})")
        name, kind, wanted = ours[number]
        if layer.type != kind:
            raise Difference(f"its layer {number + 1} is {layer.name} ({layer.type}), the network's is {name} ({kind})")
        for parameter, value in wanted.items() if layer.told else []:
            if not _same(layer.values[parameter], value):
                theirs = _word(parameter, layer.values[parameter])
                raise Difference(f"{layer.name} has {parameter} {theirs}, the network's {name} has {_word(parameter, value)}")
    norms = {(layer.values["alpha"], layer.values["k"]) for layer in computing if layer.type == "LRN"}
    if len(norms) > 1 or any(alpha <= 0 or k <= 0 for alpha, k in norms):
        raise Difference(f"its response norms have alpha and k {sorted(norms)}, the network's are all alike")
    named = [(name, layer) for (name, _, _), layer in zip(ours, computing)]
    return "caffenet" if pool_first else "caffe", named, [*_dropout(chain), *_untold(computing, ours)]


def in_order(layers, inputs):
    """Layers as the data pass through them, by the names of what they take and give; in the file's order where it lacks names.

    Raises Difference for a layer that hangs elsewhere than behind the one before.
    """
    rest, chain = list(layers), []
    if all(layer.bottoms for layer in layers):
        blobs = set(inputs) or set(layers[0].bottoms if layers else ())
        while found := _next(rest, blobs):
            rest.remove(found)
            chain.append(found)
            blobs = blobs - set(found.bottoms) | set(found.tops)
        for layer in rest:
            if layer.type not in LOOKERS and layer.type not in PASSING:
                raise Difference(f"its layer {layer.name} takes {', '.join(layer.bottoms)}, the network's layers take only what "
                                 "the layer before gives")
    else:
        chain = rest
    while chain and chain[-1].type in LOOKERS:
        chain.pop()
    return chain


def _next(rest, blobs):
    """The layer that comes next: first those that work in place, then those that compute, then those that only look."""
    ready = [layer for layer in rest if set(layer.bottoms) & blobs and (layer.type in LOOKERS or set(layer.bottoms) <= blobs)]
    taken = {name for layer in rest if layer.type not in LOOKERS for name in layer.bottoms}
    ready = [layer for layer in ready if layer.type not in LOOKERS or set(layer.tops) & taken]
    return min(ready, key=lambda layer: (layer.tops != layer.bottoms, layer.type in LOOKERS), default=None)


def compare_shape(name, theirs, shape):
    """Raises Difference when weights of this shape are not the network's."""
    if name in CONVOLUTIONS:
        out, kernel, *_ = CONVOLUTIONS[name]
        wanted = (out, INPUTS.get(name) or (shape[1] if shape[1:2] in ((1,), (3,)) else 3), kernel, kernel)
    else:
        wanted = (shape[0] if name == "fc8" else 4096, INPUTS[name])
    if tuple(shape) != wanted:
        raise Difference(f"{theirs}'s weights have shape {tuple(shape)}, the network's {name} has {wanted}")


def _same(one, other):
    return abs(one - other) <= 1e-5 * abs(other) if isinstance(other, float) else one == other


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
