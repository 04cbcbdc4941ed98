"""Protocol Buffers' wire format, as far as Caffe's files need it.

A message is a row of fields, each a key (a varint: number · 8 + type) and a value: type 0 a varint, 1 eight bytes, 2 a length
and that many bytes (a text, a message, or packed numbers), 5 four bytes. A varint has 7 bits in a byte, the lowest first; the
eighth says that more follow. Reading it takes this page; the protobuf package would need the schema compiled to 7,000 lines.
"""

import struct

import numpy as np


def fields(message):
    """{field number: [values]} of a message (bytes): integers, or memoryviews for the types 1, 2 and 5.

    Raises ValueError when the bytes are no message.
    """
    message, found, at = memoryview(message), {}, 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(message, at)
        elif kind in (1, 2, 5):
            length, at = _varint(message, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            if length > len(message) - at:
                raise ValueError(f"field {number} is cut off")
            value, at = message[at : at + length], at + length
        else:
            raise ValueError(f"field {number} has the unknown type {kind}")
        if number == 0:
            raise ValueError("a field of number 0")
        found.setdefault(number, []).append(value)
    return found


def _varint(message, at):
    value = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise ValueError("a number is cut off")
        byte = message[at]
        value, at, shift = value | (byte & 127) << shift, at + 1, shift + 7
        if byte < 128:
            return value, at


def text(values, default=""):
    """The last of a text field's values."""
    return bytes(values[-1]).decode("utf-8", "replace") if values else default


def number(values, default):
    """The last of a float field's values."""
    return struct.unpack("<f", values[-1])[0] if values else default


def numbers(values, kind="<f4"):
    """A repeated float (or "<f8") field, packed or not, as one array."""
    return np.concatenate([np.frombuffer(value, kind) for value in values]) if values else np.empty(0, kind)


def integers(values):
    """A repeated integer field, packed or not, as a list."""
    found = []
    for value in values:
        at = 0
        while not isinstance(value, int) and at < len(value):
            one, at = _varint(value, at)
            found.append(one)
        found += [value] if isinstance(value, int) else []
    return found


def blob(message):
    """The array of Caffe's BlobProto: num, channels, height, width = 1 to 4 (the old shape), data = 5, shape = 7 {dim = 1},
    double_data = 8."""
    found = fields(message)
    data = numbers(found[8], "<f8").astype(np.float32) if 8 in found else numbers(found.get(5, []))
    if 7 in found:
        return data.reshape(integers(fields(found[7][-1]).get(1, [])))
    return data.reshape([found.get(number, [1])[-1] for number in (1, 2, 3, 4)])
