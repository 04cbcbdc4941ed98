"""What is called while code runs: what functions are given and give back, and what is changed
between two calls of one.
"""
import contextlib
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from . import objects
from .objects import at, put

KEPT = 24  # calls of each function that are looked at
LOOKED = 20_000_000  # numbers in all of them
FEW = 6  # calls of each function whose arguments are kept
LARGEST = 100_000  # numbers of an array that is looked at
MOST = 50_000  # calls
DEEP = 5
DATA = (np.ndarray, list, dict, float)


class Over(BaseException):
    """Enough was seen."""


class Call(NamedTuple):
    """One call of a function. space: what it was given, live; before: {path: numbers there}."""

    number: int
    space: dict
    before: dict


class Watch:
    """What is called in the block, of the files beside a module's. calls: {code: [Call]}. Of one
    `code`, calls `first` to `last` are one step: the first gets the values {path: array}, and
    before the next one `after` is {path: array}. seen: {name: what that was given, gave or kept, or
    what is around it}, of several calls in turn; told: {function: the numbers that it returned}."""

    def __init__(self, module, code=None, span=(0, 0), values=None):
        self.module, self.folder = module, module.__file__.rpartition("/")[0]
        self.code, (self.first, self.last), self.values = code, span, values or {}
        self.calls, self.counts, self.all, self.looked = {}, {}, 0, 0
        self.frame, self.turns, self.seen, self.told, self.after = None, [], {}, {}, None

    def __enter__(self):
        self.before = sys.getprofile()
        sys.setprofile(self._event)
        return self

    def __exit__(self, *_):
        sys.setprofile(self.before)
        names = [{*turn} for turn in self.turns]
        for name in set.intersection(*names) if names else ():
            found = [turn[name] for turn in self.turns]
            if len({one.shape for one in found}) == 1:
                self.seen[name] = np.stack(found) if found[1:] else found[0]

    def _event(self, frame, event, argument):
        code = frame.f_code
        if event not in ("call", "return") or code.co_name[0] == "<" or (
                code.co_filename.rpartition("/")[0] != self.folder):
            return
        if event == "return":
            self._returned(frame, argument)
            return
        self.all += 1
        if self.all > MOST:
            raise Over
        number = self.counts[code] = self.counts.get(code, -1) + 1
        if self.code is not None:
            self._called(frame, code, number)
        elif number < KEPT and self.looked < LOOKED:
            space = _space(frame)
            before = dict(_copied(space))
            self.looked += sum(one.size for one in before.values())
            self.calls.setdefault(code, []).append(Call(number, space, before))

    def _called(self, frame, code, number):
        if code is self.code and number == self.first:
            space = _space(frame)
            for path, value in self.values.items():
                _fill(space, path, value, frame.f_globals)
        elif code is self.code and number == self.last + 1:
            space = _space(frame)
            self._around(frame.f_back)
            self.after = {path: np.array(at(space, path), dtype=float) for path in self.values}
            raise Over
        if code is self.code and number >= self.first:
            self.frame, self.space, self.names = frame, _space(frame), {}
            self.turns.append({})
            self.start = dict(_copied(self.space))
        if self.turns:
            number = self.names[code] = self.names.get(code, -1) + 1
            if number < FEW:
                self._keep(frame.f_locals, f"{code.co_name} {number}" if number else code.co_name)

    def _returned(self, frame, result):
        if frame is self.frame:
            kept = dict(_copied(self.space))
            found = {path: one for path, one in kept.items() if path not in self.start
                     or not np.array_equal(one, self.start[path])}
            found.update((("returned", *path), one) for path, one in _copied({"": result}))
            self.turns[-1].update(found)
            self._around(frame), self._around(frame.f_back)
            self.frame = None
        elif self.turns and (isinstance(result, (float, np.floating)) or (
                isinstance(result, np.ndarray) and result.shape == ())):
            name = frame.f_code.co_name
            self.told[name] = self.told.get(name, 0.0) + float(result)

    def _around(self, frame):
        if frame is not None and frame.f_code.co_filename.rpartition("/")[0] == self.folder:
            self._keep({**getattr(frame.f_locals.get("self"), "__dict__", {}), **frame.f_locals})

    def _keep(self, inside, of=""):
        """What may be an output, or a target."""
        for name, value in inside.items():
            if (of, name) not in self.turns[-1] and isinstance(value, (
                    np.ndarray, list, int, float, np.generic)):
                with contextlib.suppress(ValueError):
                    array = np.array(value)
                    if array.dtype.kind in "biuf" and array.size < LARGEST:
                        self.turns[-1][of, name] = array


def _space(frame):
    """What a function knows where it begins: its arguments, and data at the top level."""
    data = {name: value for name, value in frame.f_globals.items() if name[:2] != "__" and (
        isinstance(value, DATA) or type(value).__module__ == frame.f_globals.get("__name__"))}
    return {**data, **frame.f_locals}


def _copied(space):
    return ((path, np.array(value, dtype=float)) for path, value in numbers(space))


def numbers(thing: object, path: tuple = (), seen: set | None = None,
            deep: int = 0) -> Iterator[tuple]:
    """(path, value) of every array, list of numbers and number with a fraction, each once."""
    seen = set() if seen is None else seen
    if isinstance(thing, float):
        yield path, thing
    elif isinstance(thing, objects.LEAVES) or id(thing) in seen or deep > DEEP:
        return
    elif isinstance(thing, np.ndarray):
        seen.add(id(thing))
        if thing.dtype.kind == "f" and 0 < thing.size < LARGEST:
            yield path, thing
    elif isinstance(thing, list) and _is_array(thing):
        seen.add(id(thing))
        yield path, thing
    else:
        seen.add(id(thing))
        inside = (thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(
            thing, (list, tuple)) else getattr(thing, "__dict__", {}).items())
        for key, value in list(inside):
            yield from numbers(value, (*path, key), seen, deep + 1)


def _is_array(thing):
    """Numbers, or rows of as many."""
    if thing and all(isinstance(one, list) for one in thing):
        return len({len(one) for one in thing}) == 1 and all(map(_is_array, thing))
    return 0 < len(thing) < LARGEST and any(isinstance(one, float) for one in thing) and all(
        isinstance(one, (int, float)) for one in thing)


def _fill(space, path, value, names):
    there = at(space, path)
    if isinstance(there, np.ndarray):
        there[...] = value
    elif isinstance(there, list):
        _fill_list(there, value.tolist())
    elif len(path) > 1:
        put(space, path, float(value))
    else:
        names[path[0]] = float(value)


def _fill_list(there, values):
    for place, value in enumerate(values):
        if isinstance(value, list):
            _fill_list(there[place], value)
        else:
            there[place] = value
