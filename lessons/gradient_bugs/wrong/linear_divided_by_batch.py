"""Linear layer: dw and db are divided by the batch size, which the loss has already done.

Where it comes from: derivations of the whole network write dW = (1/m)·dZ·Aᵀ in every layer. There
dZ is not yet averaged; here dout comes from a loss that is.
The mend: divide once, in the loss.
"""


def forward(A, W, b):
    return A @ W + b, (A, W, b)


def backward(dZ, cache):
    A, W, b = cache
    m = A.shape[0]
    dW = A.T @ dZ / m
    db = dZ.sum(axis=0) / m
    return dZ @ W.T, dW, db


EXPECTED = {"W": "mean where a sum is due", "b": "mean where a sum is due"}


def inputs(generator, size):
    D, M = 4, 3 + size
    return {"A": generator.standard_normal((5, D)), "W": generator.standard_normal((D, M)),
            "b": generator.standard_normal(M)}
