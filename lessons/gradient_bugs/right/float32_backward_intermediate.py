"""Sigmoid whose backward works in float32: the digits behind the seventh are not wrong, only
missing."""
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_backward(dout, x):
    y = sigmoid(x).astype(np.float32)
    return (dout.astype(np.float32) * y * (1 - y)).astype(np.float64)


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((3, 5 + size))}
