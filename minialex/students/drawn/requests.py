"""What inputs are asked for, by the command line or by a search; and shapes in letters."""
import copy
from typing import NamedTuple

import numpy as np


class CannotDraw(Exception):
    """No inputs could be found for a function: the message says what to give."""


class Request:
    """What is asked for. shapes: {name: (2, 3, 7, 9)}; labels: {name: (shape, how many classes, or
    "hot" for one in a row)}; options: {name: value}; seed; constant: names of inputs that are not
    moved; in_order: gradients come in the order of the inputs, as a teacher has them. Of a
    dictionary or list, params.W1 and params.0 are names, too."""

    def __init__(self, shapes=None, labels=None, options=None, seed=0, constant=(),
                 in_order=False):
        self.shapes, self.labels, self.options, self.seed = (shapes or {}, labels or {},
                                                             options or {}, seed)
        self.constant, self.in_order = constant, in_order
        self.is_tried = False  # by a search
        self.depths = {}  # {class: of how many layers a stack was made for it}

    def named(self):
        """The arguments that are asked for."""
        return {name.partition(".")[0] for name in (*self.shapes, *self.labels, *self.options)}

    def value(self, name):
        """What is asked for under this name, drawn."""
        if name in self.options and not self.parts(name):
            return copy.deepcopy(self.options[name])
        generator = np.random.default_rng([self.seed, *name.encode()])
        if name in self.labels:
            shape, classes = self.labels[name]
            if classes == "hot":
                return np.eye(shape[-1], dtype=int)[generator.integers(0, shape[-1], shape[:-1])]
            return generator.integers(0, classes, shape)
        if name in self.shapes:
            return generator.standard_normal(tuple(self.shapes[name]))
        return self.parts(name)

    def parts(self, name):
        """{key: value} of name.key, or a list of those that are called 0, 1, …"""
        found = {one.partition(".")[2]: self.value(one)
                 for one in (*self.shapes, *self.labels, *self.options)
                 if one.startswith(f"{name}.")}
        return [found[key] for key in sorted(found, key=int)] if found and all(
            key.isdecimal() for key in found) else found


class Layout(NamedTuple):
    """shapes: {role: letters}; sizes: {letter: number}, and those of windows; turn: which
    alternative of an option; also: whether options with a default are drawn, too; several: whether
    the input is a list of arrays; helper: which of the student's own classes is given where a
    constructor wants an object; replayed: whether data that are not here are what the file's
    own lines make of others."""

    shapes: dict
    sizes: dict
    turn: int = 0
    also: bool = False
    several: bool = False
    helper: int = 0
    replayed: bool = False

    def numbers(self, letters):
        return tuple(self.sizes[letter] for letter in letters)
