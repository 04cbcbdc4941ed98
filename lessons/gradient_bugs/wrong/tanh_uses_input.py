"""tanh: 1 − x² instead of 1 − y².

Where it comes from: the rule is "one minus the square of the output", the cache holds the input,
and both are called x by then.
The mend: keep the output.
"""
import numpy as np


def forward(x):
    return np.tanh(x), x


def backward(dout, cache):
    x = cache
    return dout * (1 - x ** 2)


EXPECTED = {"x": "uses the input instead of the output"}


def inputs(generator, size):
    return {"x": generator.standard_normal((3, 5 + size))}
