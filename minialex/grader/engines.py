"""Scalar engines: a `Value` that remembers how it was computed, and backward() from the last one to the first.

Each operation that the class defines is an expression of a and b; the numeric derivative is that of its .data.
"""
import copy

import numpy as np

import minialex as ma

from ..gradcheck import binding, check
from ..gradcheck.gradients import Named
from ..gradcheck.numpy_code import Run
from ..gradcheck.report import Report
from ..nn import Module
from . import inputs
from .layers import NotChecked

DATA, GRAD = ("data", "value", "val", "v", "item", "num"), ("grad", "gradient", "derivative", "g", "_grad", "adjoint")
A, B = 0.7, -1.3
OPERATORS = {
    "a + b": ("__add__", lambda a, b: a + b), "a * b": ("__mul__", lambda a, b: a * b), "a - b": ("__sub__", lambda a, b: a - b),
    "a / b": ("__truediv__", lambda a, b: a / b), "-a": ("__neg__", lambda a, b: -a), "a ** 3": ("__pow__", lambda a, b: a ** 3),
    "2 * a": ("__rmul__", lambda a, b: 2 * a), "1 - a": ("__rsub__", lambda a, b: 1 - a),
    "1 + a": ("__radd__", lambda a, b: 1 + a),
    "a * b + a": ("__mul__", lambda a, b: a * b + a), "(a + b) * (a + b)": ("__add__", lambda a, b: (a + b) * (a + b)),
}
METHODS = ("relu", "tanh", "sigmoid", "exp", "log", "sqrt", "sin", "cos", "square", "abs", "leaky_relu", "softplus", "elu",
           "gelu")


class Expression:
    """One expression as a code: title, run, backward, takes_dout."""

    def __init__(self, cls, title, compute, backward):
        self.cls, self.title, self.compute, self.function = cls, title, compute, backward

    def run(self, values):
        """A Run with new leaves of these values."""
        leaves = {name: self.cls(float(value)) for name, value in values.items()}
        result = self.compute(leaves["a"], leaves["b"])
        return Run([float(np.asarray(_attribute(result, DATA)).reshape(()))], [], values, (leaves, result))

    def backward(self, run, douts):
        """The gradients that the leaves hold afterwards; a leaf that the expression does not use has none."""
        leaves, result = run.state
        getattr(result, self.function)()
        found = {name: _attribute(leaf, GRAD) for name, leaf in leaves.items()}
        return Named({name: np.asarray(0.0 if value is None else value, dtype=float) for name, value in found.items()})

    def file(self):
        """No epsilon is expected here."""
        return ""

    def takes_dout(self, run):
        """backward() of the last value starts with 1."""
        return False


def report(found, request):
    """One Report with a row for each operation and each of its operands."""
    expressions = [(title, compute) for title, (method, compute) in OPERATORS.items() if hasattr(found.forward, method)]
    expressions += [(f"{leaf}.{name}()", lambda a, b, name=name, leaf=leaf: getattr({"a": a, "b": b}[leaf], name)())
                    for name in METHODS if hasattr(found.forward, name)
                    for leaf in ("a", "b") if leaf == "a" or name not in ("log", "sqrt")]
    rows, first = [], None
    for title, compute in expressions:
        code = Expression(found.forward, title, compute, found.backward)
        try:
            values = {"a": np.array(A), "b": np.array(B)}
            is_single = np.asarray(_attribute(code.run(values).state[1], DATA)).dtype == np.float32
            done = check.check_code(code, values, seed=request.seed, **({"eps": 1e-2, "rtol": 1e-3} if is_single else {}))
        except Exception as error:  # this operation is not for plain numbers, or its leaves are no numbers
            first = first or error
            continue
        rows += [row._replace(name=f"{title}, by {row.name}") for row in done.rows if row.name in title]
    if not rows:
        raise NotChecked(f"{found.name} has operators and {found.backward}(), but a + b of {found.name}({A}) and "
                         f"{found.name}({B}) cannot be followed: {type(first).__name__}: {first}")
    return Report(f"{found.name}, {len(rows)} derivatives", rows)


def _attribute(thing, names):
    for name in names:
        if hasattr(thing, name):
            return getattr(thing, name)
    raise NotChecked(f"a {type(thing).__name__} has none of the attributes {', '.join(names)}")


def drawn(found, layout, request):
    """The reading of a Function or Module for drawn inputs with which it runs."""
    layer = found.forward() if isinstance(found.forward, type) else found.forward
    values = inputs.draw(inputs.parameters_of(getattr(layer, "forward", layer)), layout, request)
    with ma.no_grad():
        copy.copy(layer)(*[ma.Tensor(np.asarray(value, dtype=np.float32)) for value in values.values()])
    return reading(found, values)


def reading(found, values):
    """(code, values, words) of a Function or Module, given its inputs, in order or by name."""
    code = Layer(found.forward() if isinstance(found.forward, type) else found.forward)
    return code, code.values(list(values.values() if isinstance(values, dict) else values)), ""


class Layer:
    """A Function or Module of the engine as code to be checked: its parameters are inputs, too."""

    def __init__(self, layer):
        self.layer = layer
        self.title = type(layer).__name__.lstrip("_")
        self.parameters = dict(layer.named_parameters()) if isinstance(layer, Module) else {}

    def values(self, arrays):
        """{name: array} of the inputs and the parameters."""
        given = binding.signature(type(self.layer).forward)
        names = [p.name for p in given[1:]] if not any(p.kind == p.VAR_POSITIONAL for p in given) else []
        names = names if len(names) >= len(arrays) else [f"input {i}" for i in range(len(arrays))]
        return {**{name: np.array(array, dtype=np.float64) for name, array in zip(names, arrays)},
                **{name: np.array(tensor.data, dtype=np.float64) for name, tensor in self.parameters.items()}}

    def run(self, values):
        leaves = {name: ma.Tensor(value, requires_grad=True) for name, value in values.items() if name not in self.parameters}
        for name, tensor in self.parameters.items():
            tensor.data, tensor.grad = values[name], None
        layer = copy.copy(self.layer) if isinstance(self.layer, ma.Function) else self.layer
        output = layer(*leaves.values())
        if not isinstance(output, ma.Tensor):
            raise TypeError(f"{self.title} must return one Tensor, it returned a {type(output).__name__}.")
        return Run([output.data.copy()], [], values, (output, {**leaves, **self.parameters}))

    def backward(self, run, douts):
        output, leaves = run.state
        if output.requires_grad:
            output.backward(np.array(douts[0], dtype=np.float64).reshape(output.shape))
        return {name: leaf.grad for name, leaf in leaves.items()}

    def file(self):
        return ""

    def takes_dout(self, run):
        return True
