"""Arrays that tell what is subtracted from them: of y − out, wherever it stands, the output and its
target are known; where there is none, of y · out, a margin."""
import sys

import numpy as np


class Record:
    """What was compared with the data. file: the student's; entries: {place in it: [(target,
    other)]}; is_fresh: are the weights still what they were? What is compared later does not
    count."""

    def __init__(self, file, is_fresh):
        self.file, self.is_fresh, self.entries, self.seen = file, is_fresh, {}, set()

    def taken(self, output, classes):
        """1 is taken off the output at these indices: a target that is 1 there. Raises IndexError
        for labels in a column, which would be taken off in each row, and for several of one
        example."""
        places = classes if isinstance(classes, tuple) else (classes,)
        if any(np.ndim(one) > 1 for one in places) or len(places) == np.ndim(output) == 1 < np.size(
                classes):
            raise IndexError("the classes are to be in a row, one of each example")
        target = np.zeros(np.shape(output))
        target[plain(classes)] = 1
        self.add(target, output, object())

    def add(self, target, other, key, is_margin=False):
        """One target beside what it was compared with, or multiplied by."""
        frame = sys._getframe(2)
        while frame is not None and frame.f_code.co_filename != self.file:
            frame = frame.f_back
        place = frame and (is_margin, frame.f_code.co_name, frame.f_lineno)
        if place and (place, key) not in self.seen and self.is_fresh():
            self.seen.add((place, key))
            same = np.shape(target) == np.shape(other) and np.equal(target, other)
            if np.any(same) and not np.all(same):  # target = output.copy(); target[action] = …
                target, other = (np.where(same, 0.0, one) for one in (target, other))
            self.entries.setdefault(place, []).append((np.array(target), np.array(other)))


def plain(value):
    """Without watching."""
    if isinstance(value, (tuple, list)) and any(isinstance(one, (Watched, Number))
                                                for one in value):
        return type(value)(map(plain, value))
    return (value.view(np.ndarray) if isinstance(value, Watched)
            else np.float64(value) if isinstance(value, Number) else value)


def _applied(self, ufunc, method, *inputs, **options):
    given = list(map(plain, inputs))
    if out := options.pop("out", ()):  # of a number, x -= 1 makes another one
        options.update({"out": tuple(map(plain, out))} if isinstance(out[0], np.ndarray) else {})
    if ufunc in (np.subtract, np.divide, np.multiply) and method == "__call__":
        for one, other in (given, given[::-1]):
            mine = inputs[0] if one is given[0] else inputs[1]
            if isinstance(mine, (Watched, Number)) and mine.record is not None:
                mine.record.add(one, other, mine.key(), ufunc is np.multiply)
    result = getattr(ufunc, method)(*given, **options)
    scaled = ufunc in (np.multiply, np.divide) and isinstance(
        inputs[0], Watched) and not isinstance(inputs[1], (Watched, Number)) and (
            np.ndim(inputs[1]) == 0)  # advantages / n
    if (ufunc is np.negative or scaled) and isinstance(self, Watched) and not out:
        result = watched(result, self.record)
    return result


class Number(np.lib.mixins.NDArrayOperatorsMixin, float):
    """One target. Not of NumPy's own numbers: of a kind made from those NumPy makes objects, and
    many of its functions end the interpreter."""

    def __new__(cls, value, record, place):
        made = super().__new__(cls, value)
        made.record, made.place = record, place
        return made

    def key(self):
        return self.place

    __array_ufunc__ = _applied

    __hash__ = float.__hash__

    def __getattr__(self, name):
        return getattr(np.float64(self), name)

    def __reduce__(self):
        return np.float64, (float(self),)


class Watched(np.ndarray):
    """Targets, and views of them; what is computed of them is watched no more."""

    record = None

    def __array_finalize__(self, whole):
        self.record = getattr(whole, "record", None)

    def key(self):
        return self.__array_interface__["data"][0], self.shape, self.strides

    __array_ufunc__ = _applied

    def __array_function__(self, function, types, arguments, options):
        result = function(*map(plain, arguments), **{key: plain(value)
                                                     for key, value in options.items()})
        if isinstance(result, np.ndarray) and np.may_share_memory(result, self):
            return watched(result, self.record)
        return result

    def __getitem__(self, key):
        found = super().__getitem__(plain(key))
        if self.dtype.kind == "f" and not isinstance(found, np.ndarray):
            return Number(found, self.record, (*self.key(), repr(key)))
        return found

    def __iter__(self):
        return (self[place] for place in range(len(self)))

    def __deepcopy__(self, memo):
        return np.array(self)

    def dot(self, other):
        """A product is no target."""
        return np.dot(plain(self), plain(other))

    @property
    def values(self):
        """What a table has."""
        return self

    iloc = loc = values

    def to_numpy(self):
        """The same."""
        return self


def watched(array: np.ndarray, record: Record) -> Watched:
    """The same array, watched."""
    made = np.asarray(array).view(Watched)
    made.record = record
    return made


def has_several_classes(target: np.ndarray) -> bool:
    """Is it of zeros and ones, with other than one 1 in some row and in some column?"""
    return (np.ndim(target) == 2 and min(np.shape(target)) > 1
            and set(np.unique(target)) == {0, 1}
            and all(set(target.sum(axis)) != {1} for axis in (0, 1)))
