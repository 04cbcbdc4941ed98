"""Protocol Buffers' wire format, as far as Caffe's files need it.

A message is a row of fields, each a key (a varint: number · 8 + type) and a value: type 0 a varint, 1 eight bytes, 2 a length
and that many bytes (a text, a message, or packed numbers), 5 four bytes. A varint has 7 bits in a byte, the lowest first; the
eighth says that more follow. Reading it takes this page; the protobuf package would need the schema compiled to 7,000 lines.
"""

import struct
from typing import Any

import numpy as np

_LENGTHS = {1: 8, 5: 4}  # bytes of the types of fixed length


def fields(message: bytes | memoryview) -> dict[int, list]:
    """{field number: [values]} of a message: integers, or memoryviews for the types 1, 2 and 5.

    Raises ValueError or TypeError when it is no message.
    """
    message, found, at = memoryview(message), {}, 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if number == 0 or kind not in (0, 1, 2, 5):
            raise ValueError(f"field {number} has the unknown type {kind}" if number else "a field of number 0")
        value, at = _varint(message, at) if kind in (0, 2) else (_LENGTHS[kind], at)
        if kind != 0:
            if value > len(message) - at:
                raise ValueError(f"field {number} is cut off")
            value, at = message[at : at + value], at + value
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


def last(found: dict[int, list], number: int, default: Any = b"") -> Any:
    """The last of a field's values as it is; the default where there is none."""
    return found.get(number, [default])[-1]


def value(found: dict[int, list], number: int | tuple, default: int | float | str | list | None) -> Any:
    """A field's value, of the type of its default: an integer, a float, a text, or a list of floats.

    Of three fields the first is for both axes, or holds both, the others are for one each: a pair of integers.
    """
    if isinstance(number, tuple):
        both = integers(found.get(number[0], []))
        return tuple((both * 2)[:2]) if both else tuple(value(found, axis, default) for axis in number[1:])
    if number not in found:
        return default
    if isinstance(default, list):
        return numbers(found[number]).tolist()
    if isinstance(default, float):
        return struct.unpack("<f", found[number][-1])[0]
    return text(found[number][-1]) if isinstance(default, str) else int(found[number][-1])


def text(value: memoryview | bytes) -> str:
    """A text field's value. Raises TypeError for a number."""
    return str(value, "utf-8", "replace")


def numbers(values: list, kind: str = "<f4") -> np.ndarray:
    """A repeated float (or "<f8") field, packed or not, as one array."""
    return np.concatenate([np.frombuffer(value, kind) for value in values]) if values else np.empty(0, kind)


def integers(values: list) -> list[int]:
    """A repeated integer field, packed or not, as a list."""
    found = []
    for value in values:
        at = 0
        while not isinstance(value, int) and at < len(value):
            one, at = _varint(value, at)
            found.append(one)
        found += [value] if isinstance(value, int) else []
    return found


def blob(message: bytes | memoryview) -> np.ndarray:
    """The array of Caffe's BlobProto: num, channels, height, width = 1 to 4 (the old shape), data = 5, shape = 7 {dim = 1},
    double_data = 8."""
    found = fields(message)
    data = numbers(found[8], "<f8").astype(np.float32) if 8 in found else numbers(found.get(5, []))
    shape = integers(fields(found[7][-1]).get(1, [])) if 7 in found else [last(found, axis, 1) for axis in (1, 2, 3, 4)]
    return data.reshape(shape)
