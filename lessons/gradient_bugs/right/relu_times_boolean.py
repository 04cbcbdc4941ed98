"""ReLU without a ReLU: x·(x > 0), the mask taken from the output, the gradient masked by
multiplying twice."""


def forward(x):
    out = x * (x > 0)
    return out, [out]


def backward(dout, cache):
    (out,) = cache
    return dout * (out != 0) * (out != 0)


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 3, 3, 2 + size))}
