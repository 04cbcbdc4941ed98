"""ReLU in place: forward sets the caller's negative values to 0.

Where it comes from: it saves memory. But the layer before may need its output, which is this array,
for its own backward.
The mend: `np.maximum(x, 0)`, a new array.
"""


def forward(x):
    x[x < 0] = 0
    return x, x


def backward(dout, cache):
    return dout * (cache > 0)


EXPECTED = {"x": "forward changes its input in place"}


def inputs(generator, size):
    return {"x": generator.standard_normal((4, 5 + size))}
