"""ReLU: backward asks whether dout is positive, not whether x was.

Where it comes from: "ReLU again, on the way back". (Guided backpropagation makes pictures that way;
gradients it does not.)
The mend: `dout * (x > 0)`.
"""
import numpy as np


def relu(x):
    return np.maximum(x, 0)


def relu_backward(dout, x):
    return dout * (dout > 0)


EXPECTED = {"x": "unknown"}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 6 + size))}
