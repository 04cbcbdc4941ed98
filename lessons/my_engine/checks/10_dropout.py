"""Brick 10: dropout with given random numbers, p = 0.3 so that p and 1 - p are not the same."""
import numpy as np
from bricks import operation, right


def check(Dropout):
    generator = np.random.default_rng(10)
    x, u = generator.normal(size=(4, 5)), generator.random(size=(4, 5))
    kept = u >= 0.3
    expected = y, g, (dx,) = right(lambda x: x * (kept / 0.7), x)
    operation(lambda: Dropout(0.3, u), [x], expected, forward=[
        (x * kept, "what is kept has to be divided by 1 - p, or the mean falls to 0.7·x."),
        (x * kept / 0.3, "divide by 1 - p, the share that is kept, not by p."),
        (x * ~kept / 0.7, "p is the probability of dropping: kept is u >= p."),
        (x * ~kept / 0.3, "p is the probability of dropping: kept is u >= p, "
         "and the division is by 1 - p."),
        (x * kept * 0.7, "divide by 1 - p. "
         "Multiplying by it is what the paper does at test time, instead."),
        (x, "nothing is dropped yet."),
    ], backward=[("x", [
        (g * kept, "the division by 1 - p belongs to the slope too."),
        (g, "a dropped value had no influence on L: its gradient is 0."),
        (g / 0.7, "a dropped value had no influence on L: its gradient is 0."),
        (y, "that is y. Backward returns the slope times g."),
        (kept / 0.7, "multiply by g."),
        (g * y, "one factor too many: the slope is m/(1 - p), without x."),
    ])])
    return "The same mask in both directions: a value that was not there learns nothing."
