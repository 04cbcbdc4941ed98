"""Product along a row: dx = dout · product / x, which is 0/0 where x is 0.

Where it comes from: the textbook formula for the derivative of a product, true for x ≠ 0.
The mend: multiply the other factors, without dividing.
"""
import numpy as np


def forward(x):
    out = np.prod(x, axis=1)
    return out, (x, out)


def backward(dout, cache):
    x, out = cache
    with np.errstate(invalid="ignore"):
        return (dout * out)[:, None] / x


EXPECTED = {"x": "not finite"}


def inputs(generator, size):
    x = generator.standard_normal((4, 3 + size))
    x[1, 2] = x[2, 0] = 0
    return {"x": x}
