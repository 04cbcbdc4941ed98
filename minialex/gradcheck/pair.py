"""A student's two plain NumPy functions as something that can be checked.

    out, cache = forward(x, w, b, …)      dx, dw, db = backward(dout, cache)         the form of most courses
    y = forward(x, …)                     dx = backward(dy, x)                       the simple form
    loss = forward(scores, labels)        dscores = backward(scores, labels)         a loss needs no dout
    loss, dscores = forward(scores, labels)                                          one function does both: backward=None

Every run gets fresh copies of all inputs, and the random numbers start again, so that nothing that a run writes, or
draws, reaches the next one.
"""
import copy
from contextlib import contextmanager

import numpy as np

from . import binding, rounding
from .gradients import GradientsDiffer, sorted_out
from .subject import frozen


class Slot:
    """One input that is moved: an array in float64."""

    def __init__(self, array):
        self.data = np.array(array, dtype=np.float64)
        self.shape, self.size = self.data.shape, self.data.size


class Pair:
    """forward and backward with their inputs: what check.py asks of a subject.

    names, tensors, originals: of the inputs that are checked. options: {name: value} of those that are not.
    """

    outside_engine = True  # its numbers may be rounded anywhere
    caller = "check_backward"  # for error messages

    def __init__(self, forward, backward, values, keywords, restart):
        self.forward, self.backward, self.restart = forward, backward, restart
        self.title = binding.title(forward)
        self.all_names, self.keywords = list(values), keywords
        self.checked = [name for name, value in values.items() if binding.is_checked(value)]
        self.options = {name: value for name, value in values.items() if name not in self.checked}
        self.names = self.checked
        self.tensors = [Slot(values[name]) for name in self.checked]
        self.originals = [tensor.data.copy() for tensor in self.tensors]
        self.writes_into_dout, self.rounding = False, 0.0
        self.overrides = {}  # options that a hypothesis tries with another value

    # running

    def run_forward(self):
        """(output, rest, inputs): the output as the student's code made it, what else it returned, and the copies that it
        was given, by name."""
        self.restart()
        inputs = self.values()
        arguments = ([], inputs) if self.keywords else (list(inputs.values()), {})
        result = self.forward(*arguments[0], **arguments[1])
        output, rest = binding.split(self.title, result)
        return output, rest, inputs

    def values(self):
        """Fresh copies of all inputs, by name."""
        moved = dict(zip(self.checked, self.tensors))
        return {name: moved[name].data.copy(order="K") if name in moved
                else copy.deepcopy(self.overrides.get(name, self.options.get(name))) for name in self.all_names}

    def output(self):
        """The output at the present values, a new array."""
        return binding.as_numbers(f"{self.title} returned", self.run_forward()[0])

    def kept(self):
        """{name: float array} of what forward kept for backward, at the present values."""
        return dict(binding.arrays_in(self.run_forward()[1]))

    def go_back(self):
        for tensor, original in zip(self.tensors, self.originals):
            tensor.data[...] = original

    def draws_in_backward(self, cotangent, which):
        """Does the gradient of input number `which` change with the state of np.random when backward begins?"""
        one, other = (self.gradients(cotangent, seed)[which] for seed in (1, 2))
        return one is not None and not np.array_equal(one, other, equal_nan=True)

    def rounding_of(self, cotangent, gradients, generator):
        """How finely each gradient is computed, in absolute numbers."""
        return rounding.of_backward(self, cotangent, gradients, generator) if self.takes_dout() else [0.0] * len(self.tensors)

    def changes_between_calls(self, cotangent, gradients):
        """For each input: does a second call give another gradient? Rounding may differ a little from run to run."""
        again = self.gradients(cotangent)
        return [a is not None and b is not None and (a.shape != b.shape or not np.allclose(a, b, 1e-9, 1e-12, equal_nan=True))
                for a, b in zip(gradients, again)]

    def changed(self):
        """The names of the inputs into which one run of forward wrote."""
        _, _, inputs = self.run_forward()
        return [name for name, before in self.values().items() if not _same(before, inputs[name])]

    def gradients(self, cotangent, seed=None):
        """[dL/dinput or None, …] with L = Σ cotangent · output. Raises GradientsDiffer when their number is wrong.
        seed: of np.random when backward begins; without it, the numbers go on after those of forward."""
        output, rest, inputs = self.run_forward()
        if seed is not None:
            np.random.seed(seed)
        if self.backward is None:
            returned = rest[0] if len(rest) == 1 else rest
        else:
            dout = float(cotangent) if np.ndim(output) == 0 else np.array(cotangent)
            arguments, keywords = binding.arguments(self, output, rest, inputs, dout)
            returned = self.backward(*arguments, **keywords)
            self.writes_into_dout |= np.ndim(dout) > 0 and not np.array_equal(dout, cotangent)
        return sorted_out(self, returned)

    # what is known about it

    def cotangent(self, output, generator):
        """A random dout. A loss whose backward asks for none, or makes nothing of it, has 1."""
        drawn = np.asarray(generator.standard_normal(output.shape))
        takes = self.takes_dout()
        if not takes and output.size > 1:
            raise TypeError(f"check_backward: {binding.title(self.backward or self.forward)} takes no dout, but {self.title} "
                            f"returns shape {output.shape}. Only the gradient of a loss, one number, can do without.")
        alone = not takes or output.size == 1 and self.ignores_dout(drawn)
        return np.ones(output.shape) if alone else drawn

    def takes_dout(self):
        output, rest, _ = self.run_forward()
        return self.backward is not None and binding.takes_dout(self, output, rest)

    def ignores_dout(self, cotangent):
        one, other = self.gradients(cotangent), self.gradients(2 * cotangent)
        return all(a is not None and b is not None and a.any() and np.array_equal(a, b) for a, b in zip(one, other))


def _same(before, after):
    if isinstance(before, np.ndarray):
        return before.shape == np.shape(after) and np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
    return True


@contextmanager
def prepared_pair(forward, backward, inputs, names=None):
    """A Pair for the time of the block. Raises TypeError or ValueError, in a sentence, for what cannot be checked."""
    binding.check_callable(forward, backward)
    values, keywords = binding.named(forward, inputs, names)
    with frozen() as restart:
        pair = Pair(forward, backward, values, keywords, restart)
        if not pair.names:
            raise ValueError(f"check_backward: {pair.title} was given no array of floating-point numbers: there is nothing to "
                             f"differentiate. Got {', '.join(values) or 'no inputs'}.")
        for name, tensor in zip(pair.names, pair.tensors):
            binding.check_values(name, tensor.data)
        yield pair


__all__ = ["GradientsDiffer", "Pair", "prepared_pair"]
