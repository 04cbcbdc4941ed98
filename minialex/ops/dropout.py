"""Dropout (the paper, section 4.2), in its inverted form.

    training:    y = x · m / (1 − p),   m = 1 with probability 1 − p, else 0       dx = g · m / (1 − p)
    evaluation:  y = x

The paper halves the outputs at test time instead; dividing while training gives the same expectation and leaves the
network alone when it is used.
"""
from ..fast import kernels
from ..random import first_row, random_key
from ..tensor import Function


class Dropout(Function):
    """The mask m is never kept: it follows from one random number, `key`, so that backward draws it again."""

    fresh_gradients = True

    def __init__(self, p=0.5):
        if not 0 <= p < 1:
            raise ValueError(f"dropout: p is the probability of dropping a value, 0 <= p < 1, got {p}.")
        self.p = p

    def forward(self, x):
        self.key, self.first = random_key(), first_row() * (x.size // max(len(x), 1) if x.ndim else 0)
        return kernels(x).dropout(x, self.p, self.key, self.first)

    def backward(self, grad_output):
        return kernels(grad_output).dropout(grad_output, self.p, self.key, self.first)
