"""Linear layer: backward mixes the gradient with that of the call before.

Where it comes from: momentum belongs to the optimiser. Kept in the layer, every call of backward
gives something else, also for the same input.
The mend: `dw = x.T @ dout`, and the velocity in the optimiser.
"""
velocity = {}


def forward(x, w):
    return x @ w, (x, w)


def backward(dout, cache):
    x, w = cache
    velocity["w"] = 0.9 * velocity.get("w", 0) + x.T @ dout
    return dout @ w.T, velocity["w"]


EXPECTED = {"w": "not deterministic"}


def inputs(generator, size):
    velocity.clear()
    return {"x": generator.standard_normal((4, 5)), "w": generator.standard_normal((5, 3 + size))}
