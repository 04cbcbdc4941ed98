"""Pickles, read without running them.

A pickle is a program for a small stack machine. Two of its instructions make it dangerous: one imports any function by
name, another calls it. Python's own pickle module follows them; so this is another machine, for the few instructions that
files of weights are made of. Here a name stays a name. It can be called only if it is one of the names in `BUILDERS`, and
then a function of this module runs, which makes arrays out of bytes that are there. There is no instruction with which a
file could reach anything else.
"""

import pickletools

import numpy as np

from ..errors import UserError

MOST_INSTRUCTIONS = 2_000_000  # files of weights have thousands


class Refused(UserError):
    """A pickle that asks for something which no file of weights needs."""


class Careful:
    """An open file that takes memory only for bytes that are there: Python's own takes as much as was asked for."""

    def __init__(self, file):
        self.file, self.readline = file, file.readline

    def read(self, count):
        """Up to `count` bytes."""
        parts = []
        while count > 0 and (part := self.file.read(min(count, 2**20))):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


class Name:
    """module.name as it stands in a pickle; nothing has been imported."""

    def __init__(self, module, name):
        self.text = f"{module}.{name}"


class Unfinished:
    """A NumPy array whose shape, type and bytes follow with BUILD."""

    array = None


def read(file, path, builders, persistent=None):
    """The object that the next pickle in an open file describes; the file is left just behind it.

    builders: {"module.name": function} for the names that may be called, and {"module.name": None} for those that may only
    be mentioned; persistent: what gives an object for a persistent identifier. Raises UserError, and runs nothing, when
    the pickle is damaged or asks for more.
    """
    machine = _Machine(path, builders, persistent)
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(Careful(file))):
            if count > MOST_INSTRUCTIONS:
                raise Refused(f"{path} has more than {MOST_INSTRUCTIONS:,} instructions, weights need thousands: refused.")
            if opcode.name == "STOP":
                return finished(machine.pop())
            machine.step(opcode.name, argument)
    except UserError:
        raise
    except Exception as error:  # damaged bytes make everything fail in every way
        raise UserError(f"cannot read {path}: its pickle is damaged or cut off ({type(error).__name__}: {error}).") from error
    raise UserError(f"cannot read {path}: its pickle is cut off.")


_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS = {"BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "UNICODE", "BINUNICODE",
             "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "STRING", "BINSTRING",
             "SHORT_BINSTRING"}
_EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_SET": set}


