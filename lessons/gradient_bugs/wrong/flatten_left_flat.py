"""Linear layer on pictures: forward flattens (N, C, H, W), backward returns dx flat.

Where it comes from: forward's reshape is one line, and easily forgotten on the way back.
The mend: `dx.reshape(x.shape)`.
"""


def forward(x, w):
    return x.reshape(len(x), -1) @ w, (x, w)


def backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.reshape(len(x), -1).T @ dout


EXPECTED = {"x": "shape differs"}


def inputs(generator, size):
    return {"x": generator.standard_normal((3, 2, 2, 3 + size)),
            "w": generator.standard_normal((4 * (3 + size), 3))}
