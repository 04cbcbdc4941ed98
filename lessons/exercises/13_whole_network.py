"""Exercise 13: a counter for networks like AlexNet

Layers are given as tuples: ("conv", C_in, C_out, K, groups, width of the output) or ("fc", inputs,
outputs). All have biases.
"""
import numpy as np
from course import check


def parameters(layer):
    """How many numbers are trained, biases included."""
    ...
    return ...


def products(layer):
    """Multiply-accumulates for one picture, biases not counted."""
    ...
    return ...


def neurons(layers):
    """How many values all layers put out together, for one picture."""
    ...
    return ...


check(parameters, products, neurons)
