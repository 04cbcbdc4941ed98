"""The tape: a Tensor remembers the Function that made it; `backward()` walks them in reverse.

    y = f(x)                  forward: arrays in, arrays out; the Function notes its inputs
    dL/dx = dL/dy · dy/dx     backward, the chain rule: one Function at a time, loss to leaves

A Function holds links to the Functions before it, not to their outputs: an array that no backward
pass needs is freed as soon as the forward pass has gone by. Gradients are plain arrays.
"""
from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .aliases import Array, Shape
from .device import array_module, as_numbers, canonical, device_of, is_array, to_device, to_numpy
from .errors import GradientShape
from .numpy_calls import NumpyCalls

# What operations take: arrays, lists and numbers become Tensors.
Input: TypeAlias = Union["Tensor", ArrayLike]


class _Switches(threading.local):
    """Each thread has its own."""

    def __init__(self) -> None:
        self.grad_enabled = True
        self.layers: list[str] = []
        self.textbook = os.environ.get("MINIALEX_TEXTBOOK", "0") not in ("", "0")


_switches = _Switches()


@contextmanager
def _switched(name: str, value: object) -> Iterator[None]:
    before = getattr(_switches, name)
    setattr(_switches, name, value)
    try:
        yield
    finally:
        setattr(_switches, name, before)


def is_grad_enabled() -> bool:
    """Are operations being recorded in this thread?"""
    return _switches.grad_enabled


def no_grad() -> AbstractContextManager[None]:
    """`with no_grad():` records nothing inside the block: for evaluation, without gradients."""
    return _switched("grad_enabled", False)


def is_textbook() -> bool:
    """Does this thread run the plain operations? MINIALEX_TEXTBOOK=1 in the environment says so
    for a whole program."""
    return _switches.textbook


def textbook() -> AbstractContextManager[None]:
    """`with textbook():` runs the operations exactly as they stand in ops/: slow, correct, easy
    to follow."""
    return _switched("textbook", True)


# What watches the operations as they run (anomaly detection, the profiler): callables
# `observer(direction, function, call) -> call`, each of which may wrap a forward or backward call
# in its own.
observers: list[Callable[..., Any]] = []


def layer_stack() -> list[str]:
    """The names of the modules that this thread is running right now, outermost first: tells an
    operation which layer it serves."""
    return _switches.layers


def _watched(direction: str, function: Function, call: Callable[..., Any]) -> Callable[..., Any]:
    for observer in observers:
        call = observer(direction, function, call)
    return call


