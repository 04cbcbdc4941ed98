"""Brick 2: one formula by hand, where a value is used twice; then a longer one against minialex's
tape."""
import numpy as np
from checking import Wrong, call, same

import minialex as ma


def check(Tensor, Function):
    Add, Multiply, Square = _operations(Function)
    x, y = Tensor(2.0), Tensor(3.0)
    p = _recorded(Tensor, Multiply(), x, y, 6.0)
    s = _recorded(Tensor, Add(), p, x, 8.0)
    f = _recorded(Tensor, Square(), s, None, 64.0)
    mistakes = {name: _walk(f, **how) for name, how in MISTAKES.items()}
    call(f.backward, returns=False)
    likely = [name for name, wrong in mistakes.items() if _alike(wrong)]
    for what, value, right in [("f", f, 1.0), ("s", s, 16.0), ("p", p, 16.0), ("x", x, 64.0),
                               ("y", y, 32.0)]:
        hints = [(mistakes[name][value], MESSAGES[name]) for name in likely]
        same(f"f = (x·y + x)², x = 2, y = 3: the slope of {what}", value.grad, right, hints)

    start = np.array([1.5, -0.5, 2.0])
    mine, engine = Tensor(start), ma.Tensor(start, requires_grad=True)
    root, other = mine, engine
    # each value is used three times: a walk that visits a value for each use takes its slope too
    # often
    for _ in range(4):
        root, other = Multiply()(Add()(root, root), root), (other + other) * other
    root, other = Multiply()(root, mine), (other * engine)
    mistakes = {name: _walk(root, **how)[mine] for name, how in MISTAKES.items()}
    call(root.backward, returns=False)
    other.backward(np.ones(3))
    same("a longer formula, its slope", mine.grad, engine.grad,
         [(wrong, MESSAGES[name]) for name, wrong in mistakes.items()], within=1e-7)
    return ("A value waits until everybody who used it has passed a slope back: "
            "that is all a tape has to know.")


def _operations(Function):
    """Add, Multiply and Square on the student's tape."""

    class Add(Function):
        def forward(self, a, b):
            return a + b

        def backward(self, g):
            return g, g

    class Multiply(Function):
        def forward(self, a, b):
            self.save_for_backward(a, b)
            return a * b

        def backward(self, g):
            a, b = self.saved
            return g * b, g * a

    class Square(Function):
        def forward(self, a):
            self.save_for_backward(a)
            return a**2

        def backward(self, g):
            (a,) = self.saved
            return g * 2 * a

    return Add, Multiply, Square


def _recorded(Tensor, operation, a, b, right):
    """What the operation gives, after a look at what it noted down."""
    parents = (a,) if b is None else (a, b)
    y = call(operation.__call__, *parents)
    if not isinstance(y, Tensor):
        raise Wrong(f"Function.__call__ returns a {type(y).__name__}: "
                    "return Tensor(..., tensors, self.slopes).")
    same("Function.__call__: the data of what comes out", y.data, right)
    known = list(y.parents) if isinstance(y.parents, (tuple, list)) else [y.parents]
    if len(known) != len(parents) or any(one is not other for one, other in zip(known, parents)):
        raise Wrong("Function.__call__: the parents of what comes out are the tensors that came "
                    "in, the Tensors and not their arrays.")
    if not callable(y.pass_back):
        raise Wrong("Function.__call__: pass_back is the function self.slopes itself, "
                    "without a call: write no brackets behind it." if isinstance(y.pass_back, list)
                    else "Function.__call__: what comes out has no pass_back: "
                    "give Tensor(...) self.slopes as its third argument.")
    return y


# ----------------------------------------------------------------------------- walks with a mistake

MISTAKES = {
    "stays": {"stays": True},
    "assigned": {"assign": True},
    "as computed": {"forwards": True},
    "each use": {"each_use": True},
    "from the top": {"children_first": True},
}
MESSAGES = {
    "stays": "only the result has a slope: walk over reversed(in_order(self, [])), and give each "
             "parent what pass_back returns. "
    "Or does in_order add nothing to the list?",
    "assigned": "a value that was used twice got two slopes, and keeps one: parent.grad = "
                "parent.grad + slope.",
    "as computed": "the walk begins at the wrong end: in the list parents come before the value "
                   "itself, and it is read from its "
    "end, reversed(...).",
    "each use": "a value stands in the list more than once, and passes its slope back too often: "
                "add it only if it is not known.",
    "from the top": "a value has passed its slope back before it was complete: in in_order, all "
                    "parents come before the value "
    "itself.",
}


def _alike(slopes):
    """Whether all values have just these slopes."""
    try:
        return all(np.allclose(value.grad, slope) for value, slope in slopes.items())
    except (TypeError, ValueError):  # what is no number
        return False


def _walk(root, stays=False, assign=False, forwards=False, each_use=False, children_first=False):
    """The slopes that a backward with this mistake finds: {value: slope}."""
    order = []

    def visit(value):
        if each_use or not any(value is known for known in order):
            if children_first:
                order.append(value)
            for parent in value.parents:
                visit(parent)
            if not children_first:
                order.append(value)

    visit(root)
    grad = {value: np.zeros_like(value.data) for value in order}
    grad[root] = np.ones_like(root.data)
    walk = [] if stays else order if forwards or children_first else order[::-1]
    for value in walk:
        if value.parents:
            for parent, slope in zip(value.parents, value.pass_back(grad[value])):
                grad[parent] = slope + (0 if assign else grad[parent])
    return grad
