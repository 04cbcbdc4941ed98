"""Dropout (the paper, section 4.2), in its inverted form.

    training:    y = x · m / (1 − p)       dx = g · m / (1 − p)
    evaluation:  y = x                     m = 1 with probability 1 − p, else 0

The paper halves the outputs at test time instead; dividing while training gives the same
expectation and leaves the network alone when it is used.
"""
from ..aliases import Array
from ..random import uniform_like
from ..tensor import Function


class Dropout(Function):
    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"dropout: p is the probability to drop a value, 0 <= p < 1, got {p}.")
        self.p = p

    def forward(self, x: Array) -> Array:
        mask = (uniform_like(x) >= self.p) * x.dtype.type(1 / (1 - self.p))
        self.save_for_backward(mask)
        return x * mask

    def backward(self, g: Array) -> Array:
        (mask,) = self.saved
        return g * mask
