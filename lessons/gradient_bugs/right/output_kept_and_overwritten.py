"""tanh that computes everything again in backward, and overwrites its own arrays while doing so."""
import numpy as np


def forward(x):
    return np.tanh(x), x


def backward(dout, cache):
    work = np.tanh(cache)
    work *= work
    work *= -1
    work += 1
    work *= dout
    return work


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((3, 5 + size))}
