"""ReLU in place, but on a copy: the caller's arrays stay as they were."""


def forward(x):
    out = x.copy()
    out[out < 0] = 0
    return out, out


def backward(dout, cache):
    dx = dout.copy()
    dx[cache <= 0] = 0
    return dx


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 5 + size))}
