"""Activations, number by number.

ReLU is the paper's (section 3.1), tanh LeNet-5's, sigmoid what came before. Each derivative is written with the output y, so x
itself need not be kept. At 0, where ReLU has a kink, dx is 0.
"""
from ..device import array_module
from ..fast.layout import arranged, empty_like
from ..fast.threads import for_blocks
from ..tensor import Function


class _Activation(Function):
    """A function of one number. Each below says two things: `value` writes f(x) into y, and `slope`, computed from y, writes
    g·f′(x) into dx. Both are run on cache-sized blocks, on all cores."""

    fresh_gradients = True

    def forward(self, x):
        xp = array_module(x)
        x = arranged(x)
        y = empty_like(x)
        for_blocks(lambda *blocks: self.value(xp, *blocks), x, y)
        self.save_for_backward(y)
        return y

    def backward(self, grad_output):
        (y,) = self.saved
        xp = array_module(y)
        dx = empty_like(y)
        for_blocks(lambda *blocks: self.slope(xp, *blocks), arranged(grad_output, like=y), y, dx)
        return dx


class ReLU(_Activation):
    """y = max(x, 0);  dx = g where y > 0"""

    def value(self, xp, x, y):
        xp.maximum(x, 0, out=y)

    def slope(self, xp, g, y, dx):
        xp.multiply(g, y > 0, out=dx)


class Tanh(_Activation):
    """y = tanh x;  dx = g·(1 − y²)"""

    def value(self, xp, x, y):
        xp.tanh(x, out=y)

    def slope(self, xp, g, y, dx):
        xp.multiply(y, y, out=dx)
        xp.subtract(1, dx, out=dx)
        dx *= g


class Sigmoid(_Activation):
    """y = 1 / (1 + e^−x);  dx = g·y·(1 − y)"""

    def value(self, xp, x, y):
        # e^−|x| never overflows; for negative x, 1/(1 + e^−x) = e^x / (1 + e^x).
        small = xp.exp(-xp.abs(x))
        xp.divide(xp.where(x >= 0, 1, small), 1 + small, out=y)

    def slope(self, xp, g, y, dx):
        xp.multiply(g, y * (1 - y), out=dx)