class Tensor(NumpyCalls):
    """An n-dimensional array that can be differentiated.

    data: array, list or number; floating arrays keep their dtype, everything else becomes float32.
    A floating array is not copied: tensor and caller share it, and an optimiser's step writes into
    it. requires_grad: collect dL/dself in `.grad` when `backward()` is called on a result.

    Arithmetic, indexing, sum, mean, max, reshape, transpose, exp and log are attached in
    ops/methods.py. `==` compares identity: compare values with .data. To change a parameter by
    hand, change its array: w.data -= lr * w.grad.
    """

    if TYPE_CHECKING:  # that ops/methods.py attaches these
        def _operation(self, other: Any) -> Tensor: ...
        __add__ = __sub__ = __mul__ = __truediv__ = __pow__ = __matmul__ = __getitem__ = _operation
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __rmatmul__ = _operation
        __neg__: Callable[[], Tensor]
        sum: Callable[..., Tensor]
        mean = max = reshape = transpose = exp = log = sum
        T: Tensor

    def __init__(self, data: ArrayLike, requires_grad: bool = False) -> None:
        if isinstance(data, Tensor):
            raise TypeError("Tensor(...) was given a Tensor: use it as it is, or .detach() it.")
        if not isinstance(requires_grad, (bool, np.bool_)):
            raise TypeError(f"requires_grad must be True or False, got {requires_grad!r}.")
        array = as_numbers(data)
        keeps_dtype = array.dtype.kind == "f" and is_array(data)
        self.data = array if keeps_dtype else array.astype(np.float32)
        self.requires_grad = requires_grad
        self.grad: Array | None = None
        self.creator: Function | None = None

    @property
    def shape(self) -> Shape:
        return self.data.shape

    @property
    def ndim(self) -> int:
        return self.data.ndim

    @property
    def size(self) -> int:
        return self.data.size

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.data.dtype

    @property
    def device(self) -> str:
        return device_of(self.data)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a Tensor of a single number has no length: use .item().")
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        values = np.array2string(self.numpy(), separator=", ", threshold=20, prefix="Tensor(")
        where = f", device={self.device}" if self.device != "cpu" else ""
        needs_grad = ", requires_grad=True" if self.requires_grad else ""
        made_by = f", made by {self.creator.name}" if self.creator else ""
        return f"Tensor({values}, dtype={self.dtype}{where}{needs_grad}{made_by})"

    def __float__(self) -> float:
        return float(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(f"a Tensor {self.shape} is neither true nor false: compare its .data.")
        return bool(self.data)

    def numpy(self) -> NDArray[Any]:
        """The values as a NumPy array, on the CPU."""
        return to_numpy(self.data)

    def item(self) -> float:
        """The value of a one-element tensor as a Python float."""
        if self.size != 1:
            raise ValueError(f"item() needs one element, this tensor has shape {self.shape}.")
        return self.data.item()

    def detach(self) -> Tensor:
        """The same array without history: gradients stop here."""
        return Tensor(self.data)

    def to(self, device: str) -> Tensor:
        """A copy on `"cpu"`, `"cuda"` or `"cuda:n"`, through which gradients flow back; self when
        already there."""
        return self if self.device == canonical(device) else _ToDevice(device)(self)

    def backward(self, gradient: Input | None = None) -> None:
        """Add dL/dx to `.grad` of every leaf x that requires it, where L is this tensor.

        gradient: dL/dself, an array of this tensor's shape; may be left out for a single number,
        where it is 1. Raises RuntimeError when nothing was recorded or the graph has been walked
        before; ValueError for a wrong gradient. When any operation fails, no `.grad` has been
        changed.
        """
        if not self.requires_grad:
            raise RuntimeError("backward() on a tensor that needs no gradient: no input was made "
                               "with requires_grad=True, or it was computed under no_grad().")
        gradients: dict[Any, Array] = {self.creator or self: _seed(self, gradient)}
        owned: set[Any] = set()
        for function in reverse_order(self.creator):
            grad = gradients.pop(function, None)
            function.owns_grad_output = function in owned
            if grad is not None:
                for source, its_grad in _run_backward(function, grad):
                    if source in gradients:
                        # Used more than once. A new array: others may hold the terms.
                        gradients[source] = gradients[source] + its_grad
                        owned.add(source)
                    else:
                        gradients[source] = its_grad
                        if function.fresh_gradients:
                            owned.add(source)
            function.release()
        for leaf, grad in gradients.items():
            total = grad if leaf.grad is None else leaf.grad + grad
            # Nothing else refers to .grad; and it is an array: NumPy's sums of 0-d arrays are not.
            total = total if leaf in owned or total is not grad else total.copy()
            leaf.grad = array_module(leaf.data).asarray(total)


def _seed(tensor: Tensor, gradient: Input | None) -> Array:
    xp = array_module(tensor.data)
    if gradient is None:
        if tensor.size != 1:
            raise ValueError(f"backward() starts from one number, this tensor has shape "
                             f"{tensor.shape}: reduce it by .sum() or .mean(), or pass gradient=.")
        return xp.ones_like(tensor.data)
    values = gradient.data if isinstance(gradient, Tensor) else as_numbers(gradient)
    seed: Array = xp.asarray(values, dtype=tensor.dtype)
    if seed.shape != tensor.shape:
        raise ValueError(f"backward(gradient=...) got shape {seed.shape} for a tensor of shape "
                         f"{tensor.shape}: they must be equal.")
    return seed


def reverse_order(function: Function | None) -> Iterator[Function]:
    """The Functions behind `function`, each before those it used: a depth-first walk with a stack
    of its own, so that ten thousand operations do not reach Python's recursion limit."""
    order, seen, stack = [], set(), [(function, False)] if function else []
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            if node.released:
                raise RuntimeError(f"this graph was already walked by backward() (at {node.name}): "
                                   "run forward again, or add the losses before one backward().")
            seen.add(node)
            stack.append((node, True))
            stack.extend((source, False) for source in node.sources if isinstance(source, Function))
    return reversed(order)


def _run_backward(function: Function, grad: Array) -> list[tuple[Any, Array]]:
    """[(source, gradient)] for the inputs that need one. Holds a backward pass to its word: one
    gradient per input, each of its input's shape."""
    grads = _watched("backward", function, function.backward)(grad)
    if grads is None:
        raise TypeError(f"{function.name}.backward returned None: is `return` missing?")
    grads = tuple(grads) if isinstance(grads, (tuple, list)) else (grads,)
    if len(grads) != len(function.sources):
        raise ValueError(f"{function.name}.backward returned {len(grads)} gradients for "
                         f"{len(function.sources)} inputs: one for each, None where none is due.")
    pairs = []
    for position, (source, value) in enumerate(zip(function.sources, grads)):
        shape, dtype = function.input_types[position]
        if value is None:
            continue
        numbers = as_numbers(value)  # an array stays on its device: a copy's gradient goes back
        value = numbers if is_array(value) else array_module(grad).asarray(numbers)
        if value.shape != shape:
            raise GradientShape(function, position, value.shape)
        if source is not None:
            pairs.append((source, value.astype(dtype, copy=False)))
    return pairs


class Function:
    """One differentiable operation. Write `forward` and `backward` on plain arrays, and call an
    instance on Tensors:

        class Square(Function):
            def forward(self, x):
                self.save_for_backward(x)
                return x * x
            def backward(self, grad_output):        # dL/dx = dL/dy · 2x
                (x,) = self.saved
                return grad_output * 2 * x

        y = Square()(x)

    Options go to `__init__`. `backward` returns one array, or a tuple with None where no gradient
    is due; `self.needs_input_grad` says, input by input, which ones somebody asked for. An instance
    is used once.

    Write into neither the inputs nor grad_output: other operations may hold the same arrays. Saved
    arrays are not copied, so do not change a tensor's data between forward and backward.
    """

    # Per input: the Function that made it, the leaf itself, or None where no gradient is due.
    sources: Any = None
    released = False
    saved: tuple[Any, ...] = ()
    # For those who count copies (fast/). Backward always returns new arrays, which need no copy to
    # become a .grad; and, set before backward: nobody else holds grad_output, it may be changed.
    fresh_gradients = False
    owns_grad_output = False

    @property
    def name(self) -> str:
        return type(self).__name__.lstrip("_")

    @property
    def input_shapes(self) -> list[Shape]:
        """The shape of each input, in their order."""
        return [shape for shape, dtype in self.input_types]

    def check_inputs(self, *arrays: Any, **options: Any) -> None:
        """Raise ValueError or TypeError if the arrays do not fit: what comes before forward."""

    def forward(self, *arrays: Any, **options: Any) -> Any:
        """Arrays in, array out."""
        raise NotImplementedError(f"{self.name} has no forward(self, *arrays).")

    def backward(self, grad_output: Array) -> Any:
        """dL/d(output) in, dL/d(input) out: one array, or a tuple with one per input."""
        raise NotImplementedError(f"{self.name} has no backward(self, grad_output).")

    def save_for_backward(self, *arrays: Any) -> None:
        """Keep what backward needs in `self.saved`; it is freed as soon as backward has passed."""
        self.saved = arrays

    def __call__(self, *inputs: Any) -> Tensor:
        if self.sources is not None:
            raise RuntimeError(f"{self.name} was called before: make a new one, {self.name}()(x).")
        inputs = as_tensors(self.name, inputs)
        recording = is_grad_enabled()
        self.needs_input_grad = tuple(recording and tensor.requires_grad for tensor in inputs)
        self.sources = tuple((tensor.creator or tensor) if needed else None
                             for tensor, needed in zip(inputs, self.needs_input_grad))
        self.input_types = tuple((tensor.shape, tensor.dtype) for tensor in inputs)
        self.layer = ".".join(filter(None, _switches.layers))
        arrays = tuple(tensor.data for tensor in inputs)
        self.check_inputs(*arrays)
        data = _watched("forward", self, self.forward)(*arrays)
        if isinstance(data, (np.generic, int, float)):
            data = array_module(arrays[0]).asarray(data)  # NumPy reduces to a scalar
        if not is_array(data):
            raise TypeError(f"{self.name}.forward returned a {type(data).__name__}, not one array: "
                            "compute with the arrays that it is given, and do not forget return.")
        output = Tensor(data, requires_grad=any(self.needs_input_grad))
        if output.requires_grad:
            output.creator = self
        else:
            self.release()
        return output

    def release(self) -> None:
        self.saved, self.released = (), True


def as_tensors(name: str, inputs: Sequence[Input]) -> tuple[Tensor, ...]:
    """All inputs as Tensors on one device. A number or list takes the dtype and device of the first
    Tensor among them, so that a Python scalar never turns float32 into float64."""
    given = [x for x in inputs if isinstance(x, Tensor)] or [Tensor(x) for x in inputs[:1]]
    tensors = tuple(x if isinstance(x, Tensor) else _like(given[0], x) for x in inputs)
    if len({tensor.device for tensor in tensors}) > 1:
        placed = ", ".join(f"{tensor.shape} on {tensor.device}" for tensor in tensors)
        raise ValueError(f"{name} needs all inputs on one device: {placed}. Use .to(device).")
    return tensors


def _like(reference: Tensor, value: Input) -> Tensor:
    if is_array(value) and value.ndim:
        return Tensor(value)
    return Tensor(array_module(reference.data).asarray(as_numbers(value), dtype=reference.dtype))


class _ToDevice(Function):
    """y is x on another device; the gradient travels the other way."""

    def __init__(self, device: str) -> None:
        self.device = device

    def forward(self, x: Array) -> Array:
        self.came_from = device_of(x)
        return to_device(x, self.device)

    def backward(self, grad_output: Array) -> Array:
        return to_device(grad_output, self.came_from)

