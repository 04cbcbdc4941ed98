"""Mean squared error: the 2 of the square is missing.

Where it comes from: books write the loss with a ½ in front so that the 2 cancels; the code has no
½.
The mend: `2 * (x - t) / x.size`.
"""


def forward(x, t):
    return ((x - t) ** 2).mean(), (x, t)


def backward(dout, cache):
    x, t = cache
    dx = dout * (x - t) / x.size
    return dx, -2 * dx


EXPECTED = {"x": "off by a constant factor"}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 3 + size)),
            "t": generator.standard_normal((4, 3 + size))}
