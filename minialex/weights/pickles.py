"""Pickles, read by Python's own `pickle.Unpickler`, which here can reach nothing but this file.

A pickle is a program for a small stack machine. Whatever it calls, it must first ask for by name; the
machine then asks `find_class`. Ours imports nothing. A name that stands in `builders` becomes a `Name`,
which calls a function of minialex that makes arrays out of bytes that are there. A name of something that
training scripts keep beside their weights (a Counter, a Path, a class of their own) becomes an empty class
of that name. All others are refused.

The machine itself can be made to waste time and memory. `_check` walks over the instructions first.
"""

import pickle
import pickletools
import re
import sys

import numpy as np

from ..errors import UserError

MOST_INSTRUCTIONS = 2_000_000  # files of weights have thousands
MOST_PARTS = 20_000_000  # that the instructions together take from the stack


class Refused(UserError):
    """A pickle that asks for something which no file of weights needs."""


class Careful:
    """An open file that takes memory only for bytes that are there, not for all that were asked for."""

    def __init__(self, file):
        self.readline, self.seek, self.tell, self._read = file.readline, file.seek, file.tell, file.read

    def read(self, count):
        """Up to `count` bytes."""
        parts = []
        while count > 0 and (part := self._read(min(count, 2**20))):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


class Name:
    """module.name as it stands in a pickle, and what a call of it makes; nothing has been imported."""

    __slots__ = ("text", "make")

    def __init__(self, text, make):
        self.text, self.make = text, make

    def __call__(self, *arguments):
        if self.make is None:
            raise ValueError(f"a call of {self.text}")
        return self.make(*arguments)

    def __setstate__(self, state):
        raise ValueError(f"attributes of {self.text}")


class Inert(dict):
    """An object of any class: it keeps entries and attributes, and does nothing."""

    __hash__, __eq__ = object.__hash__, object.__eq__

    def __new__(cls, *arguments, **options):
        return super().__new__(cls)

    def __init__(self, *arguments, **options):
        first = arguments[0] if len(arguments) == 1 else {}
        if isinstance(first, dict) or isinstance(first, list) and all(isinstance(item, (list, tuple)) for item in first):
            super().__init__(first)

    def __setstate__(self, state):
        for part in state if isinstance(state, tuple) else [state]:
            self.update(part if isinstance(part, dict) else {})

    def extend(self, items):
        """Entries of a list or a set; nobody needs them."""

    append = add = extend


# What the standard library's and NumPy's own classes are allowed to be; others' classes may have any name.
_HARMLESS = re.compile(r"""
    builtins\.(object|set|frozenset|complex|bytes|bytearray|slice|x?range|int|long|unicode|float|str|bool|list|dict|tuple)
    | collections\.(User\w+|Counter|OrderedDict|defaultdict|deque|ChainMap) | argparse\.Namespace | types\.SimpleNamespace
    | pathlib(\._local)?\.(Pure)?(Posix|Windows)?Path | datetime\.(datetime|date|time|timedelta|timezone)
    | uuid\.UUID | decimal\.Decimal | fractions\.Fraction | time\.struct_time | random\.Random | typing\.[A-Z]\w+
    | builtins\.(Ellipsis|NotImplemented|\w+(Error|Exception|Warning)) | re\._compile | logging\.(getLogger|Logger)
    | string\.Template | array\.(array|_array_reconstructor) | statistics\.NormalDist | ipaddress\.IPv[46]\w+
    | itertools\.(count|cycle|repeat)
    | torch\.(device|dtype|Size|Generator|[a-z]+\d+(_e\w+)?|bool|float|double|half|int|long|strided|contiguous_format)
    | torch\.(nn|optim|amp|cuda\.amp|distributions|utils\.data)\.\w[\w.]* | torch\.torch_version\.TorchVersion
    | torch\.jit\._pickle\.(build_\w+list|restore_type_tag) | torch\.(per_\w+_affine\w* | [fi]info)
    | torch\.(serialization|_utils)\._(get_layout|rebuild_\w*(qtensor|sparse\w*|meta\w*|nested\w*))
    | numpy\.(bool_?|str_|bytes_|[a-z]+\d+|random\.\w[\w.]*) | numpy\.dtypes\.\w+ | numpy\.ma\.\w[\w.]*
    | numpy\.(poly1d|matrix|rec(ord)?array|record|rec\.\w+)
    """, re.VERBOSE)
