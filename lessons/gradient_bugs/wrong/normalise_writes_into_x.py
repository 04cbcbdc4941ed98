"""Centring: `x -= x.mean(axis=0)` changes the caller's array.

Where it comes from: `x -= m` looks like `x = x - m`. For arrays it is not: the one writes into the
array that was passed in, the other makes a new one.
The mend: `x = x - x.mean(axis=0)`.
"""


def forward(x):
    x -= x.mean(axis=0)
    return x * 2, None


def backward(dout, cache):
    return 2 * (dout - dout.mean(axis=0))


EXPECTED = {"x": "forward changes its input in place"}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 5 + size))}
