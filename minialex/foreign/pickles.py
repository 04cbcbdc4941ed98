"""Pickles, read by Python's own `pickle.Unpickler`, which here can reach nothing but this file.

A pickle is a program for a small stack machine. Whatever it calls, it must first ask for by name;
the machine then asks `find_class`. Ours imports nothing: every name becomes an empty class of that
name, made anew for each file, whose objects only keep what they are given. A few names make classes
that also know how to become an array. Names of the standard library, NumPy and PyTorch that no
training script keeps beside its weights, which are all that are not in pickle_names.txt, are
refused, to say so early.

The machine itself can be made to waste time and memory: `_check` walks over the instructions first,
by hand, because the standard library has no limits for it.
"""

import mmap
import pickle
import pickletools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .conventions import Refusal, shown

MOST_INSTRUCTIONS = 2_000_000  # files of weights have thousands
MOST_PARTS = 20_000_000  # that the instructions together take from the stack

_ALLOWED = Path(__file__).with_name("pickle_names.txt").read_text("utf-8").splitlines()[1:]
_HARMLESS = re.compile("|".join(_ALLOWED))
_ROOTS = sys.stdlib_module_names | {"numpy", "torch", "commands"}
_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}


class Object(dict):
    """What a pickle makes of any class: it keeps what it is made of by reference, and does nothing.

    parts: what it was given at once, a dictionary or a list of pairs, and its attributes,
    dictionaries."""

    __hash__, __eq__ = object.__hash__, object.__eq__
    parts = ()

    def __new__(cls, *_, **__):
        return super().__new__(cls)

    def __init__(self, *arguments, **_):
        self.parts = arguments if len(arguments) == 1 else ()

    def __setstate__(self, state):
        self.parts += state if isinstance(state, tuple) else (state,)

    def extend(self, items):
        """Entries of a list or a set; nobody needs them."""

    append = add = extend

    def contents(self, seen: set[int]) -> Iterator[tuple[Any, Any]]:
        """(key, item), each of what it holds, without the parts that other objects in `seen` share
        with it."""
        yield from self.items()
        for part in self.parts:
            if id(part) in seen:
                continue
            seen.add(id(part))
            pairs = part.items() if isinstance(part, dict) else part if isinstance(part,
                                                                                   list) else ()
            yield from (pair for pair in pairs if isinstance(pair, (list, tuple))
                        and len(pair) == 2)


class Later(Object):
    """What has a method `array()`: its numbers, once all that it is made of has been read. They lie
    on bytes that are there, so a huge shape cannot ask for memory; otherwise ValueError or
    TypeError."""


class Type(Object):
    """numpy.dtype, whose byte order follows with BUILD."""

    order = "|"

    def __init__(self, text, *_):
        self.text = text

    def __setstate__(self, state):
        self.order = state[1]


class Array(Later):
    """numpy.ndarray: (version, shape, type, whether columns come first, bytes or a list of objects)
    follows with BUILD."""

    state = ()

    def __setstate__(self, state):
        self.state = state

    def objects(self) -> list | None:
        """What an array of objects holds, None for one of numbers."""
        return self.state[4] if self.state and isinstance(self.state[4], list) else None

    def array(self) -> np.ndarray:
        _, shape, kind, fortran, content = self.state
        if not re.fullmatch(r"[<>|=]?([fiub]\d{1,2}|\?)", kind.text):
            raise ValueError("an array of other things than numbers")
        content = content.encode("latin-1") if isinstance(content, str) else content
        kind = np.dtype(kind.text).newbyteorder(kind.order)
        return np.frombuffer(content, kind).reshape(shape, order="F" if fortran else "C")


class Buffer(Array):
    """numpy.frombuffer, by which NumPy pickles arrays of protocol 5."""

    def __init__(self, content, kind, shape, order):
        self.state = 1, shape, kind, order == "F", content


