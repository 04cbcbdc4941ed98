"""A function of Tensors that is checked, its inputs and weights copied to float64, with the random
numbers standing still.

Everything that the caller handed over is put back at the end, whatever happens in between.
"""
import copy
import inspect
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np

from .. import tensor
from ..device import array_module, is_array
from ..nn import Module
from ..random import frozen_randomness
from ..tensor import Function, Tensor
from . import asked


class Checked:
    """What check.py asks of the code under test; here for code of which nothing is known but that
    it computes.

    names, tensors: what is moved. originals: their values as arrays, never changed.
    """

    outside_engine, caller = False, "gradcheck"  # the latter for error messages
    # what else the function was given, and what a mistake tries instead
    options, overrides = {}, {}
    unclear: list = []  # names of inputs that may not need the gradient that they did not get
    unasked: dict = {}  # {name: gradient} of what was given as one number
    writes_into_dout, writes_into, accepts_mean = False, frozenset(), False
    examples = 0  # how many there are in the first input, once somebody has asked
    cut_off = ""  # what is said of the first gradient that stops some steps back in time
    parts = None  # of several outputs in a row: the number of each entry's output
    affords = float("inf")  # forward passes to find out what is wrong
    rounding = 0.0

    def foresee(self, moves: list) -> None:
        """Told which runs will follow: of use to code in another process."""

    def kept(self) -> dict[str, np.ndarray]:
        """{name: array} of what forward keeps for backward: nothing that this file can see."""
        return {}

    def settle(self, cotangent: np.ndarray) -> None:
        """Every input has a gradient here."""

    def put(self, values: list[np.ndarray]) -> None:
        """Write these values into the tensors, in place."""
        for moved, value in zip(self.tensors, values):
            moved.data[...] = value

    def draws_in_backward(self, cotangent: np.ndarray, which: int) -> bool:
        """Does the gradient of input number `which` change with the state of np.random when
        backward begins?"""
        return False

    def takes_dout(self) -> bool:
        """Has a student's backward a place for dout?"""
        return False

    def changes_between_calls(self, cotangent: np.ndarray, gradients: list) -> list[bool]:
        """For each input: does a second call give another gradient?"""
        return [False] * len(self.tensors)

    def cotangent(self, output: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """A random one. Seeded with ones, a softmax whose gradient is all zeros would pass: its
        outputs always sum to 1."""
        return array_module(output).asarray(generator.standard_normal(output.shape))


class TensorFunction(Checked):
    """A function of Tensors that can be run again and again: `tensors` are moved, `output()` and
    `gradients()` follow.

    names, tensors: the inputs, then a module's parameters.
    """

    def __init__(self, title: str, call: Callable, names: list[str], inputs: list[Tensor],
                 parameters: dict, restart: Callable):
        self.title, self.call, self.restart, self.inputs = title, call, restart, inputs
        self.names, self.tensors = [*names, *parameters], [*inputs, *parameters.values()]

    def output(self) -> np.ndarray:
        """The output at the present values, a new array. Nothing is recorded."""
        with tensor.no_grad():
            return self._run().data.copy()

    def data(self) -> tuple:
        """(name, array) of the examples: the first input."""
        return (self.names[0], self.originals[0]) if self.inputs else (None, None)

    def changed(self) -> list[str]:
        """The names of the inputs into which one run wrote."""
        self.output()
        return [name for name, tensor, original in zip(self.names, self.tensors, self.originals)
                if not bool((tensor.data == original).all())]

    def gradients(self, cotangent: np.ndarray) -> list:
        """[dL/dtensor or None, ...] with L = Σ cotangent · output, by one backward pass; `.grad`
        stays as it was.

        Raises errors.GradientShape when a backward pass returns a gradient of another shape than
        its input's.
        """
        result = self._run()
        if not result.requires_grad:
            return [None] * len(self.tensors)
        before = [(leaf, leaf.grad) for leaf in _leaves(result)]
        try:
            for leaf, _ in before:
                leaf.grad = None
            result.backward(cotangent)
            return [leaf.grad for leaf in self.tensors]
        finally:
            for leaf, grad in before:
                leaf.grad = grad

    def _run(self):
        self.restart()
        result = self.call(*self.inputs)
        if not isinstance(result, Tensor):
            raise TypeError(f"gradcheck: {self.title} must return one Tensor, "
                            f"it returned {asked.kind(result)}. Use operations on Tensors all "
                            "the way, and return one result.")
        return result


def _leaves(result):
    """All tensors whose `.grad` a backward pass from `result` would change: also weights that only
    `fn` knows."""
    if result.creator is None:
        return {result}
    return {source for function in tensor.reverse_order(result.creator)
            for source in function.sources if isinstance(source, Tensor)}


@contextmanager
def prepared(fn: Callable, inputs: object,
             names: list[str] | None = None) -> Iterator[TensorFunction]:
    """A TensorFunction in float64 for the time of the block. Raises TypeError or ValueError, in a
    sentence, for what cannot be checked: integer inputs, empty arrays, values that are not finite,
    nothing to differentiate."""
    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    title, call, code = _callable(fn)
    names = asked.names_of("gradcheck", code, len(inputs), names)
    arrays = [_floating(name, value) for name, value in zip(names, inputs)]
    parameters = {}  # one that is used twice is listed once, one that is not trained is left out
    for name, parameter in fn.named_parameters() if isinstance(fn, Module) else ():
        if parameter.requires_grad and all(parameter is not other for other in parameters.values()):
            parameters[name] = parameter
    if not arrays and not parameters:
        raise ValueError(f"gradcheck: {title} has no inputs and no parameters: "
                         "there is nothing to differentiate.")
    _check_count(title, fn, code, inputs)
    with ExitStack() as stack:
        restart = stack.enter_context(frozen())
        originals = arrays + [parameter.data for parameter in parameters.values()]
        for name, array in zip([*names, *parameters], originals):
            asked.check_values("gradcheck", name, array)
        for parameter in parameters.values():
            _promote(parameter, stack)
        tensors = [Tensor(_float64(array), requires_grad=True) for array in arrays]
        checked = TensorFunction(title, call, names, tensors, parameters, restart)
        checked.originals = originals
        try:
            checked.output()
        except TypeError:
            # the engine refuses to mix float64 with weights in float32 that only fn knows
            if not (weights := _hidden_weights(call, arrays)):
                raise
            for weight in weights:
                _promote(weight, stack)
        yield checked


def _callable(fn):
    """(title, call, what receives the inputs). A Function serves once, so each run gets a copy of
    its own."""
    is_class = isinstance(fn, type) and issubclass(fn, (Function, Module))
    if is_class and (issubclass(fn, Module) or not _fits(fn)):
        raise TypeError(f"gradcheck: {fn.__name__} is a class: "
                        f"give an object with its options, {fn.__name__}(...).")
    if is_class:
        return fn.__name__, lambda *tensors: fn()(*tensors), fn.forward
    if isinstance(fn, Function):
        if fn.sources is not None:
            raise ValueError(f"gradcheck: this {fn.name} object has been called before: "
                             f"give a new one, {fn.name}(...).")
        return fn.name, lambda *tensors: copy.copy(fn)(*tensors), fn.forward
    if not callable(fn):
        raise TypeError("gradcheck: the first argument is what to check, a function of Tensors, "
                        f"a Function or a Module, not {asked.kind(fn)}.")
    return getattr(fn, "__name__", type(fn).__name__), fn, fn.forward if isinstance(fn,
                                                                                    Module) else fn


def _fits(code, *arguments):
    try:
        inspect.signature(code).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # some builtins have no signature
        pass
    return True


def _check_count(title, fn, code, inputs):
    # a class stands in the place of self
    if not _fits(code, *([fn] if isinstance(fn, type) else []), *inputs):
        count = "1 input" if len(inputs) == 1 else f"{len(inputs)} inputs"
        raise TypeError(f"gradcheck: {title}{inspect.signature(code)} cannot be called with "
                        f"{count}. A list holds the inputs, one for each argument: "
                        "put an array that is itself a list into another one, gradcheck(fn, [x]).")


def _floating(name, value):
    array = value.data if isinstance(value, Tensor) else value
    asked.check_kind("gradcheck", name, array)
    if not is_array(array):
        array = asked.as_numbers(
            f"gradcheck: {name} is", value, " Give arrays, Tensors or lists of numbers with rows "
            "of equal length, one for each argument.").astype(np.float64)
    if array.dtype.kind != "f":
        raise TypeError(f"gradcheck: {name} holds {array.dtype} values, which cannot move by a "
                        "small step. Convert numbers with .astype(float), and pass labels inside "
                        "the function: gradcheck(lambda x: F.cross_entropy(x, labels), x).")
    return array


def _hidden_weights(call, arrays):
    """Tensors that `fn` uses without being given them, as in `lambda x: model(x)`: found by one run
    in float32."""
    inputs = [Tensor(array.astype(np.float32), requires_grad=True) for array in arrays]
    try:
        result = call(*inputs)
    except TypeError:
        return []
    return [leaf for leaf in (_leaves(result) if isinstance(result, Tensor) else ())
            if leaf not in inputs]


def _promote(weight, stack):
    """float64 and no gradient, until the stack unwinds."""
    for name, value in (("data", weight.data), ("grad", weight.grad)):
        stack.callback(setattr, weight, name, value)
    weight.data, weight.grad = _float64(weight.data), None


def _float64(array):
    return array_module(array).array(array, dtype=np.float64)


@contextmanager
def frozen() -> Iterator[Callable]:
    """Every run draws the same random numbers: those of the engine, and those of a student's own
    np.random.rand and random.random."""
    before, plain, start = np.random.get_state(), random.getstate(), random.Random(0).getstate()
    with frozen_randomness() as restart_engine:
        def restart():
            restart_engine()
            np.random.seed(0)
            random.setstate(start)  # a seed takes longer

        try:
            yield restart
        finally:
            np.random.set_state(before)
            random.setstate(plain)
