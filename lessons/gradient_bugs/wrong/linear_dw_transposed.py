"""Linear layer: dw is (outputs, inputs), w is (inputs, outputs).

Where it comes from: PyTorch keeps its weights as (outputs, inputs), and dw was looked up there.
Where the matrix is square nothing complains.
The mend: `x.T @ dout`.
"""


def forward(x, w, b):
    return x @ w + b, (x, w)


def backward(dout, cache):
    x, w = cache
    return dout @ w.T, dout.T @ x, dout.sum(axis=0)


EXPECTED = {"w": "transposed or permuted"}


def inputs(generator, size):
    D = 4 + size
    return {"x": generator.standard_normal((3, D)), "w": generator.standard_normal((D, D)),
            "b": generator.standard_normal(D)}