class Bytes(Object):
    """_codecs.encode: bytes that a pickle of protocol 2 holds as text. Arrays take long text as it
    is."""

    def __new__(cls, text, encoding):
        if encoding not in ("latin1", "latin-1"):
            raise ValueError("bytes in another encoding than Latin-1")
        return text.encode("latin-1") if len(text) <= 64 else text


_CLASSES = {"numpy.dtype": Type, "_codecs.encode": Bytes} | {
    f"numpy.{core}.{name}": made for core in ("core", "_core")
    for name, made in (("multiarray._reconstruct", Array), ("numeric._frombuffer", Buffer))}


class _Reader(pickle.Unpickler):
    def __init__(self, file, classes, persistent):
        super().__init__(file, encoding="latin-1")  # Python 2 wrote bytes as text
        self.classes, self.persistent, self.names = _CLASSES | classes, persistent, {}

    def find_class(self, module, name):
        text = f"{_PYTHON_2.get(module, module)}.{name}"
        if not _HARMLESS.fullmatch(text) and text.partition(".")[0] in _ROOTS:
            raise Refusal(f"asks for {shown(text)}, which no file of weights needs: refused, "
                          "nothing of it was run.")
        if text not in self.names:
            self.names[text] = type(text, (self.classes.get(text, Object),), {})
        return self.names[text]

    def persistent_load(self, identifier):
        if self.persistent is None:
            raise Refusal("refers to objects outside itself, "
                          "which a file of this kind cannot have: refused.")
        return self.persistent(identifier)


def mapped(file: BinaryIO) -> mmap.mmap:
    """An open file as memory: no more is taken for a part than there is, whatever its length is
    said to be."""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def load(file: BinaryIO, classes: dict[str, type[Object]] | None = None,
         persistent: Callable | None = None) -> Any:
    """The object that the next pickle in a BytesIO or a mapped file describes; the file is left
    just behind it.

    classes: {"module.name": class} for names that become more than an Object; persistent: what
    gives an object for a persistent identifier. Runs nothing. Raises Refusal when the pickle asks
    for more, any Exception when it is damaged.
    """
    _check(file)
    return _Reader(file, classes or {}, persistent).load()


def _effect(opcode):
    """(does it take all down to a mark, how many objects it takes below that, how many it gives)"""
    before, mark = opcode.stack_before, pickletools.markobject
    marked = mark in before
    return marked, before.index(mark) if marked else len(before), len(opcode.stack_after)


_EFFECTS = {opcode.name: _effect(opcode) for opcode in pickletools.opcodes}


def _check(file):
    """Walk over the next pickle without following it, and go back to where it began.

    Refused are: too many instructions; numbers in the memo that no pickle has (memory is taken for
    all below); the registry of extensions, which `find_class` is not asked for; tuples that hold a
    tuple twice, that holds a tuple twice ..., which take for ever as a dictionary's key. stack: how
    many parts each object has, None for a mark.
    """
    start, stack, memo, total = file.tell(), [], {}, 0
    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        name = opcode.name
        if count > MOST_INSTRUCTIONS or total > MOST_PARTS:
            raise Refusal("has millions of instructions, files of weights have thousands: refused.")
        if name.startswith(("EXT", "INST")):
            raise Refusal(f"holds the pickle instruction {name}, which no file of weights needs: "
                          "refused, nothing of it was run.")
        if name == "MEMOIZE" or name.endswith("PUT"):
            index = len(memo) if argument is None else argument
            if index > count:
                raise ValueError(f"the object {index} before there are so many")
            memo[index] = stack[-1]
        elif name.endswith("GET") or name in ("MARK", "DUP"):
            stack.append(None if name == "MARK" else stack[-1] if name == "DUP" else memo[argument])
        elif name == "POP":
            stack.pop()
        else:
            size, (marked, taken, given) = 0, _EFFECTS[name]
            while marked and (part := stack.pop()) is not None:
                size += part
            for _ in range(taken):
                size += stack.pop()
            total += size
            stack += [1 + size if "TUPLE" in name else 1] * given
    file.seek(start)