_ROOTS = sys.stdlib_module_names | {"numpy", "torch", "commands"}
_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}


def load(file, path, builders=None, persistent=None):
    """The object that the next pickle in an open file describes; the file is left just behind it.

    builders: {"module.name": function} for the names that may be called, None for those that may only be
    mentioned; persistent: what gives an object for a persistent identifier. Raises UserError, and runs
    nothing, when the pickle is damaged or asks for more.
    """
    file = Careful(file)
    try:
        _check(file, path)
        return _Reader(file, path, {} if builders is None else builders, persistent).load()
    except UserError:
        raise
    except Exception as error:  # damaged bytes make everything fail in every way
        said = f"{type(error).__name__}: {shown(str(error))}"
        raise UserError(f"cannot read {path}: its pickle is damaged or cut off ({said}).") from error


def read(file, path, builders, persistent=None):
    """What `load` gives, with all of NumPy's arrays in it finished."""
    value = load(file, path, builders, persistent)
    try:
        return finished(value)
    except (ValueError, TypeError, RecursionError, AttributeError, LookupError) as error:
        raise UserError(f"cannot read {path}: an array in it is damaged ({shown(str(error))}).") from error


class _Reader(pickle.Unpickler):
    def __init__(self, file, path, builders, persistent):
        super().__init__(file, encoding="latin-1")  # Python 2 wrote bytes as text
        self.path, self.builders, self.persistent, self.names = path, builders, persistent, {}

    def find_class(self, module, name):
        text = f"{_PYTHON_2.get(module, module)}.{name}"
        if text not in self.names:
            self.names[text] = self._name(text)
        return self.names[text]

    def _name(self, text):
        if text in self.builders:
            return Name(text, self.builders[text])
        if not _HARMLESS.fullmatch(text) and text.partition(".")[0] in _ROOTS:
            raise Refused(f"{self.path} asks for {shown(text)}, which no file of weights needs: refused, nothing of it "
                          "was run.")
        return type("Inert", (Inert,), {})

    def persistent_load(self, identifier):
        if self.persistent is None:
            raise Refused(f"{self.path} refers to objects outside itself, which a file of this kind cannot have: refused.")
        return self.persistent(identifier)


