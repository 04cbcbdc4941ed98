"""A weighted sum of three arrays with the gradients in a list, the cache a function that
remembers."""


def forward(a, b, c):
    return a * b + b * c, lambda dout: [dout * b, dout * (a + c), dout * b]


def backward(dout, cache):
    return cache(dout)


EXPECTED = {}


def inputs(generator, size):
    return {name: generator.standard_normal((3, 3 + size)) for name in "abc"}
