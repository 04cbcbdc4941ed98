"""Protocol Buffers' wire format, by the schema in caffe.proto.

A message is a row of fields, each a key (a varint: number · 8 + type) and a value: type 0 a varint,
1 eight bytes, 2 a length and that many bytes (a text, a message, or packed numbers), 5 four bytes.
A varint has 7 bits in a byte, the lowest first; the eighth says that more follow. Reading it takes
this page; the protobuf package would need the schema compiled to 7,000 lines.
"""

import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np

_LENGTHS = {1: 8, 5: 4}  # bytes of the types of fixed length
_FIELD = re.compile(r"(optional|repeated) (\w+) (\w+) = (\d+)(?: \[default = (\S+)\])?;")


@cache
def _schema():
    """{message: its fields as _FIELD finds them}, {enumeration: {number: name}}"""
    text = Path(__file__).with_name("caffe.proto").read_text(encoding="utf-8")
    blocks = re.findall(r"(message|enum) (\w+) \{(.*?)\}", text, re.DOTALL)
    return ({name: _FIELD.findall(block) for kind, name, block in blocks if kind == "message"},
            {name: {int(number): word for word, number in re.findall(r"(\w+) = (\d+);", block)}
             for kind, name, block in blocks if kind == "enum"})


def decode(content: bytes | memoryview, message: str) -> SimpleNamespace:
    """A message's fields by their names, with the schema's defaults (None where it has none; a
    message of defaults), and `given`: the names of those that are there. Repeated floats are an
    array. Raises ValueError or TypeError."""
    found, values = fields(content), {}
    for label, kind, name, number, default in _schema()[0][message]:
        items = _items(found.get(int(number), []), kind)
        if label == "optional" and not len(items):
            items = [decode(b"", kind)] if kind in _schema()[0] else [_default(kind, default)]
        values[name] = (items if label == "repeated" else items.item(-1)
                        if isinstance(items, np.ndarray) else items[-1])
    given = {name for _, _, name, number, _ in _schema()[0][message] if int(number) in found}
    return SimpleNamespace(**values, given=given)


def _default(kind, text):
    if kind == "float":
        return float(text)
    return {"true": 1, "false": 0, "": "" if kind == "string"
            else None}.get(text, int(text) if text.isdigit() else text)


def _items(values, kind):
    """A field's values as what they are."""
    if kind in _schema()[0]:
        return [decode(value, kind) for value in values]
    if kind in ("float", "double"):
        code = "<f4" if kind == "float" else "<f8"
        return np.concatenate([np.empty(0, code),
                               *(np.frombuffer(value, code) for value in values)])
    if kind in ("string", "bytes"):
        return [str(value, "utf-8", "replace") for value in values]
    numbers = [number for value in values
               for number in ([value] if isinstance(value, int) else _packed(value))]
    words = _schema()[1].get(kind, {})
    return [words.get(number, number) for number in numbers]


def _packed(numbers):
    at = 0
    while at < len(numbers):
        number, at = _varint(numbers, at)
        yield number


def fields(message: bytes | memoryview) -> dict[int, list]:
    """{field number: [values]} of a message: integers, or memoryviews for the types 1, 2 and 5.

    Raises ValueError or TypeError when it is no message.
    """
    message, found, at = memoryview(message), {}, 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if number == 0 or kind not in (0, 1, 2, 5):
            raise ValueError(f"field {number} has the unknown type {kind}" if number
                             else "a field of number 0")
        value, at = _varint(message, at) if kind in (0, 2) else (_LENGTHS[kind], at)
        if kind != 0:
            if value > len(message) - at:
                raise ValueError(f"field {number} is cut off")
            value, at = message[at : at + value], at + value
        found.setdefault(number, []).append(value)
    return found


def _varint(message, at):
    """(number, where the next one begins)"""
    value = 0
    for count, byte in enumerate(message[at : at + 10]):
        value |= (byte & 127) << 7 * count
        if byte < 128:
            return value, at + count + 1
    raise ValueError("a number is cut off")


def blob(found: SimpleNamespace) -> np.ndarray:
    """The array of a BlobProto, in either form of its shape and numbers."""
    data = found.double_data.astype(np.float32) if "double_data" in found.given else found.data
    return data.reshape(found.shape.dim if "shape" in found.given
                        else (found.num, found.channels, found.height, found.width))