def shown(text):
    """A file's own text, fit to stand in a sentence."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:120])


def _check(file, path):
    """Walk over the next pickle without following it, and go back to where it began.

    Refused are: too many instructions; numbers in the memo that no pickle has (memory is taken for all
    below); the registry of extensions, which `find_class` is not asked for; tuples that hold a tuple twice,
    that holds a tuple twice ..., which take for ever as a dictionary's key. Raises Refused, or anything when
    the bytes are no pickle.
    """
    start, stack, memo, total = file.tell(), [], {}, 0
    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        name = opcode.name
        if count > MOST_INSTRUCTIONS or total > MOST_PARTS:
            raise Refused(f"{path} has millions of instructions, files of weights have thousands: refused.")
        if name.startswith("EXT") or name == "INST":
            raise Refused(f"{path} holds the pickle instruction {name}, which no file of weights needs: refused, "
                          "nothing of it was run.")
        if name == "MEMOIZE" or name.endswith("PUT"):
            index = len(memo) if name == "MEMOIZE" else argument
            if index > count:
                raise ValueError(f"the object {index} before there are so many")
            memo[index] = stack[-1]
        elif name.endswith("GET"):
            stack.append(memo[argument])
        elif name in ("MARK", "DUP"):
            stack.append(None if name == "MARK" else stack[-1])
        elif name == "POP":
            stack.pop()
        else:
            size = sum(_taken(stack, opcode.stack_before))
            total += size
            stack += [1 + size if "TUPLE" in name else 1] * len(opcode.stack_after)
    file.seek(start)


def _taken(stack, before):
    """Take from the stack what an instruction takes: the parts that each is made of. None is a mark."""
    parts, fixed = [], len(before)
    if pickletools.markobject in before:
        fixed = before.index(pickletools.markobject)
        while (size := stack.pop()) is not None:
            parts.append(size)
    return parts + [stack.pop() for _ in range(fixed)]


# ------------------------------------------------------------------------------------------------ NumPy's arrays


class LaterType:
    """numpy.dtype, whose byte order follows with BUILD."""

    def __init__(self, text, *_):
        self.text, self.order = text, "="

    def __setstate__(self, state):
        self.order = state[1]

    def dtype(self):
        """np.dtype of plain numbers, or of objects. Raises ValueError for another."""
        text = self.text.decode("latin-1") if isinstance(self.text, bytes) else self.text
        if not isinstance(text, str) or not re.fullmatch(r"[<>|=]?([fiub]\d{1,2}|O8?|\?)", text):
            raise ValueError("an array of other things than numbers")
        kind = np.dtype(text)
        return kind.newbyteorder(self.order) if self.order in ("<", ">") else kind


class LaterArray:
    """numpy.ndarray: (version, shape, type, whether columns come first, bytes or list) follows with BUILD."""

    def __init__(self, *_):
        self.state = None

    def __setstate__(self, state):
        self.state = state

    def array(self):
        """The array, on bytes that are there: a huge shape cannot ask for memory. Raises ValueError, TypeError."""
        _, shape, kind, fortran, content = self.state
        kind = kind.dtype()
        if kind.hasobject:
            return _objects(content).reshape(shape)
        content = content.encode("latin-1") if isinstance(content, str) else content
        return np.frombuffer(content, kind).reshape(shape, order="F" if fortran else "C")


def _objects(items):
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):  # NumPy itself would look into lists
        array[index] = item
    return array


def _frombuffer(content, kind, shape, order):
    later = LaterArray()
    later.state = 1, shape, kind, order == "F", content
    return later


def _encode(text, encoding):
    """Bytes that a pickle of protocol 2 holds as text; arrays take long text as it is."""
    if encoding not in ("latin1", "latin-1"):
        raise ValueError("bytes in another encoding than Latin-1")
    return text.encode("latin-1") if len(text) <= 64 else text


def _scalar(kind, content):
    later = _frombuffer(content, kind, (), "C")
    try:
        return later.array()[()]
    except (ValueError, TypeError, AttributeError):  # such as a text or a date
        return later


def finished(value, seen=None):
    """The array that a LaterArray has become; other values as they are, in containers too.

    seen: what became of each container so far. Without it one list that holds another twice, which holds another twice ...
    would never end; a list that holds itself raises RecursionError.
    """
    seen = {} if seen is None else seen
    if not isinstance(value, (LaterArray, dict, list, tuple)):
        return value
    if id(value) not in seen:
        if isinstance(value, LaterArray):
            array = value.array()
            items = [finished(item, seen) for item in array.flat] if array.dtype.hasobject else None
            seen[id(value)] = array if items is None else _objects(items).reshape(array.shape)
        else:
            items = [finished(item, seen) for item in (value.values() if isinstance(value, dict) else value)]
            seen[id(value)] = dict(zip(value, items)) if isinstance(value, dict) else type(value)(items)
    return seen[id(value)]


NUMPY = {"numpy.ndarray": None, "numpy.dtype": LaterType, "_codecs.encode": _encode,
         "copyreg._reconstructor": lambda kind, *_: Inert()}
for _package in ("numpy.core", "numpy._core"):
    NUMPY |= {f"{_package}.multiarray._reconstruct": LaterArray, f"{_package}.multiarray.scalar": _scalar,
              f"{_package}.numeric._frombuffer": _frombuffer}
