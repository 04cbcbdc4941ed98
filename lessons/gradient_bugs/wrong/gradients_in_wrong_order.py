"""Linear layer: backward returns dw first, then dx.

Where it comes from: the weights are what is trained, so they come to mind first. The order is that
of forward's arguments.
The mend: `return dx, dw`.
"""


def forward(x, w):
    return x @ w, (x, w)


def backward(dout, cache):
    x, w = cache
    return x.T @ dout, dout @ w.T


EXPECTED = {"x": "shape differs", "w": "shape differs"}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 5)), "w": generator.standard_normal((5, 3 + size))}
