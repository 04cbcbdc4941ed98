"""A student's own code, forward and backward, as something that can be checked.

    out, cache = forward(x, w, b, …)    dx, dw, db = backward(dout, cache)    most courses' form
    y = forward(x, …)                   dx = backward(dy, x)                  the simple form
    loss = forward(scores, labels)      dscores = backward(scores, labels)    a loss needs no dout
    loss, dscores = forward(scores, labels)      one function does both: backward=None

These are Functions. Other forms (classes, networks, scalar engines) come with objects of the same
three methods. Every run gets fresh copies of all inputs, and the random numbers start again, so
that nothing that a run writes, or draws, reaches the next one.
"""
import copy
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

import numpy as np

from ...gradcheck.asked import check_values
from ...gradcheck.probing import Direction, Place, sides
from ...gradcheck.tensor_function import Checked, frozen
from ..dialects import PARAMETERS
from ..names import is_rate, name_words, plain, role, stems_of_gradient
from . import binding, small
from .gradients import Named, sorted_out, told_apart

COARSE = 1e-3  # a step with which float32 sees whose gradient it is, too


class Run(NamedTuple):
    """One call of forward. outputs: as the student's code made them; rest: what else it returned,
    or kept; inputs: the copies that it was given, by name; state: whatever backward needs besides;
    kept: {name: array} of what an object holds then."""

    outputs: list
    rest: list
    inputs: dict
    state: object = None
    kept: dict = {}


class Functions:
    """Two functions, or one that returns the gradient, too. The protocol of all forms: title, run,
    backward, takes_dout, file."""

    def __init__(self, forward, backward, by_name=False):
        self.forward, self.function, self.by_name = forward, backward, by_name
        self.title = binding.title(forward)
        douts = binding.names_of_dout(forward, backward)
        self.several = max(1, len(douts))  # outputs
        self.place = binding.place_of_output(forward, backward)  # of the one, if it is one
        self.wanted = None if douts else _named_after(backward, forward)
        self.steps = any(is_rate(p.name) and p.default is p.empty
                         for p in binding.signature(backward)) if backward else False

    def run(self, values: dict) -> Run:
        """A Run of forward with these values."""
        result = self.forward(**values) if self.by_name else self.forward(*values.values())
        result = binding.output_first(result, self.place) if self.function else (
            binding.loss_first(result))
        run = Run(*binding.split(self.title, result, self.several), values)
        output, *others = run.outputs
        if not others and isinstance(output, np.ndarray) and output.ndim and output.size == 1:
            number = run._replace(outputs=[output.reshape(())])
            return run if self.takes_dout(number) else number  # a loss that keeps its axes
        return run

    def backward(self, run: Run, douts: list[np.ndarray]) -> object:
        """What backward returns."""
        if self.function is None:
            return run.rest[0] if len(run.rest) == 1 else run.rest
        arguments, keywords = binding.arguments(self.forward, self.function, run.outputs, run.rest,
                                                run.inputs, douts)
        # what it steps is a copy: an update is no slip
        given = {name: _as_list(copy.deepcopy(value)) for name, value in run.inputs.items()
                 if self.steps and any(one is value for one in arguments)}
        arguments = [next((given[name] for name, value in run.inputs.items()
                           if name in given and one is value), one) for one in arguments]
        returned = self.function(*arguments, **keywords)
        if taken := _taken({name: run.inputs[name] for name in given}, given, returned):
            return Named(taken)
        if not np.ndim(run.outputs[0]):
            returned = binding.without_residual(self.function, returned)
        is_one = self.wanted and not isinstance(returned, (tuple, list, dict))
        return {self.wanted: returned} if is_one else returned

    def backward_of(self, run: Run) -> Callable | None:
        """The function itself."""
        return self.function

    def file(self) -> str:
        """Where the code is written."""
        return getattr(getattr(self.forward, "__code__", None), "co_filename", "")

    def takes_dout(self, run: Run) -> bool:
        """Has backward a place for dout?"""
        return self.function is not None and binding.takes_dout(self.forward, self.function,
                                                                run.outputs, run.rest)


