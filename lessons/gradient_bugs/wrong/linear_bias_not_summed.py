"""Linear layer: db is dout itself, one row for every example.

Where it comes from: "the derivative of a sum with respect to b is 1, so db = dout". True for one
example; the bias was broadcast over all of them.
The mend: `dout.sum(axis=0)`.
"""


def forward(x, w, b):
    return x @ w + b, (x, w)


def backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout


EXPECTED = {"b": "not summed over the batch or broadcast axes"}


def inputs(generator, size):
    D, M = 5 + size, 3
    return {"x": generator.standard_normal((4, D)), "w": generator.standard_normal((D, M)),
            "b": generator.standard_normal(M)}
