"""Bytes of .caffemodel files, put together by hand from the published caffe.proto."""

import struct

# {type: (number in V1LayerParameter's LayerType, its parameters' field there, and in
# LayerParameter)}
TYPES = {"Convolution": (4, 10, 106), "InnerProduct": (14, 17, 117), "LRN": (15, 18, 118),
         "Pooling": (17, 19, 121), "ReLU": (18, 30, 123), "Dropout": (6, 12, 108),
         "Data": (5, 11, 107), "Softmax": (20, 39, 125), "Split": (22, 0, 0),
         "SoftmaxWithLoss": (21, 42, 101), "Accuracy": (1, 27, 102), "TanH": (23, 37, 127),
         "Power": (26, 21, 122), "Eltwise": (25, 24, 110), "Silence": (36, 0, 0),
         "Flatten": (8, 0, 135)}
CONVOLUTIONS = {"conv1": (96, 11, 4, 0, 1), "conv2": (256, 5, 1, 2, 2), "conv3": (384, 3, 1, 1, 1),
                "conv4": (384, 3, 1, 1, 2), "conv5": (256, 3, 1, 1, 2)}  # num_output, kernel, stride, pad, group  # noqa: E501


def varint(number):
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def field(number, value):
    """A field: an int as varint, a float as 4 bytes, bytes or text with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(**values):
    """f1=..., f4=...: a message of these fields; a list is repeated, a tuple packed."""
    message = b""
    for name, value in values.items():
        number = int(name[1:])
        if isinstance(value, tuple):
            message += field(number, b"".join(map(varint, value)))
        else:
            message += b"".join(field(number, one)
                                for one in (value if isinstance(value, list) else [value]))
    return message


def blob(array, old):
    """BlobProto with num, channels, height, width, or with shape."""
    if old:
        four = (1,) * (4 - array.ndim) + array.shape
        shape = b"".join(field(number, size) for number, size in enumerate(four, 1))
    else:
        shape = field(7, field(1, b"".join(map(varint, array.shape))))
    return shape + field(5, array.astype("<f4").tobytes())


class Layer:
    """A layer that can be changed before it is written: name, kind, bottom, top, blobs (arrays),
    and three messages: its parameters, transform_param, and more fields as they are."""

    def __init__(self, name, kind, bottom, top, parameters=b"", blobs=(), transform=b"", more=b""):
        self.name, self.kind, self.blobs = name, kind, list(blobs)
        self.bottom, self.top = bottom, top
        self.parameters, self.transform, self.more = parameters, transform, more

    def write(self, old=False, wired=True):
        """LayerParameter, or V1LayerParameter when `old`."""
        number, in_old, in_new = TYPES.get(self.kind, (0, 0, 0))
        name, kind, bottom, top, blobs, transform = (4, 5, 2, 3, 6, 36) if old else (1, 2, 3, 4, 7,
                                                                                     100)
        out = field(name, self.name) + field(kind, number if old else self.kind)
        if wired:
            out += b"".join(field(bottom, one)
                            for one in self.bottom) + b"".join(field(top, one) for one in self.top)
        out += b"".join(field(blobs, blob(array, old)) for array in self.blobs)
        if self.parameters:
            out += field(in_old if old else in_new, self.parameters)
        return out + (field(transform, self.transform) if self.transform else b"") + self.more


def layers(arrays=None, pool_first=False, alpha=1e-4, k=None):
    """[Layer] of bvlc_alexnet (bvlc_reference_caffenet with pool_first) as it is trained, with
    these {name.weight, name.bias}."""
    norm = field(1, 5) + field(2, alpha) + field(3, 0.75) + (b"" if k is None else field(5, k))
    found, blobs = [Layer("data", "Data", [], ["data", "label"])], "data"

    def add(name, kind, parameters=b"", in_place=False, blobs_of=()):
        nonlocal blobs
        found.append(Layer(name, kind, [blobs], [blobs if in_place else name], parameters,
                           blobs_of))
        blobs = found[-1].top[0]

    def weights(name):
        return [arrays[key] for key in (f"{name}.weight", f"{name}.bias")
                if key in arrays] if arrays else []

    for number, (name, (out, kernel, stride, pad, group)) in enumerate(CONVOLUTIONS.items(), 1):
        given = fields(f1=out, f4=kernel) + (fields(f6=stride) if stride > 1 else b"")
        given += (fields(f3=pad) if pad else b"") + (fields(f5=group) if group > 1 else b"")
        add(name, "Convolution", given, blobs_of=weights(name))
        add(f"relu{number}", "ReLU", in_place=True)
        after = [(f"norm{number}", "LRN", norm),
                 (f"pool{number}", "Pooling", fields(f1=0, f2=3, f3=2))]
        for layer in {1: after, 2: after, 5: after[1:]}.get(number, [])[:: -1 if pool_first else 1]:
            add(*layer)
    for number in (6, 7, 8):
        classes = len(arrays["fc8.bias"]) if arrays and "fc8.bias" in arrays else 1000
        add(f"fc{number}", "InnerProduct", fields(f1=4096 if number < 8 else classes),
            blobs_of=weights(f"fc{number}"))
        if number < 8:
            add(f"relu{number}", "ReLU", in_place=True)
            add(f"drop{number}", "Dropout", fields(f1=0.5), in_place=True)
    return [*found, Layer("loss", "SoftmaxWithLoss", ["fc8", "label"], ["loss"]),
            Layer("accuracy", "Accuracy", ["fc8", "label"], ["accuracy"])]


def network(arrays=None, old=False, wired=True, **options):
    """The bytes of a NetParameter with these {name.weight, name.bias: array}."""
    return file(layers(arrays, **options), old, wired)


def file(some, old=False, wired=True, more=b""):
    """The bytes of a NetParameter of these layers."""
    return field(1, "AlexNet") + more + b"".join(field(2 if old else 100, layer.write(old, wired))
                                                 for layer in some)
