"""Engines: a `Value` or `Tensor` that remembers how it was computed, and backward() from the last
one to the first. Each expression below that the class can compute is compared; the numeric
derivative is that of its .data.

And layers of minialex itself: a Function or a Module, whose parameters are inputs, too.
"""
import contextlib
import copy
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator

import numpy as np

import minialex as ma

from ...gradcheck.report import Report
from ...gradcheck.verdicts import names as verdict
from ...nn import Module
from ..called import binding, check
from ..called.gradients import Named
from ..dialects import BACKWARD, DATA, EXPRESSIONS, GRAD, METHODS, OF_ARRAYS, TRACKED
from ..names import name_words, plain
from ..reading.sources import source
from ..status import without_gradient
from . import boxed
from .functions import Composed, Reading
from .layers import NotChecked
from .renaming import required

MARKS = {"__matmul__": "@", "__getitem__": "[", "transpose": ".T "}  # how they are written


def _array(*shape):
    return np.random.default_rng(shape).standard_normal(shape)


VALUES = {"a": np.array(0.7), "b": np.array(-1.3), "X": _array(2, 3), "Y": _array(3, 4),
          "P": _array(2, 4), "Z": _array(2, 3) + 3, "R": _array(3), "C": _array(2, 1),
          "Q": _array(3, 2), "V": _array(4, 2)}
PRODUCTS = {"__matmul__": " @ {}", "matmul": ".matmul({})", "dot": ".dot({})"}
REPEATED = re.compile(r"X [-+*] ([CR])\b.*, by \1$")  # operands of fewer axes
NEXT = {"Z": "Y", "P": "V"}  # what a matrix of this shape may be multiplied by


def leaves_of(expression: str) -> dict:
    """{name: value} of the leaves in an expression."""
    return {name: value for name, value in VALUES.items() if re.search(rf"\b{name}\b", expression)}


def expressions(cls: type) -> list[str]:
    """Those for this class: arrays are for one that has an operation for them."""
    arrays = EXPRESSIONS["arrays"] * any(callable(getattr(cls, name, None)) for name in OF_ARRAYS)
    if not hasattr(cls, "__mul__"):
        arrays = list(dict.fromkeys(_without_times(cls, one) for one in arrays))
    found = EXPRESSIONS["numbers"] + arrays
    for name in _beside(cls):  # tanh(a), where no method does it
        found = [re.sub(rf"(\(.*?\)|\b\w+)\.{name}\(\)", rf"{name}(\1)", one) for one in found]
    return found


def _beside(cls):
    """{name: function} of those of the file that do what a method may do elsewhere."""
    known = vars(sys.modules[cls.__module__])
    return {name: known[name] for name in METHODS if inspect.isfunction(known.get(name))
            and not hasattr(cls, name)}


def _without_times(cls, expression):
    """The same with a matrix product in the place of the last factor, or without that."""
    first, times, last = expression.rpartition(" * ")
    product = next((how for name, how in PRODUCTS.items() if hasattr(cls, name)), "")
    return first + product.format(NEXT[last]) if last in NEXT else first if times else expression


def codes(found):
    """{expression: code}"""
    return {expression: _of_expression(found.forward, found.backward, expression)
            for expression in expressions(found.forward)}


