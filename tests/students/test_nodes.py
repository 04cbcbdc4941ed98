"""Nodes of a graph, which are handed other nodes: forward() and backward() ask for nothing, or the
gradient of an operation is a function that is registered for it; tapes."""
import pytest

FLOW = """
    import numpy as np

    class Node:
        def __init__(self, inbound_nodes=[]):
            self.inbound_nodes, self.outbound_nodes = inbound_nodes, []
            self.value, self.gradients = None, {}
            for node in inbound_nodes:
                node.outbound_nodes.append(self)

    class Input(Node):
        def __init__(self):
            super().__init__()

        def forward(self):
            pass

        def backward(self):
            self.gradients = {self: 0}
            for n in self.outbound_nodes:
                self.gradients[self] += n.gradients[self]

    class Linear(Node):
        def __init__(self, X, W, b):
            super().__init__([X, W, b])

        def forward(self):
            X, W, b = [n.value for n in self.inbound_nodes]
            self.value = X @ W + b

        def backward(self):
            self.gradients = {n: np.zeros_like(n.value) for n in self.inbound_nodes}
            X, W, b = self.inbound_nodes
            for n in self.outbound_nodes:
                grad = n.gradients[self]
                self.gradients[X] += grad @ W.value.T
                self.gradients[W] += X.value.T @ grad
                self.gradients[b] += np.sum(grad, axis=0)

    class MSE(Node):
        def __init__(self, y, a):
            super().__init__([y, a])

        def forward(self):
            y, a = [n.value.reshape(-1, 1) for n in self.inbound_nodes]
            self.diff, self.m = y - a, len(self.inbound_nodes[0].value)
            self.value = np.mean(self.diff ** 2)

        def backward(self):
            self.gradients[self.inbound_nodes[1]] = -2 / self.m * self.diff

    def forward_and_backward(graph):
        for n in graph:
            n.forward()
        for n in graph[::-1]:
            n.backward()
"""
PUSHED = """
    import numpy as np

    components = []

    class Value:
        def __init__(self, value):
            self.value = np.array(value)
            self.grad = np.zeros_like(self.value)

    class VDot:
        def __init__(self, x, y):
            components.append(self)
            self.x, self.y = x, y

        def forward(self):
            self.value = self.x.value @ self.y.value

        def backward(self):
            self.x.grad = self.x.grad + self.grad @ self.y.value.T
            self.y.grad = self.y.grad + self.x.value.T @ self.grad

    class Add:
        def __init__(self, *inputs):
            self.inputs = inputs

        def forward(self):
            self.value = self.inputs[0].value + self.inputs[1].value

        def backward(self):
            self.inputs[0].grad += self.grad
            self.inputs[1].grad += self.grad.sum(axis=0)

    class Relu:
        def __init__(self, inputs):
            self.inputs = inputs

        def forward(self):
            self.value = np.maximum(self.inputs[0].value, 0)

        def backward(self):
            self.inputs[0].grad += self.grad * (self.value > 0)
"""
REGISTERED = """
    import numpy as np

    gradients = {}

    class Operation:
        def __init__(self, inputs):
            self.inputs_of = inputs
            _default.append(self)

    class Variable:
        def __init__(self, value):
            self.value = value

    class Graph:
        def as_default(self):
            global _default
            _default = []

    class matmul(Operation):
        def __init__(self, a, b):
            super().__init__([a, b])

        def compute(self, a_value, b_value):
            return a_value @ b_value

    class sigmoid(Operation):
        def __init__(self, a):
            super().__init__([a])

        def compute(self, a_value):
            return 1 / (1 + np.exp(-a_value))

    def RegisterGradient(name):
        def put(function):
            gradients[name] = function
            return function
        return put

    @RegisterGradient("matmul")
    def _matmul_gradient(op, grad):
        A, B = op.inputs
        return [grad @ B.T, A.T @ grad]

    @RegisterGradient("sigmoid")
    def _sigmoid_gradient(op, grad):
        return grad * op.output * (1 - op.output)

    def compute_gradients(loss):
        table = {loss: 1}
        for op in reversed(_default):
            table[op] = gradients[type(op).__name__](op, table[op])
        return table
"""
GATES = """
    import math

    class Unit:
        def __init__(self, value, grad):
            self.value, self.grad = value, grad

    class MultiplyGate:
        def forward(self, u0, u1):
            self.u0, self.u1 = u0, u1
            self.utop = Unit(u0.value * u1.value, 0.0)
            return self.utop

        def backward(self):
            self.u0.grad += self.u1.value * self.utop.grad
            self.u1.grad += self.u0.value * self.utop.grad

    class SigmoidGate:
        def forward(self, u0):
            self.u0 = u0
            self.s = 1 / (1 + math.exp(-self.u0.value))
            self.utop = Unit(self.s, 0.0)
            return self.utop

        def backward(self):
            self.u0.grad += self.s * (1 - self.s) * self.utop.grad
"""
TAPE = """
    import math

    class Tape:
        active = None

        def __init__(self):
            self.records = []

        def __enter__(self):
            Tape.active = self
            return self

        def __exit__(self, *exc):
            Tape.active = None

        def gradient(self, y, sources):
            found = {id(y): 1.0}
            for out, parts in reversed(self.records):
                for one, local in parts:
                    found[id(one)] = found.get(id(one), 0.0) + local * found.get(id(out), 0.0)
            return [found.get(id(one)) for one in sources]

    class Var:
        def __init__(self, value):
            self.value = value

        def __add__(self, other):
            return record(self.value + other.value, (self, 1.0), (other, 1.0))

        def __mul__(self, other):
            return record(self.value * other.value, (self, other.value), (other, self.value))

    def record(value, *parts):
        out = Var(value)
        Tape.active.records.append((out, parts))
        return out

    def tanh(x):
        t = math.tanh(x.value)
        return record(t, (x, 1 - t ** 2))
"""


