"""What is checked: a function and its tensors, copied to float64, with the random numbers standing still.

Everything that the caller handed over is put back at the end, whatever happens in between.
"""
import copy
import inspect
import random
from contextlib import ExitStack, contextmanager

import numpy as np

from .. import tensor
from ..device import array_module, is_array
from ..nn import Module
from ..random import frozen_randomness
from ..tensor import Function, Tensor


class TensorFunction:
    """A function of Tensors that can be run again and again: `tensors` are moved, `output()` and `gradients()` follow.

    names, tensors: the inputs, then a module's parameters. originals: the caller's arrays, never changed.
    """

    outside_engine = False
    caller = "gradcheck"  # for error messages

    def __init__(self, title, call, names, inputs, parameters, restart):
        self.title, self.call, self.restart = title, call, restart
        self.inputs = inputs
        self.names = [*names, *parameters]
        self.tensors = [*inputs, *parameters.values()]

    def output(self):
        """The output at the present values, a new array. Nothing is recorded."""
        with tensor.no_grad():
            return self._run().data.copy()

    options = {}  # what else the function was given: unknown
    overrides = {}
    writes_into_dout, writes_into, absent, accepts_mean = False, (), {}, False
    examples = 0  # how many there are in the first input, once somebody has asked
    affords = float("inf")  # forward passes to find out what is wrong
    rounding = 0.0

    def foresee(self, moves):
        """Told which runs will follow: of use to code in another process (numpy_code.NumpyCode.foresee)."""

    def kept(self):
        """{name: array} of what forward keeps for backward: nothing that this file can see."""
        return {}

    def data(self):
        """(name, array) of the examples: the first input."""
        return (self.names[0], self.originals[0]) if self.inputs else (None, None)

    def settle(self, cotangent):
        """Every input has a gradient here."""

    def go_back(self):
        for moved, original in zip(self.tensors, self.originals):
            moved.data[...] = original

    def draws_in_backward(self, cotangent, which):
        return False

    def rounding_of(self, cotangent, gradients, generator):
        return [0.0] * len(self.tensors)

    def changes_between_calls(self, cotangent, gradients):
        return [False] * len(self.tensors)

    def changed(self):
        """The names of the inputs into which one run wrote."""
        self.output()
        return [name for name, tensor, original in zip(self.names, self.tensors, self.originals)
                if not bool((tensor.data == original).all())]

    def cotangent(self, output, generator):
        """A random one. Seeded with ones, a softmax whose gradient is all zeros would pass: its outputs always sum to 1."""
        return array_module(output).asarray(generator.standard_normal(output.shape))

    def gradients(self, cotangent):
        """[dL/dtensor or None, ...] with L = Σ cotangent · output, by one backward pass; `.grad` stays as it was.

        Raises ShapeDiffers when a backward pass returns a gradient of another shape than its input's.
        """
        result = self._run()
        if not result.requires_grad:
            return [None] * len(self.tensors)
        before = [(leaf, leaf.grad) for leaf in _leaves(result)]
        try:
            for leaf, _ in before:
                leaf.grad = None
            with _shapes_watched():
                result.backward(cotangent)
            return [leaf.grad for leaf in self.tensors]
        finally:
            for leaf, grad in before:
                leaf.grad = grad

    def _run(self):
        self.restart()
        result = self.call(*self.inputs)
        if not isinstance(result, Tensor):
            raise TypeError(f"gradcheck: {self.title} must return one Tensor, it returned {_kind(result)}. Use operations on "
                            "Tensors all the way, and return one result.")
        return result


class ShapeDiffers(ValueError):
    """A gradient that does not have the shape of its input. source: the Tensor or Function that the input came from."""

    def __init__(self, function, position, got):
        super().__init__(f"{function.name}.backward returned shape {got} for input {position}.")
        self.function, self.position, self.got = function.name, position, got
        self.expected, self.source = function.input_types[position][0], function.sources[position]


