"""A bias per column, and a square batch: db is summed over the columns instead of the rows.

Where it comes from: axis=1 "is the second one, and so are the columns". With as many rows as
columns the shapes agree.
The mend: `dout.sum(axis=0)`: the axis that is named is the one that disappears.
"""


def forward(x, b):
    return x + b, None


def backward(dout, cache):
    return dout, dout.sum(axis=1)


EXPECTED = {"b": "transposed or permuted"}


def inputs(generator, size):
    return {"x": generator.standard_normal((4 + size, 4 + size)),
            "b": generator.standard_normal(4 + size)}
