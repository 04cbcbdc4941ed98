"""Exercise 12: LeNet-5 as it was counted in 1998

C1 (6 maps, kernels 5×5 over one picture) and C5 (120 maps, 5×5 over 16) see everything below; C3
sees what its table says; S2 and S4 have two trained numbers for each of their 6 and 16 maps; F6 is
fully connected, 120 → 84. The output has none.
"""
import numpy as np
from course import check

TABLE = ([[(i + j) % 6 for j in range(3)] for i in range(6)]
         + [[(i + j) % 6 for j in range(4)] for i in range(6)]
         + [[i, i + 1, (i + 3) % 6, (i + 4) % 6] for i in range(3)]
         + [list(range(6))])


def sparse_convolution(table, K):
    """The parameters of a convolution with K×K kernels, one output map for each entry of `table`,
    which lists the input maps that it sees. Every output map has one bias."""
    ...
    return ...


def fully_connected(inputs, outputs):
    """The parameters of a fully connected layer with biases."""
    ...
    return ...


def lenet_1998():
    """All trainable parameters together."""
    ...
    return ...


check(sparse_convolution, fully_connected, lenet_1998)