def _named_after(backward, forward):
    """The argument that gradient_c(m, c, x, y) and dJ_dc(…) are the gradient of, if there are
    several and it is one of them: its own name says so."""
    words = name_words(binding.title(backward)) if backward else []
    said = {stem for word in words for stem in (word, *stems_of_gradient(word))}
    names = binding.arguments_of(forward)
    found = [name for name in names if plain(name) in said and role(name) != "labels"]
    return found[0] if len(found) == 1 < len(names) else None


def _as_list(value):
    """params[0] -= … wants a list, whatever it was given."""
    return list(value) if isinstance(value, tuple) and any(
        isinstance(one, np.ndarray) for one in value) else value


def _taken(before, now, returned):
    """{name: what was taken off it, at a rate of 1} of the inputs that backward changes in place
    and hands back, or nothing."""
    old, new = leaves(before), leaves(now)
    changed = {name: one - new[name][1] for name, (_, one) in old.items()
               if isinstance(one, np.ndarray) and np.shape(one) == np.shape(new[name][1])
               and np.any(one != new[name][1])}
    handed = returned is None or any(returned is one for one in now.values())
    return changed if handed else {}


class Slot:
    """One input that is moved: an array in float64."""

    def __init__(self, array):
        self.data = np.array(array, dtype=np.float64)
        self.shape, self.size = self.data.shape, self.data.size


