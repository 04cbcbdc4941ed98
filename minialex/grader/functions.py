"""Functions and derivatives in the ways in which classes mean them: f' of x or of the output, a
context as first argument.
"""
import functools
import inspect
from typing import NamedTuple

import numpy as np

from ..gradcheck import binding
from ..gradcheck.gradients import GradientsDiffer, Named
from ..gradcheck.numpy_code import Functions
from .layers import NotChecked


class Reading(NamedTuple):
    """What was found, read in one way. words: how it is meant, where that is not as usual."""

    code: object
    values: dict
    words: str = ""


def functions(forward, backward, kind, by_name=True):
    """[(Functions, words)]: a derivative is read as f'(x), as f' of the output, or as a backward
    like any other."""
    forward, backward = with_context(forward, backward)
    code = Functions(forward, backward, by_name)
    plainly = [(code, "")]
    if kind != "derivative" and not asks_for_the_input(forward, backward):
        return plainly
    asked, given = required(backward), required(forward)
    takes_one = len(asked) <= 1 or len(asked) == len(given) > 1
    return as_slopes(code) + plainly if takes_one else plainly + as_slopes(code)


def asks_for_the_input(forward, backward):
    """Is backward's only argument called like forward's: backward(x)? It may be f'(x), or dout by
    another name."""
    asked = required(backward)
    return len(asked) == 1 and asked == required(forward)[:1]


def as_slopes(code):
    """Both readings of f'."""
    return [(Slope(code, False), "f' of x: dx = dout · f'(x)"),
            (Slope(code, True), "f' of the output: dx = dout · f'(y)")]


class Composed(Functions):
    """Two functions that are written here, around a student's. file: where his code is; "" where no
    small number counts."""

    def __init__(self, forward, backward, title, file=""):
        super().__init__(forward, backward, by_name=True)
        self.title, self.source = title, file

    def file(self):
        return self.source


class Slope:
    """A code whose backward gives f', of x or of the output: dx = dout · f'."""

    def __init__(self, code, of_output):
        self.code, self.of_output, self.title, self.file, self.run = (code, of_output, code.title,
                                                                      code.file, code.run)

    def backward(self, run, douts):
        """{the first input: dout · f'}"""
        function, (name, x) = self.code.backward_of(run), next(iter(run.inputs.items()))
        values = run.outputs if self.of_output else list(run.inputs.values())
        slope = function(*values[:max(1, len(required(function)))])
        return Named({name: chained(douts[0], slope, x, binding.title(function))})

    def takes_dout(self, run):
        """The chain rule's factor; one number has none."""
        if np.ndim(run.outputs[0]) == 0:
            raise NotChecked(f"{self.title} returns one number: its derivative is no f'(x)")
        return True


class OneEntry:
    """A code with the last entry of its output alone: dout has one entry that is not 0, as that of
    a cross entropy."""

    def __init__(self, code):
        self.code, self.title, self.file, self.takes_dout = code, code.title, code.file, bool

    def run(self, values):
        """A Run of forward; its state is that of the whole output."""
        inner = self.code.run(values)
        return inner._replace(outputs=[np.ravel(inner.outputs[0])[-1]], state=inner)

    def backward(self, run, douts):
        """The gradients for a dout of zeros but for one."""
        dout = np.zeros(np.shape(run.state.outputs[0]))
        dout.reshape(-1)[-1] = douts[0]
        return self.code.backward(run.state, [dout])


def chained(dout: np.ndarray, slope: np.ndarray, x: np.ndarray, name: str) -> np.ndarray:
    """dout · f'. f' has a value for each of f's, or a Jacobian, of each example or of all, as of a
    softmax; or a value for each of x's where f takes the maximum or the mean along an axis, or
    parts of x. Raises GradientsDiffer for any other shape."""
    slope, dout = np.asarray(slope), np.asarray(dout)
    if slope.shape == (*dout.shape, *dout.shape[-1:]):
        return np.einsum("...i,...ij->...j", dout, slope)
    if slope.shape in ((), dout.shape):  # the identity's is 1
        return dout * slope
    if slope.shape == (dout.size, dout.size):
        return (dout.reshape(-1) @ slope).reshape(dout.shape)
    if slope.shape == np.shape(x) and slope.ndim == dout.ndim and not any(map(np.mod, slope.shape,
                                                                              dout.shape)):
        # of a·σ(b), x = (a, b)
        return np.tile(dout, tuple(map(int.__floordiv__, slope.shape, dout.shape))) * slope
    for axis in range(np.ndim(x)) if slope.shape == np.shape(x) and np.ndim(
            x) == dout.ndim + 1 else ():
        if np.delete(slope.shape, axis).tolist() == list(dout.shape):
            return np.expand_dims(dout, axis) * slope
    raise GradientsDiffer(f"{name} returned shape {slope.shape} where f returns {dout.shape}: "
                          "f' has a value for each of f")


def required(function):
    """Names of the arguments without a default."""
    return [p.name for p in binding.signature(function) if p.default is p.empty
            and p.kind in binding.POSITIONAL]


CONTEXT = ("ctx", "context")


class Context:
    """What static methods get as `ctx`: it keeps whatever forward saves."""

    def __init__(self):
        self.needs_input_grad = (True,) * 9

    def save_for_backward(self, *values):
        """Keep them, by all the names that people look for."""
        self.saved_tensors = self.saved_values = self.saved_variables = values
        self.saved = self.saved_data = values


def with_context(forward, backward):
    """The two functions without their first argument `ctx`, which is made anew for each forward."""
    first, *others = [p.name for p in binding.signature(forward)] or [""]
    if backward is None or first not in CONTEXT and not (first == "self" and others):
        return forward, backward
    kept = []

    def without_first(function, begins):
        @functools.wraps(function)
        def called(*arguments, **keywords):
            kept[:] = [Context()] if begins else kept
            return function(*kept, *arguments, **keywords)
        called.__signature__ = inspect.Signature(binding.signature(function)[1:])
        return called
    return without_first(forward, True), without_first(backward, False)
