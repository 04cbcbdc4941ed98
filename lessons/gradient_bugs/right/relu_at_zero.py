"""ReLU with many zeros in its input, and `>=` in backward: at the kink 0 and 1 are equally
right."""
import numpy as np


def relu(x):
    return x * (x >= 0)


def relu_backward(dy, x):
    return np.where(x >= 0, dy, 0)


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.integers(-2, 3, (4, 6 + size)).astype(float)}
