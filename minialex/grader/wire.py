"""Two processes that call each other's functions: numbers, text and arrays travel; never a pickle.

A message is 8 bytes (how long is the text, how long are the arrays?), a text in JSON, and the
arrays as .npy files, one after the other. Nothing that a submission sends can run code, or name a
type that does. What is no plain value stays where it is: it travels as a number, and a Far stands
for it over there.
"""
import builtins
import inspect
import io
import json
import struct
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

import minialex as ma

TEXT, ARRAYS = 2 ** 24, 2 ** 29  # bytes: no honest answer has more
DIGITS = 4000  # of a whole number
HEAD = struct.Struct("<II")
NUMBERS = "biufc"  # kinds of arrays that travel
PLAIN = (type(None), bool, int, float, str)
MESSAGES = ({"do"}, {"value", "changed"}, {"failed"}, {"late"})


class Garbled(Exception):
    """What came is no message."""


class StudentError(Exception):
    """Raised by the code on the other side. told: {"kind", "message", "lines"}, in its words."""

    def __init__(self, told: dict) -> None:
        super().__init__(told["message"])
        self.told = told


class Far:
    """Something of the other side's: it can be called, if it is a function there, and be handed
    back."""

    def __init__(self, peer: "Peer", number: int, name: str = "",
                 places: list | None = None) -> None:
        self._peer, self._number, self.__name__ = peer, number, name
        if places is not None:
            self.__signature__ = signature(places)

    def __call__(self, *arguments, **keywords):
        return self._peer.call(self, None, *arguments, **keywords)

    def __deepcopy__(self, memo):
        return self


class Peer:
    """One end of a socket. Whoever has asked answers the other side's questions until the answer
    comes."""

    def __init__(self, connection) -> None:
        self.connection, self.stream = connection, connection.makefile("rb")
        self.lock = threading.Lock()
        self.mine, self.numbers = [], {}  # the objects that the other side knows, and their numbers

    def call(self, target: Far, method: str | None, *arguments, **keywords) -> Any:
        """What the object over there, or its method, returns; what it writes into an argument is
        written here, too. Raises what it raises: an exception of that name, a StudentError."""
        asked = [target, method, arguments, keywords, random_state()]
        reply = self.exchange(self.pack({"do": asked}))
        while "do" in reply:
            reply = self.exchange(self.answer(reply["do"]))
        if "value" not in reply:
            raise self.failure(reply)
        _write(reply["changed"], [arguments, keywords])
        return reply["value"]

    def ask(self, what: str, *arguments) -> Any:
        """The same of the first object over there."""
        return self.call(Far(self, 0), what, *arguments)

    def exchange(self, data: bytes) -> dict:
        """The next message after this one. Raises OSError when nobody listens, EOFError when
        nothing comes any more, Garbled for what is no message."""
        self.send(data)
        text, arrays = HEAD.unpack(self._read(HEAD.size))
        if text > TEXT or arrays > ARRAYS:
            raise Garbled("it returned more than a grader takes: 16 MB of text, 512 MB of arrays")
        message = self._unpacked(self._read(text), self._read(arrays))
        if not isinstance(message, dict) or set(message) not in MESSAGES:
            raise Garbled("what came back cannot be read")
        return message

    def send(self, data: bytes) -> None:
        """One message, whole."""
        with self.lock:
            self.connection.sendall(data)

    def _read(self, count):
        data = self.stream.read(count)
        if len(data) < count:
            raise EOFError
        return data

    # what travels

    def pack(self, value: Any) -> bytes:
        """The value as a message."""
        arrays = io.BytesIO()
        text = json.dumps(self._described(value, arrays)).encode("ascii")
        return HEAD.pack(len(text), arrays.tell()) + text + arrays.getvalue()

    def _described(self, value, arrays):
        """The value as JSON: what JSON does not know is an object with one key, which says what
        it is."""
        def parts(values):
            return [self._described(part, arrays) for part in values]

        if (value is None or type(value) in (bool, float, str)
            or type(value) is int and value.bit_length() < 3 * DIGITS):
            return value
        if value is ...:  # what an exercise holds where an answer is due
            return {"dots": None}
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in NUMBERS:
            np.lib.format.write_array(arrays, np.asarray(value), allow_pickle=False)
            return {"array" if isinstance(value, np.ndarray) else "scalar": None}
        if isinstance(value, (list, tuple)):
            return parts(value) if isinstance(value, list) else {"tuple": parts(value)}
        if isinstance(value, dict):
            return {"dict": [parts(pair) for pair in value.items()]}
        if isinstance(value, ma.Tensor):
            return {"tensor": parts([value.data, bool(value.requires_grad)])}
        if isinstance(value, np.random.Generator):
            return {"generator": self._described(value.bit_generator.state, arrays)}
        for plain in (bool, int, float, str):  # a subclass, whatever it says of itself
            if type(value) is not plain and isinstance(value, plain):
                return self._described(plain(value), arrays)
        if isinstance(value, Far):
            return {"yours": value._number}
        return {"mine": parts(self._kept(value))}

    def _unpacked(self, text, arrays):
        stream = io.BytesIO(arrays)

        def array():
            found = np.lib.format.read_array(stream, allow_pickle=False)
            if found.dtype.kind not in NUMBERS:
                raise Garbled("no array of numbers")
            return found

        made = {"array": lambda _: array(), "scalar": lambda _: array()[()], "dots": lambda _: ...,
                "tuple": tuple, "dict": dict, "generator": _generator,
                "tensor": lambda parts: ma.Tensor(parts[0], requires_grad=parts[1] is True),
                "yours": self.mine.__getitem__, "mine": lambda parts: self._far(*parts)}

        def value(item):
            ((kind, inside),) = item.items()
            return made[kind](inside)

        try:
            return json.loads(text, object_hook=value, parse_int=lambda text: int(text[:DIGITS]))
        except Exception as error:  # whatever can be wrong with it
            raise Garbled(f"what came back cannot be read: {type(error).__name__}") from None

    def _kept(self, value):
        """What the other side gets to know of an object: see _far."""
        number = self.numbers.setdefault(id(value), len(self.mine))
        if number == len(self.mine):
            self.mine.append(value)
        is_function = isinstance(value, type) and issubclass(value, ma.Function)
        takes = callable(value) and not isinstance(value, ma.Function)
        return (number, str(getattr(value, "__name__", type(value).__name__)), is_function,
                parameters(value) if takes else None)

    def _far(self, number, name, is_function, places):
        """What stands here for an object of the other side's."""
        far = Far(self, int(number), str(name)[:100], places)
        return type(far.__name__, (Carried,), {"origin": far}) if is_function is True else far


