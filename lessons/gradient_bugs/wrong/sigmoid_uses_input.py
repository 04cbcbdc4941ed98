"""Sigmoid: x·(1 − x) instead of y·(1 − y).

Where it comes from: many derivations write the derivative as s(1 − s) and then call the argument s,
too.
The mend: keep the output.
"""
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_backward(dy, x):
    return dy * x * (1 - x)


EXPECTED = {"x": "uses the input instead of the output"}


def inputs(generator, size):
    return {"x": generator.standard_normal((3, 5 + size))}
