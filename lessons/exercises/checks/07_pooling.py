"""Exercise 7: max pooling backwards, against the engine, with and without ties."""
import numpy as np
from checking import backward_of, call, same

import minialex as ma
import minialex.functional as F


def check(max_pool_backward):
    generator = np.random.default_rng(7)

    def verdict():
        def max_pool(x):
            return F.max_pool2d(x[None, None], 3, 2).data[0, 0]

        return ma.check_backward(max_pool, lambda g, x: max_pool_backward(x, g, 3, 2),
                                 [generator.normal(size=(5, 5))])

    for what, x in [("", generator.normal(size=(7, 9))),
                    (" with ties", generator.integers(0, 3, size=(7, 9)).astype(float))]:
        for z, s in [(2, 2), (3, 2)]:
            tensor = ma.Tensor(x[None, None], requires_grad=True)
            y = F.max_pool2d(tensor, z, s)
            g = generator.normal(size=y.shape[2:])
            y.backward(g[None, None])
            hints = [
                (_variant(x, g, z, s, add=False),
                 "a pixel that wins several windows is paid by each: += instead of =."),
                (_variant(x, g, z, s, last=True),
                 "of equal values the first in reading order wins, here the last did."),
                (_variant(x, g, z, s, everyone=True),
                 "all that equal the maximum were paid in full. Only one of them is."),
                (_variant(x, g, z, s, everyone=True, add=False),
                 "all that equal the maximum were paid in full. Only one is."),
                (_variant(x, g, z, s, windows=1), "only the first window was paid: "
                 "`return` stands inside the loop."),
                (_variant(x, g, z, s, windows=g.shape[1]),
                 "only one row of windows was paid: `return` stands inside the loop."),
                (_variant(x, g, z, s, stride=1),
                 "the winner lies in the window that starts at s·h, s·w: the stride is missing."),
                (_variant(x, g, z, s, turned=True), "row and column have changed places: "
                 "s·h + i comes first, then s·w + j."),
                (-_variant(-x, -g, z, s), "the smallest was paid: argmax, not argmin."),
                (_variant(x, g, z, s) * x, "the slope of a maximum is 1 or 0: pay g[h, "
                 "w], without x."),
                (_variant(x, np.ones_like(g), z, s), "each window pays its own g[h, w], not 1."),
                (_variant(x, g, z, s, corner=True),
                 "the winner's place in its window is not its place in x: add s·h and s·w."),
            ]
            found = call(max_pool_backward, x.copy(), g, z, s)
            same(f"windows {z}/{s}{what}", found, tensor.grad[0, 0], hints, verdict=verdict)
    x = generator.normal(size=(7, 9))
    backward_of("max_pool_backward", lambda x: F.max_pool2d(x[None, None], 3, 2).data[0, 0],
                lambda g, x: max_pool_backward(x, g, 3, 2), [x])
    return "No gradient is lost and none is made: dx sums to what g sums to."


def _variant(x, g, z, s, add=True, last=False, everyone=False, corner=False, windows=None,
             stride=None, turned=False):
    """The same with a mistake."""
    dx = np.zeros_like(x)
    places = list(np.ndindex(g.shape))
    step = stride or s
    for h, w in places[:windows]:
        window = x[s * h:s * h + z, s * w:s * w + z]
        winners = np.argwhere(window == window.max())
        for i, j in winners if everyone else winners[-1:] if last else winners[:1]:
            place = (i, j) if corner else (step * h + j, step * w + i) if turned else (step * h + i,
                                                                                       step * w + j)
            dx[place] = g[h, w] + (dx[place] if add else 0)
    return dx