def report(found, codes, seed):
    """One Report with a row for each expression and each of its operands."""
    rows, first = [], None
    for expression, code in codes.items():
        values = leaves_of(expression)
        try:
            is_single = np.asarray(code.run(values).outputs[0]).dtype == np.float32
            done = check.check_code(code, values, seed=seed,
                                    **({"eps": 1e-2, "rtol": 1e-3} if is_single else {}))
        except Exception as error:  # it has no such operation, or not for plain numbers
            first = first or error
            continue
        rows += [row._replace(name=f"{expression}, by {row.name}") for row in done.rows]
    if not rows:
        back = getattr(found.backward, "__name__", found.backward)
        raise NotChecked(f"{found.name} has operators and {back}(), but a + b of "
                         f"{found.name}({VALUES['a']}) and {found.name}({VALUES['b']}) cannot be "
                         f"followed: {type(first).__name__}: {first}")
    repeated = [row for row in rows if REPEATED.search(row.name)]
    if {row.verdict for row in repeated} == {verdict.NOT_SUMMED}:  # nobody sums: none may be meant
        rows = [row._replace(verdict=verdict.UNDECIDED, detail="right if operands of one shape "
                             "alone are meant") if row in repeated else row for row in rows]
    names = " ".join(row.name.rpartition(", by ")[0] for row in rows)
    left = [name for name in (*METHODS, *OF_ARRAYS) if callable(getattr(found.forward, name, None))
            and f".{name}(" not in names and MARKS.get(name, "?") not in names]
    rows += [without_gradient(", ".join(left))._replace(
        evidence="not checked, since no expression here can use them")] if left else []
    return Report(f"{found.name}, {len(rows)} derivatives", rows)


def rows_of(expression: str) -> list[str]:
    """The names of the rows that an engine has which can compute it; b.relu() and the like are no
    more than another try."""
    return [] if expression.startswith(("b.", "(b*b).")) else [f"{expression}, by {leaf}"
                                                   for leaf in leaves_of(expression)]


class Taped:
    """What goes back from a result that was computed under a tape: tape.gradient(y, [a, b])."""

    def __init__(self, cls: type, method: str) -> None:
        self.cls, self.method, self.__name__ = cls, method, f"{cls.__name__}.{method}"

    @contextlib.contextmanager
    def recording(self, leaves: Iterable) -> Iterator:
        """A new tape, which watches these."""
        with self.cls() as tape:
            for leaf in leaves if hasattr(tape, "watch") else ():
                tape.watch(leaf)
            yield tape

    def __call__(self, result: object, sources: list, tape: object) -> list:
        """Their gradients, together or one by one."""
        found = getattr(tape, self.method)(result, sources)
        return found if isinstance(found, (list, tuple, dict)) else [
            getattr(tape, self.method)(result, one) for one in sources]


def computed(expression: str, cls: type, values: dict,
             backward: object = None) -> tuple[np.ndarray, tuple]:
    """(the number, (the leaves, the result, its tape)) of an expression, with new leaves of this
    class. Of an array, the number is its sum."""
    asked = {p.name: True for p in binding.signature(cls) if plain(p.name) in TRACKED}
    leaves = {name: cls(value.copy() if value.ndim else float(value), **asked)
              for name, value in values.items()}
    with backward.recording(leaves.values()) if isinstance(
            backward, Taped) else contextlib.nullcontext() as tape:
        result = eval(expression, _beside(cls), dict(leaves))  # in which := writes
    return np.asarray(_attribute(result, DATA)).sum(), (leaves, result, tape)


def _of_expression(cls, backward, expression):
    """Its code. A leaf that it does not use has no gradient afterwards."""
    def forward(**values):
        return computed(expression, cls, values, backward)

    def gradients(cache):
        leaves, result, tape = cache
        if callable(backward):
            told = backward(*[result, [*leaves.values()], tape][:len(required(backward))])
            told = dict(zip(leaves.values(), told)) if isinstance(told, (list, tuple)) else told
        else:
            told = getattr(result, backward)() if backward else _backward_from(result)
        found = {name: told.get(leaf) if isinstance(told, dict) else _attribute(leaf, GRAD)
                 for name, leaf in leaves.items()}
        found = {name: _attribute(value, DATA) if isinstance(value, cls) else value
                 for name, value in found.items()}
        return Named({name: np.asarray(0.0 if value is None else value, dtype=float)
                      for name, value in found.items()})
    return Composed(forward, gradients, expression)