@pytest.mark.parametrize("code, names, slips", [
    (FLOW, {"Input", "Linear", "MSE"}, [
        ("Input", "[self] += n.", "[self] = n."), ("Linear", "np.sum(grad", "np.mean(grad"),
        ("Linear", "gradients[W] +=", "gradients[W] ="), ("MSE", "-2 /", "2 /")]),
    (PUSHED, {"VDot", "Add", "Relu"}, [
        ("VDot", "self.x.value.T @", "-self.x.value.T @"), ("Relu", "(self.value > 0)", "1"),
        ("Add", "grad.sum", "grad.mean")]),
    (REGISTERED, {"matmul", "sigmoid"}, [
        ("sigmoid", "(1 - op.output)", "(1 + op.output)"), ("matmul", "grad @ B", "2 * grad @ B")]),
    (GATES, {"MultiplyGate", "SigmoidGate"}, [
        ("MultiplyGate", "self.u0.value * self.utop", "self.u1.value * self.utop"),
        ("SigmoidGate", "(1 - self.s)", "(1 + self.s)")]),
    (TAPE, {"Var"}, [("Var", "other.value), (other, self", "self.value), (other, self"),
                     ("Var", "t ** 2", "t")])])
def test_what_a_node_hands_on_is_compared_with_what_it_computes(check, code, names, slips):
    def told(text):
        return {one["name"]: one["status"] for one in check(graph=text)[1][0]["checks"]}
    assert told(code) == dict.fromkeys(names, "correct")
    for _, right, slip in slips[:2]:
        assert right in code
        code = code.replace(right, slip)
    for name, status in told(code).items():
        assert status == ("wrong" if name in [one for one, *_ in slips[:2]] else "correct"), name
    for name, right, slip in slips[2:]:
        assert right in code and told(code.replace(right, slip))[name] == "wrong", name


def test_an_engine_that_sums_over_no_axis_is_open(check):
    """Operands of one shape alone may be meant; where one operation sums, the others must, too."""
    engine = """
    import numpy as np

    class Var:
        def __init__(self, data, parts=()):
            self.data, self.parts = np.asarray(data, dtype=float), parts
            self.grad = np.zeros_like(self.data)

        def __add__(self, other):
            return Var(self.data + other.data, ((self, lambda g: g), (other, lambda g: g)))

        def __mul__(self, other):
            return Var(self.data * other.data, (
                (self, lambda g: g * other.data), (other, lambda g: g * self.data)))

        def sum(self):
            return Var(self.data.sum(), ((self, lambda g: g * np.ones_like(self.data)),))

        def backward(self, g=None):
            g = np.ones_like(self.data) if g is None else g
            self.grad = self.grad + g
            for one, pull in self.parts:
                one.backward(pull(g))
    """
    assert check(engine=engine)[1][0]["status"] == "undecided"
    summed = engine.replace("(other, lambda g: g)))", "(other, lambda g: g if g.shape == "
                            "other.data.shape else g.sum(0) if other.data.ndim == 1 else "
                            "g.sum(1, keepdims=True))))")
    assert check(engine=summed)[1][0]["status"] == "wrong"
