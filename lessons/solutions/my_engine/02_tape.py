"""Brick 2: read from its end, a list with parents first is an order in which each slope is complete
before it is passed on."""
import numpy as np
from engine import check


class Tensor:
    def __init__(self, data, parents=(), pass_back=None):
        self.data, self.parents, self.pass_back = np.asarray(data, dtype=float), parents, pass_back
        self.grad = np.zeros_like(self.data)

    def backward(self):
        self.grad = np.ones_like(self.data)
        for value in reversed(in_order(self, [])):
            if value.parents:
                for parent, slope in zip(value.parents, value.pass_back(value.grad)):
                    parent.grad = parent.grad + slope


def in_order(value, order):
    if not any(value is known for known in order):
        for parent in value.parents:
            in_order(parent, order)
        order.append(value)
    return order


class Function:
    saved = ()

    def save_for_backward(self, *arrays):
        self.saved = arrays

    def slopes(self, g):
        found = self.backward(g)
        return list(found) if isinstance(found, (tuple, list)) else [found]

    def __call__(self, *tensors):
        y = self.forward(*[tensor.data for tensor in tensors])
        return Tensor(y, tensors, self.slopes)


check(Tensor, Function)