class _Machine:
    def __init__(self, path, builders, persistent):
        self.path, self.builders, self.persistent = path, builders, persistent
        self.stack, self.memo = [], {}

    def step(self, name, argument):
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            self.stack.append(_EMPTY[name]())
        elif hasattr(self, f"do_{name.lower()}"):
            getattr(self, f"do_{name.lower()}")(argument)
        else:
            raise Refused(f"{self.path} holds the pickle instruction {name}, which no file of weights needs: refused, nothing "
                          "of it was run.")

    def pop(self):
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError("a mark where a value belongs")
        return value

    def pop_to_mark(self):
        values = []
        while (value := self.stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    # stack and memo

    def do_proto(self, version):
        if version > 5:
            raise ValueError(f"pickle protocol {version}")

    def do_frame(self, length):
        pass

    def do_mark(self, _):
        self.stack.append(_MARK)

    def do_pop(self, _):
        self.stack.pop()

    def do_put(self, index):
        self.memo[int(index)] = self.stack[-1]

    do_binput = do_long_binput = do_put

    def do_memoize(self, _):
        self.memo[len(self.memo)] = self.stack[-1]

    def do_get(self, index):
        self.stack.append(self.memo[int(index)])

    do_binget = do_long_binget = do_get

    # containers

    def do_tuple(self, _):
        self.stack.append(tuple(self.pop_to_mark()))

    def do_tuple1(self, _):
        self.stack.append((self.pop(),))

    def do_tuple2(self, _):
        second, first = self.pop(), self.pop()
        self.stack.append((first, second))

    def do_tuple3(self, _):
        third, second, first = self.pop(), self.pop(), self.pop()
        self.stack.append((first, second, third))

    def do_list(self, _):
        self.stack.append(self.pop_to_mark())

    def do_append(self, _):
        value = self.pop()
        self._top(list).append(value)

    def do_appends(self, _):
        values = self.pop_to_mark()
        self._top(list).extend(values)

    def do_dict(self, _):
        values = self.pop_to_mark()
        self.stack.append(dict(zip(values[::2], values[1::2], strict=True)))

    def do_setitem(self, _):
        value, key = self.pop(), self.pop()
        self._top(dict)[key] = value

    def do_setitems(self, _):
        values = self.pop_to_mark()
        self._top(dict).update(zip(values[::2], values[1::2], strict=True))

    def _top(self, kind):
        if not isinstance(self.stack[-1], kind):
            raise ValueError(f"a {type(self.stack[-1]).__name__} where a {kind.__name__} belongs")
        return self.stack[-1]

    # names, and the calls that are allowed

    def do_global(self, argument):
        module, _, name = argument.partition(" ")
        self._name(module, name)

    def do_stack_global(self, _):
        name, module = self.pop(), self.pop()
        self._name(module, name)

    def _name(self, module, name):
        if f"{module}.{name}" not in self.builders:
            raise Refused(f"{self.path} asks for {module}.{name}, which no file of weights needs: refused, nothing of it was "
                          "run.")
        self.stack.append(Name(module, name))

    def do_reduce(self, _):
        arguments, function = self.pop(), self.pop()
        builder = self.builders[function.text] if isinstance(function, Name) else None
        if builder is None:
            what = function.text if isinstance(function, Name) else f"a {type(function).__name__}"
            raise Refused(f"{self.path} calls {what}, which no file of weights needs: refused, nothing of it was run.")
        self.stack.append(builder(*arguments))

    def do_newobj(self, _):
        self.do_reduce(None)

    def do_build(self, _):
        state, target = self.pop(), self.stack[-1]
        if isinstance(target, Unfinished):
            target.array = _array(*state)
        elif not isinstance(target, (dict, np.dtype)):  # what else they carry, such as the version of a module, is not needed
            raise Refused(f"{self.path} sets attributes of a {type(target).__name__}, which no file of weights needs: refused.")
        elif isinstance(target, np.dtype):
            self.stack[-1] = target.newbyteorder(state[1]) if state[1] in ("<", ">") else target

    def do_binpersid(self, _):
        if self.persistent is None:
            raise Refused(f"{self.path} refers to objects outside itself, which a file of this kind cannot have: refused.")
        self.stack.append(self.persistent(self.pop()))


# ------------------------------------------------------------------------------------------------ NumPy's arrays


def _dtype(text, *_):
    kind = np.dtype(text.decode() if isinstance(text, bytes) else text)
    if kind.kind not in "fiubO" or kind.hasobject and kind != np.dtype("O"):
        raise ValueError(f"an array of {text}")
    return kind


def _array(_version, shape, kind, fortran, content):
    """What an ndarray's BUILD describes: the bytes must be there, so a huge shape cannot ask for memory."""
    if kind == np.dtype("O"):
        array = np.empty(len(content), dtype=object)
        array[:] = [finished(item) for item in content]
        return array.reshape(shape)
    content = content.encode("latin-1") if isinstance(content, str) else content  # Python 2 wrote bytes as text
    return np.frombuffer(content, kind).reshape(shape, order="F" if fortran else "C")


def _frombuffer(content, kind, shape, order):
    unfinished = Unfinished()
    unfinished.array = np.frombuffer(content, kind).reshape(shape, order=order)
    return unfinished


def _encode(text, encoding):
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"bytes written as {encoding}")
    return text.encode("latin-1")


def _scalar(kind, content):
    return np.frombuffer(content, kind)[0]


def finished(value, seen=None):
    """The array that an Unfinished has become; other values as they are, in containers too.

    seen: what became of each container so far. Without it one list that holds another twice, which holds another twice ...
    would never end; a list that holds itself raises RecursionError.
    """
    seen = {} if seen is None else seen
    if isinstance(value, Unfinished):
        return value.array
    if not isinstance(value, (dict, list, tuple)):
        return value
    if id(value) not in seen:
        items = [finished(item, seen) for item in (value.values() if isinstance(value, dict) else value)]
        seen[id(value)] = dict(zip(value, items)) if isinstance(value, dict) else type(value)(items)
    return seen[id(value)]


NUMPY = {
    "numpy.ndarray": None,
    "numpy.dtype": _dtype,
    "_codecs.encode": _encode,
    **{f"{package}.multiarray._reconstruct": lambda *_: Unfinished() for package in ("numpy.core", "numpy._core")},
    **{f"{package}.multiarray.scalar": _scalar for package in ("numpy.core", "numpy._core")},
    **{f"{package}.numeric._frombuffer": _frombuffer for package in ("numpy.core", "numpy._core")},
}
