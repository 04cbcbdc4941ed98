"""Linear layer whose columns differ by a factor of a million in size: the small gradients are as
right as the large ones."""


def forward(x, w):
    return x @ w, (x, w)


def backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout


EXPECTED = {}


def inputs(generator, size):
    x, w = generator.standard_normal((4, 4)), generator.standard_normal((4, 3 + size))
    return {"x": x * [1e-3, 1, 1e3, 1], "w": w}
