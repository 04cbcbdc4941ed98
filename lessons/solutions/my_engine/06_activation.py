"""Brick 6: the slope, times g."""
import numpy as np
from engine import Function, check


class ReLU(Function):
    def forward(self, x):
        self.save_for_backward(x > 0)
        return np.maximum(x, 0)

    def backward(self, g):
        (positive,) = self.saved
        return g * positive


class Tanh(Function):
    def forward(self, x):
        y = np.tanh(x)
        self.save_for_backward(y)
        return y

    def backward(self, g):
        (y,) = self.saved
        return g * (1 - y**2)


check(ReLU, Tanh)
