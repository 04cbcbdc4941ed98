"""y = a + b: both gradients are dout, the very same array."""


def forward(a, b):
    return a + b, None


def backward(dout, cache):
    return dout, dout


EXPECTED = {}


def inputs(generator, size):
    return {"a": generator.standard_normal((3, 4 + size)),
            "b": generator.standard_normal((3, 4 + size))}
