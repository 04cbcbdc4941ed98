"""Activations, number by number.

    ReLU      y = max(x, 0)              dx = g where y > 0           the paper, section 3.1
    tanh      y = tanh x                 dx = g·(1 − y²)              LeNet-5
    sigmoid   y = 1 / (1 + e^−x)         dx = g·y·(1 − y)

Each derivative is written with the output y, so x itself need not be kept. At 0, where ReLU has a kink, dx is 0.
"""
from ..backend import array_module, empty, for_blocks
from ..tensor import Function


class _Activation(Function):
    fresh_gradients = True

    def forward(self, x):
        xp = array_module(x)
        y = empty(x.shape, x.dtype, like=x)
        for_blocks(lambda x, y: self.value(xp, x, y), xp.ascontiguousarray(x), y)
        self.save_for_backward(y)
        return y

    def backward(self, grad_output):
        (y,) = self.saved
        xp = array_module(y)
        dx = empty(y.shape, y.dtype, like=y)
        for_blocks(lambda g, y, dx: self.slope(xp, g, y, dx), xp.ascontiguousarray(grad_output), y, dx)
        return dx


class ReLU(_Activation):
    def value(self, xp, x, y):
        xp.maximum(x, 0, out=y)

    def slope(self, xp, g, y, dx):
        xp.multiply(g, y > 0, out=dx)


class Tanh(_Activation):
    def value(self, xp, x, y):
        xp.tanh(x, out=y)

    def slope(self, xp, g, y, dx):
        xp.multiply(g, 1 - y * y, out=dx)


class Sigmoid(_Activation):
    def value(self, xp, x, y):
        # e^−|x| never overflows; for negative x, 1/(1 + e^−x) = e^x / (1 + e^x).
        small = xp.exp(-xp.abs(x))
        xp.divide(xp.where(x >= 0, 1, small), 1 + small, out=y)

    def slope(self, xp, g, y, dx):
        xp.multiply(g, y * (1 - y), out=dx)
