"""Engines whose way back is a function beside the class, or a method of Function objects."""
import pytest

LOCAL = """
    import math

    class Variable:
        def __init__(self, value, local=()):
            self.value, self.local = value, local

        def __add__(self, other):
            return Variable(self.value + other.value, ((self, 1), (other, 1)))

        def __mul__(self, other):
            return Variable(self.value * other.value, ((self, {by_self}), (other, self.value)))

    def {name}(y{more}):
        found = {{}}

        def back(node, path):
            for child, slope in node.local:
                found[child] = found.get(child, 0) + path * slope
                back(child, path * slope)
        back(y, 1)
        return {told}
"""
WAYS = [("get_gradients", "", "found"),
        ("gradients", ", leaves", "[found.get(one, 0) for one in leaves]")]


def told(check, text):
    """{what was checked: its status}"""
    return {one["checked"]: one["status"] for one in check(layers=text)[1][0]["checks"]}


@pytest.mark.parametrize("name, more, back", WAYS)
@pytest.mark.parametrize("by_self, status", [("other.value", "correct"), ("self.value", "wrong")])
def test_a_function_that_goes_back_is_taken(check, name, more, back, by_self, status):
    text = LOCAL.format(name=name, more=more, told=back, by_self=by_self)
    assert told(check, text) == {"Variable": status}


BOXED = """
    import numpy as np

    class Variable:
        def __init__(self, data):
            self.data, self.grad, self.creator = np.asarray(data), None, None

        def backward(self):
            x = self.creator.input
            x.grad = self.creator.backward(self.grad)
            x.backward()

    class Function:
        def __call__(self, input):
            output = Variable(self.forward(input.data))
            output.creator = self
            self.input = input
            return output

        def forward(self, x):
            raise NotImplementedError

        def backward(self, gy):
            raise NotImplementedError

    class Square(Function):
        def forward(self, x):
            return x ** 2

        def backward(self, gy):
            return {two} * self.input.data * gy
"""


@pytest.mark.parametrize("two, status", [("2", "correct"), ("1", "wrong")])
def test_a_function_is_called_with_variables(check, two, status):
    assert told(check, BOXED.format(two=two)) == {"Square": status}


VECTOR = """
    import numpy as np

    class Vector:
        def __init__(self, data):
            self.data = np.asarray(data)

        def __add__(self, other):
            return Vector(self.data + other.data)

        def __mul__(self, number):
            return Vector(self.data * number)

    def gradient(f, x):
        return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5

    def tanh(x):
        return np.tanh(x)

    def tanh_prime(x):
        return 1 - np.tanh(x) ** 2
"""


def test_a_vector_is_no_engine(check):
    assert told(check, VECTOR) == {"tanh_prime": "correct"}
