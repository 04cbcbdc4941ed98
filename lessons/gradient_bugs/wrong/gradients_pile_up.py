"""y = g·x with the gradients as `+=` into arrays that nobody sets back to zero.

Where it comes from: the loop over the batch adds to self.grad, as it should; zero_grad() is
missing. The first call is right.
The mend: start every call with zeros.
"""
import numpy as np

grads = {}


def forward(x, g):
    return x * g, (x, g)


def backward(dout, cache):
    x, g = cache
    if "g" not in grads:
        grads["g"] = np.zeros_like(g)
    for row in range(len(x)):
        grads["g"] += dout[row] * x[row]
    return dout * g, grads["g"].copy()


EXPECTED = {"g": "not deterministic"}


def inputs(generator, size):
    grads.clear()
    return {"x": generator.standard_normal((4, 3 + size)), "g": generator.standard_normal(3 + size)}