@contextmanager
def _shapes_watched():
    """Look at each backward pass before the tape does, to know whose gradient it is that does not fit."""
    def watch(direction, function, call):
        def watched(*arrays):
            grads = call(*arrays)
            several = grads if isinstance(grads, (tuple, list)) else (grads,)
            if len(several) == len(function.sources):  # else the tape says it
                for position, (grad, (shape, _)) in enumerate(zip(several, function.input_types)):
                    if grad is not None and np.shape(grad) != shape:
                        raise ShapeDiffers(function, position, np.shape(grad))
            return grads
        return watched if direction == "backward" else call

    tensor.observers.append(watch)
    try:
        yield
    finally:
        tensor.observers.remove(watch)


def _leaves(result):
    """All tensors whose `.grad` a backward pass from `result` would change: also weights that only `fn` knows."""
    leaves, functions, seen = {result} if result.creator is None else set(), [result.creator], set()
    while functions:
        function = functions.pop()
        if function is None or function in seen:
            continue
        seen.add(function)
        leaves.update(source for source in function.sources if isinstance(source, Tensor))
        functions.extend(source for source in function.sources if isinstance(source, Function))
    return leaves


@contextmanager
def prepared(fn, inputs, names=None):
    """A TensorFunction in float64 for the time of the block. Raises TypeError or ValueError, in a sentence, for what cannot be
    checked: integer inputs, empty arrays, values that are not finite, nothing to differentiate."""
    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    title, call = _callable(fn)
    names = _names(names, fn, len(inputs))
    arrays = [_floating(name, value) for name, value in zip(names, inputs)]
    parameters = _parameters(fn)
    if not arrays and not parameters:
        raise ValueError(f"gradcheck: {title} has no inputs and no parameters: there is nothing to differentiate.")
    _check_count(title, fn, inputs)
    with ExitStack() as stack:
        restart = stack.enter_context(frozen())
        for name, array in [*zip(names, arrays), *((name, p.data) for name, p in parameters.items())]:
            _check_values(name, array)
        originals = arrays + [parameter.data for parameter in parameters.values()]
        for parameter in parameters.values():
            _promote(parameter, stack)
        tensors = [Tensor(_float64(array), requires_grad=True) for array in arrays]
        subject = TensorFunction(title, call, names, tensors, parameters, restart)
        subject.originals = originals
        try:
            subject.output()
        except TypeError:  # the engine refuses to mix float64 with weights in float32 that only fn knows
            weights = _hidden_weights(call, arrays)
            if not weights:
                raise
            for weight in weights:
                _promote(weight, stack)
        yield subject


def _callable(fn):
    """(title, call). A Function serves once, so each run gets a copy of its own."""
    if _is_class_of(fn, Module) or _is_class_of(fn, Function) and not _fits(fn):
        raise TypeError(f"gradcheck: {fn.__name__} is a class: give an object with its options, {fn.__name__}(...).")
    if _is_class_of(fn, Function):
        return fn.__name__, lambda *tensors: fn()(*tensors)
    if isinstance(fn, Function):
        if fn.sources is not None:
            raise ValueError(f"gradcheck: this {fn.name} object has been called before: give a new one, {fn.name}(...).")
        return fn.name, lambda *tensors: copy.copy(fn)(*tensors)
    if not callable(fn):
        raise TypeError(f"gradcheck: the first argument is what to check, a function of Tensors, a Function or a Module, "
                        f"not {_kind(fn)}.")
    return getattr(fn, "__name__", type(fn).__name__), fn


def _names(names, fn, count):
    """The given names, or those that the function's own signature uses."""
    if names is not None:
        names = [names] if isinstance(names, str) else [str(name) for name in names]
        if len(names) != count or len(set(names)) != count:
            raise ValueError(f"gradcheck: names must be {count} different ones, one for each input, got {names}.")
        return names
    signature = _signature(_code(fn))
    found = [p.name for p in signature.parameters.values() if p.kind == p.POSITIONAL_OR_KEYWORD] if signature else []
    found = [name for name in found if name != "self"]
    return found[:count] if len(found) >= count else [f"input {i}" for i in range(count)]


