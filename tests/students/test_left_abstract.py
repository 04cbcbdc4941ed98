"""A class that leaves abstract what its forward and its gradient do not need is checked all the
same; one that they need makes it a base for others."""
import pytest

LAYERS = """
from abc import ABC, abstractmethod
import numpy as np

class Module(ABC):
    @abstractmethod
    def forward(self, x):
        pass

    @abstractmethod
    def backward(self, dout):
        pass

    @abstractmethod
    def update(self, lr):
        pass

class Tanh(Module):
    def forward(self, x):
        return np.tanh(x)

    def gradient(self, x):
        return 1 - np.tanh(x) ** 2

class Dense(Module):
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T

class Elementwise(Module):
    def forward(self, x):
        self.x = x
        return self.f(x)

    def backward(self, dout):
        return dout * self.slope(self.x)

    @abstractmethod
    def f(self, x):
        pass

    @abstractmethod
    def slope(self, x):
        pass

class Flat(Module):
    def forward(self, x):
        return x.reshape(len(x), -1)
"""


@pytest.mark.parametrize("slip, status", [
    (("", ""), ["correct", "correct"]), (("** 2", ""), ["wrong", "correct"]),
    (("self.x.T @ dout", "2 * self.x.T @ dout"), ["correct", "wrong"])])
def test_what_is_left_abstract_is_left_out(check, slip, status):
    _, (result,) = check(layers=LAYERS.replace(*slip) if slip[0] else LAYERS)
    assert [one["name"] for one in result["checks"]] == ["Tanh", "Dense"], result
    assert [one["status"] for one in result["checks"]] == status, result
