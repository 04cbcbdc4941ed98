"""A factor for every column, kept as (1, D): its gradient comes back as (D,).

Where it comes from: sum(axis=0) drops the axis. The update `g -= lr * dg` broadcasts, so nothing
complains there.
The mend: `sum(axis=0, keepdims=True)`.
"""


def forward(x, g):
    return x * g, (x, g)


def backward(dout, cache):
    x, g = cache
    return dout * g, (dout * x).sum(axis=0)


EXPECTED = {"g": "shape differs"}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 3 + size)),
            "g": generator.standard_normal((1, 3 + size))}
