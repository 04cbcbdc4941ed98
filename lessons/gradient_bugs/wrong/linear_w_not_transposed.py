"""Linear layer: dx = dout @ w where dout @ w.T is due.

Where it comes from: with as many inputs as outputs the shapes agree.
The mend: `dout @ w.T`. The test: never square matrices.
"""


def forward(x, w, b):
    return x @ w + b, (x, w)


def backward(dout, cache):
    x, w = cache
    return dout @ w, x.T @ dout, dout.sum(axis=0)


EXPECTED = {"x": "transposed or permuted"}


def inputs(generator, size):
    D = 4 + size
    return {"x": generator.standard_normal((3, D)), "w": generator.standard_normal((D, D)),
            "b": generator.standard_normal(D)}
