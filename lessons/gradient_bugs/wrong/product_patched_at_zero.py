"""Product along a row: dx = dout · product / x, and 0 where x is 0 "to avoid the NaN".

Where it comes from: np.where(x == 0, 0, ...) silences the warning, not the error: at x = 0 the
derivative is the product of the others.
The mend: multiply the other factors, without dividing.
"""
import numpy as np


def forward(x):
    out = np.prod(x, axis=1)
    return out, (x, out)


def backward(dout, cache):
    x, out = cache
    safe = np.where(x == 0, 1, x)
    return np.where(x == 0, 0, (dout * out)[:, None] / safe)


EXPECTED = {"x": "wrong where the input is zero"}


def inputs(generator, size):
    x = generator.standard_normal((6, 3 + size))
    x[1, 2] = x[2, 0] = x[4, 1] = 0
    return {"x": x}
