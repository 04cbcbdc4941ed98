"""y = x³: backward computes 3·y² because the cache holds the output.

Where it comes from: a base class that keeps the output, as is handy for tanh and the sigmoid.
The mend: keep the input.
"""


def forward(x):
    out = x ** 3
    return out, out


def backward(dout, cache):
    x = cache
    return dout * 3 * x ** 2


EXPECTED = {"x": "uses the output instead of the input"}


def inputs(generator, size):
    return {"x": generator.standard_normal((3, 5 + size))}
