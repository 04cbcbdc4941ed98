"""Scalar engines: a `Value` that remembers how it was computed, and backward() from the last one to the first.

Each operation that the class defines is an expression of a and b; the numeric derivative is that of its .data.
"""
import numpy as np

from ..gradcheck import check
from ..gradcheck.gradients import Named
from ..gradcheck.numpy_code import Run
from ..gradcheck.report import Report
from .forms import NotChecked

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
