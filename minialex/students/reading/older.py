"""What newer NumPy has dropped, and Python 3, as it was: older hand-ins run, and are told what to
write instead."""
import builtins
import functools
import io
import itertools
import pickle
import queue
import re
import string
import sys

import numpy as np

from ..dialects import DROPPED

PYTHONS = {name: name for name in ("int", "float", "bool", "object", "str", "complex")}
OTHERS = {"asscalar": ("x.item()", lambda x: x.item()),
          "msort": ("sort(x, axis=0)", lambda x: np.sort(x, axis=0))}
GONE = {**{old: (new, getattr(builtins, new)) for old, new in {**PYTHONS, "long": "int"}.items()},
        **{old: (f"np.{new}", getattr(np, new)) for old, new in DROPPED.items()
           if hasattr(np, new)}, **OTHERS}
USED: dict[str, str] = {}  # {what was met: what is said of it}
OLD: set[str] = set()  # names of files of Python 2
WHOLE = (int, np.integer)
MODULES = {"cPickle": pickle, "StringIO": io, "Queue": queue, "__builtin__": builtins}
INSIDE = {itertools: {"izip": zip, "imap": map, "ifilter": filter,
                      "izip_longest": itertools.zip_longest},
          string: {"letters": string.ascii_letters, "lowercase": string.ascii_lowercase,
                   "uppercase": string.ascii_uppercase}, sys: {"maxint": sys.maxsize}}


def _listing(function):
    return functools.wraps(function)(lambda *arguments: list(function(*arguments)))


# what Python 2 calls so
NAMES = {**{function.__name__: _listing(function) for function in (range, map, zip, filter)},
         "xrange": range, "raw_input": input, "unicode": str, "basestring": str, "unichr": chr,
         "long": int, "reduce": functools.reduce, "cmp": lambda a, b: (a > b) - (a < b)}


def understand() -> None:
    """From now on, in this process."""
    builtins.xrange = range  # type: ignore[attr-defined]
    for module, name in ((np, "np"), (np.lib, "np.lib")):
        module.__getattr__ = _looking(name, module.__getattr__)  # type: ignore[method-assign]
    np.reshape = _with_newshape(np.reshape)  # type: ignore[assignment]
    sys.modules.update({name: module for name, module in MODULES.items()
                        if name not in sys.modules})
    for module, names in INSIDE.items():
        vars(module).update(names)


def _with_newshape(reshape):
    """np.reshape, whose shape was once called newshape."""
    @functools.wraps(reshape)
    def reshaped(*arguments, **keywords):
        if "newshape" in keywords:
            USED["newshape"] = "newshape= is gone from newer NumPy: shape="
            keywords["shape"] = keywords.pop("newshape")
        return reshape(*arguments, **keywords)
    return reshaped


def _looking(module, otherwise):
    def __getattr__(name):
        if name not in GONE:
            return otherwise(name)
        now, value = GONE[name]
        USED[name] = f"{module}.{name} is gone from newer NumPy: {now}"
        return value
    return __getattr__


class Division:
    """What / does with two whole numbers. mode: "" as in Python 3; "floor" as in Python 2;
    "whole" as in Python 3, but what has no fraction is a whole number. could: whether "whole" would
    be something else than ""; dropped: whether "floor" has dropped a fraction."""

    mode, could, dropped = "", False, False

    @classmethod
    def of(cls, a: object, b: object) -> object:
        """a / b"""
        if not (isinstance(a, WHOLE) and isinstance(b, WHOLE)) or bool in (type(a), type(b)) or (
                b == 0):
            return a / b
        is_whole = a % b == 0
        cls.could |= is_whole
        cls.dropped |= cls.mode == "floor" and not is_whole
        return a // b if cls.mode == "floor" or cls.mode and is_whole else a / b


# what is said of a float in the place of a whole number
OF_FLOATS = re.compile(r"integer|non-int|integral|for <<")


def begin(path: object) -> dict:
    """With another check of this file, which needs the names that are returned."""
    is_old = str(path) in OLD
    USED.clear()
    USED.update({"Python 2": "read as Python 2"} if is_old else {})
    Division.mode, Division.could, Division.dropped = "floor" if is_old else "", False, False
    return NAMES if is_old else {}


def divides_otherwise(failed: bool, error: object) -> bool:
    """Is another division worth a try: was a float met where a whole number is due, or did Python
    2's drop a fraction? It is taken from now on. failed: not right; error: what was
    raised."""
    floats = not Division.mode and Division.could and OF_FLOATS.search(str(error))
    if not floats and not (failed and Division.dropped):
        return False
    USED["/"] = ("/ of whole numbers gives a float in Python 3: write //" if floats else
                 "with the / of Python 3: that of Python 2 drops the fraction of whole numbers")
    Division.mode, Division.dropped = "whole", False
    return True


def told() -> str:
    """What was met since the beginning of this check; "" where nothing was."""
    return "".join(f" ({sentence})" for sentence in USED.values())