def _code(fn):
    """What receives the inputs."""
    return fn.forward if isinstance(fn, (Module, Function)) or _is_class_of(fn, Function) else fn


def _is_class_of(fn, base):
    return isinstance(fn, type) and issubclass(fn, base)


def _signature(code):
    try:
        return inspect.signature(code)
    except (TypeError, ValueError):  # some builtins have none
        return None


def _fits(code, *arguments):
    signature = _signature(code)
    try:
        if signature:
            signature.bind(*arguments)
        return True
    except TypeError:
        return False


def _check_count(title, fn, inputs):
    owner = (fn,) if _is_class_of(fn, Function) else ()  # in the place of self
    if not _fits(_code(fn), *owner, *inputs):
        count = "1 input" if len(inputs) == 1 else f"{len(inputs)} inputs"
        raise TypeError(f"gradcheck: {title}{_signature(_code(fn))} cannot be called with {count}. A list holds the inputs, one "
                        "for each argument: put an array that is itself a list into another one, gradcheck(fn, [x]).")


def _floating(name, value):
    array = value.data if isinstance(value, Tensor) else value
    if not is_array(array):
        try:
            array = np.asarray(array, dtype=None if array is None else np.float64)
        except (TypeError, ValueError):
            array = None
        if array is None or array.dtype.kind != "f":
            raise TypeError(f"gradcheck: {name} is {_kind(value)} that is no array of numbers. Give arrays, Tensors or lists of "
                            "numbers with rows of equal length, one for each argument.")
    if array.dtype.kind != "f":
        raise TypeError(f"gradcheck: {name} holds {array.dtype} values, which cannot move by a small step. Convert numbers "
                        "with .astype(float), and pass labels inside the function: gradcheck(lambda x: "
                        "F.cross_entropy(x, labels), x).")
    return array


def _check_values(name, array):
    if array.size == 0:
        raise ValueError(f"gradcheck: {name} has shape {array.shape}, which holds no values: there is nothing to compare.")
    if not bool(array_module(array).isfinite(array).all()):
        raise ValueError(f"gradcheck: {name} holds NaN or infinity: choose finite values.")


def _parameters(fn):
    """{path: parameter} of a Module; one that is used twice is listed once, one that is not trained is left out."""
    parameters = {}
    for name, parameter in fn.named_parameters() if isinstance(fn, Module) else ():
        if parameter.requires_grad and all(parameter is not other for other in parameters.values()):
            parameters[name] = parameter
    return parameters


def _hidden_weights(call, arrays):
    """Tensors that `fn` uses without being given them, as in `lambda x: model(x)`: found by one run in float32."""
    inputs = [Tensor(array.astype(np.float32), requires_grad=True) for array in arrays]
    try:
        result = call(*inputs)
    except TypeError:
        return []
    return [leaf for leaf in (_leaves(result) if isinstance(result, Tensor) else ()) if leaf not in inputs]


def _promote(weight, stack):
    """float64 and no gradient, until the stack unwinds."""
    stack.callback(_put_back, weight, weight.data, weight.grad)
    weight.data, weight.grad = _float64(weight.data), None


def _put_back(weight, data, grad):
    weight.data, weight.grad = data, grad


def _float64(array):
    return array_module(array).array(array, dtype=np.float64)


@contextmanager
def frozen():
    """Every run draws the same random numbers: those of the engine, and those of a student's own np.random.rand and
    random.random."""
    before, plain = np.random.get_state(), random.getstate()
    with frozen_randomness() as restart_engine:
        def restart():
            restart_engine()
            np.random.seed(0)
            random.seed(0)

        try:
            yield restart
        finally:
            np.random.set_state(before)
            random.setstate(plain)


def _kind(value):
    return "None" if value is None else f"a {type(value).__name__}"
