"""Loss with ½·λ·Σw²: backward forgets λ·w.

Where it comes from: the penalty was added to the printed loss when the gradients were already done.
The mend: `dw + decay * w`.
"""


def forward(x, w, t, decay=0.1):
    y = x @ w
    return ((y - t) ** 2).sum() / 2 + decay / 2 * (w ** 2).sum(), (x, w, y - t)


def backward(dout, cache):
    x, w, difference = cache
    return dout * difference @ w.T, dout * x.T @ difference, -dout * difference


EXPECTED = {"w": "one term missing"}


def inputs(generator, size):
    x, w = generator.standard_normal((4, 5)), generator.standard_normal((5, 3 + size))
    return {"x": x, "w": w, "t": generator.standard_normal((4, 3 + size)), "decay": 0.1}