def begins(cls: type, methods: dict, own: dict) -> str | Callable | None:
    """What goes back from a result: the method that sets its own gradient to 1, whatever it is
    called, or a function beside the class. "" where nobody has written what calls each _backward;
    None of no engine."""
    if not {"__add__", "__mul__"} & methods.keys():
        return None
    seeds = re.compile(rf"self\.({'|'.join(map(re.escape, GRAD))})(\[.*\])? = (1|np\.ones)")
    found = [name for name, method in methods.items() if name != "__init__"
             and len(required(method)) <= 1 and seeds.search(source(method))]
    if found or any("._backward = " in source(method) for method in methods.values()):
        return found[0] if found else ""
    tapes = [Taped(tape, name) for tape in own.values() if hasattr(tape, "__enter__")
             for name in ("gradient", "gradients", "grad", "backward") if hasattr(tape, name)]
    return next(iter(tapes), outside(own)) if {"__add__", "__mul__"} <= methods.keys() and (
        boxed.holds(cls)) else None


def outside(own: dict) -> Callable | None:
    """The function that goes back from a result: get_gradients(y), gradients(y, [a, b]). One
    gradient(f, x), or derivative(x), of a file with vectors is another."""
    return next((one for name, one in own.items() if inspect.isfunction(one)
                 and (plain(name) in BACKWARD or {"gradients", "grads"} & {*name_words(name)})
                 and len(required(one)) in (1, 2)), None)


def _backward_from(result):
    """Call every _backward, from the last value to the first, as the missing backward() would."""
    order, waiting = [], [(result, False)]
    while waiting:
        node, is_done = waiting.pop()
        if is_done or node in order:
            order += [] if node in order else [node]
            continue
        parents = [one for value in vars(node).values() if isinstance(value, (set, list, tuple))
                   for one in value if isinstance(one, type(result))]
        waiting += [(node, True), *((one, False) for one in parents)]
    setattr(result, next(name for name in GRAD if hasattr(result, name)), 1.0)
    for node in reversed(order):
        node._backward()


def _attribute(thing, names):
    for name in names:
        if hasattr(thing, name):
            return getattr(thing, name)
    raise NotChecked(f"a {type(thing).__name__} has none of the attributes {', '.join(names)}")


# ------------------------------------------------------------------------------- layers of minialex


def made(found):
    """The layer itself; of a class, one that is made with no arguments."""
    return found.forward() if isinstance(found.forward, type) else found.forward


def reading(found, values):
    """The Reading of a Function or Module, given its inputs, in order or by name."""
    layer = made(found)
    title = type(layer).__name__.lstrip("_")
    parameters = dict(layer.named_parameters()) if isinstance(layer, Module) else {}

    def forward(**given):
        leaves = {name: ma.Tensor(value, requires_grad=True)
                  for name, value in given.items() if name not in parameters}
        for name, tensor in parameters.items():
            tensor.data, tensor.grad = given[name], None
        output = (copy.copy(layer) if isinstance(layer, ma.Function) else layer)(*leaves.values())
        if not isinstance(output, ma.Tensor):
            raise TypeError(f"{title} must return one Tensor, "
                            f"it returned a {type(output).__name__}.")
        return output.data.copy(), (output, {**leaves, **parameters})

    def backward(dout, cache):
        output, leaves = cache
        if output.requires_grad:
            output.backward(np.array(dout, dtype=np.float64).reshape(output.shape))
        return {name: leaf.grad for name, leaf in leaves.items()}

    arrays = list(values.values() if isinstance(values, dict) else values)
    places = binding.signature(type(layer).forward)[1:]
    names = [] if any(p.kind == p.VAR_POSITIONAL for p in places) else [p.name for p in places]
    names = names if len(names) >= len(arrays) else [f"input {i}" for i in range(len(arrays))]
    named = {**dict(zip(names, arrays)),
             **{name: tensor.data for name, tensor in parameters.items()}}
    return Reading(Composed(forward, backward, title),
                   {name: np.array(value, dtype=float) for name, value in named.items()})
