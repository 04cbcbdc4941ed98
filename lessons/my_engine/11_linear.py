"""Brick 11: the fully connected layer

x (N, in), W (out, in), b (out,). Each row of W belongs to one output: y[n, o] = b[o] + Σ over m of
W[o, m]·x[n, m]. How the slopes of a matrix product are found is in lessons 02 and 04.
"""
import numpy as np
from engine import Function, check


class Linear(Function):
    def forward(self, x, W, b):
        """y (N, out). Save what backward needs with self.save_for_backward(...)."""
        ...

    def backward(self, g):
        """g (N, out) is dL/dy. Returns dL/dx, dL/dW and dL/db."""
        ...


check(Linear)
