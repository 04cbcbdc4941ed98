"""Linear layer: dw is (outputs, inputs), w is (inputs, outputs), and the shapes say so.

Where it comes from: the two factors of the product are the right ones, in the wrong order.
The mend: `x.T @ dout`.
"""


def forward(x, w, b):
    return x @ w + b, (x, w)


def backward(dout, cache):
    x, w = cache
    return dout @ w.T, dout.T @ x, dout.sum(axis=0)


EXPECTED = {"w": "transposed or permuted"}


def inputs(generator, size):
    D, M = 5 + size, 3
    return {"x": generator.standard_normal((4, D)), "w": generator.standard_normal((D, M)),
            "b": generator.standard_normal(M)}
