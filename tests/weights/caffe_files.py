"""Bytes of .caffemodel files, put together by hand from the published schema."""

import struct


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


def blob(array, old):
    """BlobProto with num, channels, height, width, or with shape."""
    if old:
        four = (1,) * (4 - array.ndim) + array.shape
        shape = b"".join(field(number, size) for number, size in enumerate(four, 1))
    else:
        shape = field(7, field(1, b"".join(map(varint, array.shape))))
    return shape + field(5, array.astype("<f4").tobytes())


def layer(name, kind, blobs=(), norm=b"", old=False):
    """LayerParameter, or V1LayerParameter when `old`."""
    kinds = {"Convolution": 4, "InnerProduct": 14, "LRN": 15, "Pooling": 17}
    numbers = (4, 5, 6, 18) if old else (1, 2, 7, 118)
    out = field(numbers[0], name) + field(numbers[1], kinds[kind] if old else kind)
    out += b"".join(field(numbers[2], blob(array, old)) for array in blobs)
    return out + (field(numbers[3], norm) if norm else b"")


def network(arrays, old=False, pool_first=False, alpha=1e-4, k=None):
    """The bytes of a NetParameter with these {name.weight, name.bias: array}."""
    norm = field(1, 5) + field(2, alpha) + field(3, 0.75) + (b"" if k is None else field(5, k))
    layers = []
    for name in dict.fromkeys(key.partition(".")[0] for key in arrays):
        kind = "Convolution" if name.startswith("conv") else "InnerProduct"
        layers.append(layer(name, kind, [arrays[f"{name}.weight"], arrays[f"{name}.bias"]], old=old))
        if name in ("conv1", "conv2"):
            after = [layer(f"norm{name[-1]}", "LRN", norm=norm, old=old), layer(f"pool{name[-1]}", "Pooling", old=old)]
            layers += after[::-1] if pool_first else after
    return field(1, "AlexNet") + b"".join(field(2 if old else 100, one) for one in layers)
