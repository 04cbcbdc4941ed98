"""y = a − b: both get +dout.

Where it comes from: copied from the sum.
The mend: `-dout` for b.
"""


def forward(a, b):
    return a - b, None


def backward(dout, cache):
    return dout, dout.copy()


EXPECTED = {"b": "sign flipped"}


def inputs(generator, size):
    return {"a": generator.standard_normal((3, 4 + size)),
            "b": generator.standard_normal((3, 4 + size))}
