"""Linear layer: backward adds the weight decay to dw, though forward's result does not contain it.

Where it comes from: regularisation belongs to the loss or to the optimiser. In the layer it is
counted twice, and the layer's gradient is not that of its output.
The mend: leave it to the optimiser.
"""


def forward(x, w, decay=0.1):
    return x @ w, (x, w, decay)


def backward(dout, cache):
    x, w, decay = cache
    return dout @ w.T, x.T @ dout + decay * w


EXPECTED = {"w": "one term too many"}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 5)), "w": generator.standard_normal((5, 3 + size)),
            "decay": 0.1}