class NumpyCode(Checked):
    """Code with its inputs: what check.py asks of a subject.

    names, tensors, originals: of the inputs that are checked. options: {name: value} of those that
    are not. absent: {name: why} of those that no gradient is due for.
    """

    outside_engine = True  # its numbers may be rounded anywhere
    caller = "check_backward"  # for error messages

    def __init__(self, code, values, constant, restart):
        self.code, self.restart, self.title = code, restart, code.title
        self.given, self.places = values, leaves(values)
        self.all_names = list(self.places)
        self.slots = {name: Slot(value) for name, (_, value) in self.places.items()
                      if binding.is_checked(value) and name not in constant}
        self.shapes = {name: slot.shape for name, slot in self.slots.items()}
        self.options = {name: value for name, value in values.items() if name not in self.slots}
        self.owners = {}  # {shape: whose the gradients of that shape are}
        self._move(self.slots)

    def _move(self, names):
        self.names = [name for name in self.slots if name in names]
        self.tensors = [self.slots[name] for name in self.names]
        self.originals = [slot.data.copy() for slot in self.tensors]
        self.absent = {name: slot for name, slot in self.slots.items() if name not in names}

    def settle(self, cotangent: np.ndarray) -> None:
        """Move no longer what backward gives no gradient for."""
        self._move(self.found(cotangent))
        self.options.update((name, slot.data) for name, slot in self.absent.items())

    # running

    def run(self) -> Run:
        """A Run at the present values."""
        self.restart()
        return self.code.run(self.values())

    def values(self) -> dict:
        """Fresh copies of all inputs, by name."""
        values = {name: copy.deepcopy(self.overrides.get(name, value))
                  for name, value in self.given.items()}
        for name, slot in self.slots.items():
            values = _with(values, self.places[name][0], slot.data.copy(order="K"))
        return values

    def output(self) -> np.ndarray:
        """The output at the present values, a new array."""
        outputs = self.run().outputs
        if len(outputs) > 1:
            self.parts = np.repeat(range(len(outputs)), [np.size(output) for output in outputs])
        return binding.join(f"{self.title} returned", outputs)

    def matters(self, name: str) -> bool:
        """Does the output change with this input? If not, no gradient is due."""
        if name not in self.slots:
            return False
        slot = self.slots[name]
        before, original = self.output(), slot.data.copy()
        slot.data += 1 + abs(original)
        changed = not np.array_equal(self.output(), before)
        slot.data[...] = original
        return changed

    def kept(self) -> dict[str, np.ndarray]:
        """{name: float array} of what forward kept for backward, at the present values."""
        run = self.run()
        return dict(binding.arrays_in([*run.rest, run.kept]))

    def foresee(self, moves: list) -> None:
        """Told which runs will follow, [(probe, step), …]: code in another process is asked for all
        of them at once."""
        ask_ahead = getattr(self.code, "ask_ahead", None)
        if ask_ahead is None or len(moves) == 1 and self.code.known:
            return
        wanted = []
        for probe, step in moves:
            for distance in (step, -step):
                probe.move(distance)
                wanted.append(self.values())
            probe.move(0.0)
        ask_ahead(wanted)

    def draws_in_backward(self, cotangent: np.ndarray, which: int) -> bool:
        """Does the gradient of input number `which` change with the state of np.random when
        backward begins?"""
        one, other = (self.gradients(cotangent, seed)[which] for seed in (1, 2))
        return one is not None and not np.array_equal(one, other, equal_nan=True)

    def changes_between_calls(self, cotangent: np.ndarray, gradients: list) -> list[bool]:
        """For each input: does a second call give another gradient? Rounding may differ a little
        from run to run."""
        again = self.gradients(cotangent)
        return [a is not None and b is not None
                and (a.shape != b.shape or not np.allclose(a, b, 1e-9, 1e-12, equal_nan=True))
                for a, b in zip(gradients, again)]

    def changed(self) -> list[str]:
        """The names of the inputs into which one run of forward wrote."""
        return self._written(self.run().inputs)

    def _written(self, inputs):
        now = {name: value for name, (_, value) in leaves(inputs).items()}
        return [name for name, (_, before) in leaves(self.values()).items()
                if isinstance(before, np.ndarray)
                and not np.array_equal(before, now.get(name), before.dtype.kind == "f")]

    def gradients(self, cotangent: np.ndarray, seed: int | None = None) -> list:
        """[dL/dinput or None, …] with L = Σ cotangent · output. Raises GradientsDiffer when their
        number is wrong. seed: of np.random when backward begins; without it, the numbers go on
        after those of forward."""
        found = self.found(cotangent, seed)
        return [found.get(name) for name in self.names]

    def found(self, cotangent: np.ndarray, seed: int | None = None) -> dict:
        """{name: gradient or None} of all inputs that backward gives one for."""
        run = self.run()
        written = self._written(run.inputs)
        if seed is not None:
            np.random.seed(seed)
        douts = binding.cut(run.outputs, np.asarray(cotangent))
        before = copy.deepcopy(douts)
        returned = self.code.backward(run, douts)
        self.writes_into_dout |= not all(np.array_equal(a, b) for a, b in zip(douts, before))
        self.writes_into |= {name for name in self._written(run.inputs) if name not in written}
        is_loss = len(run.outputs) == 1 and np.ndim(run.outputs[0]) == 0
        found = sorted_out(self, returned, is_loss)
        return told_apart(self, found,
                          float(cotangent)) if is_loss and type(returned) is not dict else found

    def agrees(self, name: str, gradient: np.ndarray) -> bool:
        """Does a loss change along a random direction of this input as `gradient` says?"""
        place = Place(self, [slot.data.copy() for slot in self.tensors])
        probe = Direction(place, self.names.index(name),
                          np.random.default_rng(0).standard_normal(gradient.shape))
        plus, minus = sides(place, probe, COARSE * probe.unit)
        numeric = float(plus - minus) / (2 * COARSE * probe.unit)
        return bool(np.isclose(numeric, probe.analytic(gradient)[0], rtol=1e-2, atol=1e-9))

    # what is known about it

    def data(self) -> tuple:
        """(name, array) of the first input with two axes or more, no weight where there is another:
        the examples. (None, None) where there is none."""
        found = [(name, np.asarray(value)) for name, (path, value) in self.places.items()
                 if np.ndim(value) > 1 and not (len(path) > 1 and plain(path[0]) in PARAMETERS)]
        return next(iter(found), None) or next((
            (name, np.asarray(value)) for name, (_, value) in self.places.items()
            if np.ndim(value) > 1), (None, None))

    def epsilon(self) -> float:
        """The largest small number that is written in the student's file, or among the options; 0.0
        if there is none."""
        numbers = [*small.numbers(self.code.file()), *self.options.values()]
        return max((number for number in numbers if isinstance(number, float)
                    and 0 < number <= small.SMALL), default=0.0)

    def cotangent(self, output: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """A random dout. A loss whose backward asks for none, or makes nothing of it, has 1."""
        drawn = np.asarray(generator.standard_normal(output.shape))
        takes = self.takes_dout()
        if not takes and output.size > 1:
            raise TypeError(f"check_backward: the backward of {self.title} takes no dout, "
                            f"but forward returns shape {output.shape}. Only that of a loss, one "
                            "number, can do without, or be None where forward does its work.")
        alone = not takes or output.size == 1 and self.ignores_dout(drawn)
        return np.ones(output.shape) if alone else drawn

    def takes_dout(self) -> bool:
        return self.code.takes_dout(self.run())

    def ignores_dout(self, cotangent: np.ndarray) -> bool:
        one, other = self.gradients(cotangent), self.gradients(2 * cotangent)
        return all(a is not None and b is not None and a.any() and np.array_equal(a, b)
                   for a, b in zip(one, other))


def leaves(values: dict | list | tuple, path: tuple = ()) -> dict[str, tuple]:
    """{name: (path, value)} of every input, and of every array within a dictionary or list of
    arrays."""
    found = {}
    for key, value in _items(values):
        if any(isinstance(one, np.ndarray) for _, one in _items(value)):
            found.update(leaves(value, (*path, key)))
        else:
            found[key if isinstance(key, str) else f"{path[-1]}[{key}]"] = (*path, key), value
    return found


def _items(values):
    """(key, value) of a dictionary, a list or a tuple; none of anything else."""
    return (values.items() if isinstance(values, dict) else enumerate(values)
            if isinstance(values, (list, tuple)) else ())


def _with(values, path, value):
    """The same dictionary, list or tuple with another value at a path."""
    if not path:
        return value
    key, *rest = path
    value = _with(values[key], rest, value)
    if isinstance(values, tuple):
        return (*values[:key], value, *values[key + 1:])
    values[key] = value
    return values


@contextmanager
def prepared_code(code: Functions, values: dict,
                  constant: Collection[str] = ()) -> Iterator[NumpyCode]:
    """A NumpyCode for the time of the block. Raises TypeError or ValueError, in a sentence, for
    what cannot be checked."""
    with frozen() as restart:
        pair = NumpyCode(code, values, constant, restart)
        if not pair.names:
            raise ValueError(f"check_backward: {pair.title} was given no array of floating-point "
                             "numbers: there is nothing to differentiate. "
                             f"Got {', '.join(values) or 'no inputs'}.")
        for name, tensor in zip(pair.names, pair.tensors):
            check_values("check_backward", name, tensor.data)
        yield pair


def prepared_pair(forward: Callable, backward: Callable | None, inputs: object,
                  names: list[str] | None = None) -> AbstractContextManager[NumpyCode]:
    """The same for two functions and their inputs."""
    for name, function in (("forward", forward), ("backward", backward)):
        if not callable(function) and not (function is None and name == "backward"):
            raise TypeError(f"check_backward: {name} must be a function, "
                            f"got {type(function).__name__}.")
    values, by_name = binding.named(forward, inputs, names)
    return prepared_code(Functions(forward, backward, by_name), values)
