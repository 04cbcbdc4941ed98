"""Activations, number by number.

    ReLU      y = max(x, 0)            dx = g where y > 0, else 0; at the kink 0
    tanh      y = tanh x               dx = g·(1 − y²)
    sigmoid   y = 1 / (1 + e^−x)       dx = g·y·(1 − y)

ReLU is the paper's (section 3.1), tanh LeNet-5's, sigmoid what came before. Each derivative is
written with the output y, so x itself need not be kept.
"""
from ..aliases import Array
from ..device import array_module
from ..tensor import Function


class ReLU(Function):
    def forward(self, x: Array) -> Array:
        y = array_module(x).maximum(x, 0)
        self.save_for_backward(y)
        return y

    def backward(self, g: Array) -> Array:
        (y,) = self.saved
        return g * (y > 0)


class Tanh(Function):
    def forward(self, x: Array) -> Array:
        y = array_module(x).tanh(x)
        self.save_for_backward(y)
        return y

    def backward(self, g: Array) -> Array:
        (y,) = self.saved
        return g * (1 - y * y)


class Sigmoid(Function):
    def forward(self, x: Array) -> Array:
        xp = array_module(x)
        small = xp.exp(-xp.abs(x))  # never overflows; for x < 0, 1/(1 + e^−x) = e^x / (1 + e^x)
        y = xp.where(x >= 0, 1, small) / (1 + small)
        self.save_for_backward(y)
        return y

    def backward(self, g: Array) -> Array:
        (y,) = self.saved
        return g * (y * (1 - y))
