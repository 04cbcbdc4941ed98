"""Softplus, log(1 + e^x): backward takes the sigmoid of the output.

Where it comes from: `self.out` was at hand.
The mend: the sigmoid of the input.
"""
import numpy as np


def forward(x):
    out = np.log1p(np.exp(x))
    return out, {"out": out}


def backward(dout, cache):
    return dout / (1 + np.exp(-cache["out"]))


EXPECTED = {"x": "uses the output instead of the input"}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 4 + size))}
