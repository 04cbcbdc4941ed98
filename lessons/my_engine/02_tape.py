"""Brick 2: the tape

It is the tape of lesson 02, with operations as classes, as in section 4 there. A Tensor knows its
parents, and pass_back, which turns its slope g into one slope for each parent. Whatever you build
later stands on this brick.
"""
import numpy as np
from engine import check


class Tensor:
    """An array on the tape. grad is dL/d(this array), after backward() of the loss L."""

    def __init__(self, data, parents=(), pass_back=None):
        """parents: the Tensors that it was made of. pass_back(g): a list with the slope of each
        parent."""
        self.data, self.parents, self.pass_back = np.asarray(data, dtype=float), parents, pass_back
        self.grad = np.zeros_like(self.data)

    def backward(self):
        """Start with the slope 1 here, and walk back. Add what each value passes back to the grad
        of its parents."""
        self.grad = np.ones_like(self.data)
        ...


def in_order(value, order):
    """The list `order` with all values behind this one added: parents first, each value once."""
    ...
    return order


class Function:
    """An operation. Its forward(*arrays) returns an array, its backward(g) one slope for each
    input."""

    saved = ()

    def save_for_backward(self, *arrays):
        self.saved = arrays

    def slopes(self, g):
        """backward(g) as a list, also where there is only one input."""
        found = self.backward(g)
        return list(found) if isinstance(found, (tuple, list)) else [found]

    def __call__(self, *tensors):
        """Run forward on the arrays of the tensors. Return a Tensor of what comes out: the tensors
        are its parents, and self.slopes is its pass_back."""
        ...


check(Tensor, Function)