def _generator(state):
    generator = np.random.default_rng(0)
    generator.bit_generator.state = state
    return generator


class Carried(ma.Function):
    """A Function whose two directions are computed by an object over there, one of `origin`, a
    class over there."""

    origin = None

    def __init__(self, *arguments, **keywords):
        self._far = self.origin(*arguments, **keywords)

    def __copy__(self):
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__, _far=self.origin._peer.ask("copy", self._far))
        return twin

    def __deepcopy__(self, memo):
        return self.__copy__()

    def forward(self, *arrays):
        """What the object's forward returns."""
        return self.origin._peer.call(self._far, "forward", *arrays)

    def backward(self, grad_output):
        """What the object's backward returns."""
        return self.origin._peer.call(self._far, "backward", grad_output)


def _write(came, given):
    """Put what came into the arrays that were given, wherever it fits."""
    if isinstance(given, np.ndarray):
        if isinstance(came, np.ndarray) and came.shape == given.shape:
            given[...] = came
    elif isinstance(given, dict) and isinstance(came, dict):
        for key in given.keys() & came.keys():
            _write(came[key], given[key])
    elif isinstance(given, (list, tuple)) and isinstance(came, (list, tuple)):
        for new, old in zip(came, given):
            _write(new, old)


# what every run of forward begins with: see frozen
_START = np.random.RandomState(0).get_state(legacy=False)["state"]


def random_state() -> dict | None:
    """The state of np.random where a comparison has set it since the last forward; else None:
    the other side goes on."""
    state = np.random.get_state(legacy=False)
    begun = all(np.array_equal(state["state"][part], _START[part]) for part in ("pos", "key"))
    return None if begun else state


def parameters(function: Callable) -> list:
    """[[name, kind, has a default, the default where it is plain], …]"""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [["arguments", "VAR_POSITIONAL", False, None]]
    return [[p.name, p.kind.name, p.default is not p.empty,
             p.default if isinstance(p.default, PLAIN) else None] for p in found]


def signature(places: list) -> inspect.Signature:
    """The inspect.Signature that they describe."""
    return inspect.Signature([
        inspect.Parameter(str(name), inspect._ParameterKind[kind],
                          default=default if has_default else inspect.Parameter.empty)
        for name, kind, has_default, default in places])


def raised(told: dict) -> StudentError:
    """An exception of the same name, of the built-in class where there is one, that carries the
    code's lines."""
    base = getattr(builtins, told["kind"], None)
    if not (isinstance(base, type) and issubclass(base, Exception)):
        base = Exception
    try:
        return type(told["kind"], (StudentError, base), {})(told)
    except (TypeError, ValueError):  # of another layout, or no name
        return StudentError(told)
