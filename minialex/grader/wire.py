"""Values on their way between two processes: numbers, text and arrays; never a pickle.

A message is 8 bytes (how long is the text, how long are the arrays?), a text in JSON, and the arrays as .npy files, one after the
other. Nothing that a submission sends can run code, or name a type that does. What is no plain value stays where it is:
`keep` describes it in plain values, and `made` finds or makes on the other side what stands for it.
"""
import io
import json
import struct
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

TEXT, ARRAYS = 2 ** 26, 2 ** 29  # bytes: no honest answer has more
DIGITS = 4000  # of a whole number
HEAD = struct.Struct("<II")
NUMBERS = "biufc"  # kinds of arrays that travel


class Garbled(Exception):
    """What came is no message."""


class Channel:
    """Messages over a socket. keep(object) -> a plain description; made(description) -> what stands for it here."""

    def __init__(self, connection, keep: Callable[[Any], dict], made: Callable[[dict], Any]) -> None:
        self.connection, self.keep, self.made = connection, keep, made
        self.stream, self.lock = connection.makefile("rb"), threading.Lock()

    def send(self, message: dict) -> None:
        """Raises OSError when nobody listens any more."""
        data = pack(message, self.keep)
        with self.lock:
            self.connection.sendall(data)

    def receive(self) -> dict:
        """The next message. Raises EOFError when there is none, Garbled for what is none."""
        text, arrays = HEAD.unpack(self._read(HEAD.size))
        if text > TEXT or arrays > ARRAYS:
            raise Garbled("it returned more than half a gigabyte")
        message = unpack(self._read(text), self._read(arrays), self.made)
        if not isinstance(message, dict):
            raise Garbled("what came back cannot be read")
        return message

    def _read(self, count):
        data = self.stream.read(count)
        if len(data) < count:
            raise EOFError
        return data


def pack(value: Any, keep: Callable[[Any], dict]) -> bytes:
    """The message as bytes."""
    arrays = io.BytesIO()
    text = json.dumps(_described(value, arrays, keep)).encode("ascii")
    return HEAD.pack(len(text), arrays.tell()) + text + arrays.getvalue()


def _described(value, arrays, keep):
    """The value as JSON: what JSON does not know is an object with one key, which says what it is."""
    if value is None or type(value) in (bool, float, str) or type(value) is int and value.bit_length() < 3 * DIGITS:
        return value
    if value is ...:  # what an exercise holds where an answer is due
        return {"dots": None}
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in NUMBERS:
        np.lib.format.write_array(arrays, np.asarray(value), allow_pickle=False)
        return {"array" if isinstance(value, np.ndarray) else "scalar": None}
    if isinstance(value, (list, tuple)):
        items = [_described(item, arrays, keep) for item in value]
        return items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, dict):
        return {"dict": [[_described(part, arrays, keep) for part in pair] for pair in value.items()]}
    for plain in (bool, int, float, str):  # a subclass, whatever it says of itself
        if type(value) is not plain and isinstance(value, plain):
            return _described(plain(value), arrays, keep)
    return {"kept": _described(keep(value), arrays, keep)}


def unpack(text: bytes, arrays: bytes, made: Callable[[dict], Any]) -> Any:
    """The value. Raises Garbled for whatever is none."""
    stream = io.BytesIO(arrays)

    def value(item):
        ((kind, inside),) = item.items()
        if kind in ("array", "scalar"):
            array = np.lib.format.read_array(stream, allow_pickle=False)
            if array.dtype.kind not in NUMBERS:
                raise Garbled("no array of numbers")
            return array if kind == "array" else array[()]
        return {"dots": lambda _: ..., "tuple": tuple, "dict": dict, "kept": made}[kind](inside)

    try:
        return json.loads(text, object_hook=value, parse_int=lambda digits: int(digits[:DIGITS]))
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError, MemoryError, EOFError, OSError) as error:
        raise Garbled(f"what came back cannot be read: {type(error).__name__}") from None
