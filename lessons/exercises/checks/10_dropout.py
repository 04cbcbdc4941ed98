"""Exercise 10: dropout with given random numbers, p = 0.3 so that p and 1 - p are not the same."""
import numpy as np
from checking import call, gradients, same, slopes

import minialex as ma


def check(Dropout):
    generator = np.random.default_rng(10)
    x, g, u = (generator.normal(size=(4, 5)), generator.normal(size=(4, 5)),
               generator.random(size=(4, 5)))
    kept = u >= 0.3
    same("forward", call(Dropout(0.3, u).forward, x), x * kept / 0.7, [
        (x * kept, "what is kept has to be divided by 1 - p, or the mean falls to 0.7·x."),
        (x * kept / 0.3, "divide by 1 - p, the share that is kept, not by p."),
        (x * ~kept / 0.7, "p is the probability of dropping: kept is u >= p."),
        (x * ~kept / 0.3, "p is the probability of dropping: kept is u >= p, "
         "and the division is by 1 - p."),
        (x * kept * 0.7, "divide by 1 - p. "
         "Multiplying by it is what the paper does at test time, instead."),
        (x, "nothing is dropped yet."),
    ])
    (found,) = slopes(Dropout(0.3, u), [x], g)
    same("backward", found, g * kept / 0.7, [
        (g * kept, "the division by 1 - p belongs to the slope too."),
        (g, "a dropped value had no influence on L: its gradient is 0."),
        (g / 0.7, "a dropped value had no influence on L: its gradient is 0."),
        (x * kept / 0.7, "that is y. Backward returns the slope times g."),
        (kept / 0.7, "multiply by g."),
        (g * x * kept / 0.7, "one factor too many: the slope is m/(1 - p), without x."),
    ], verdict=lambda: ma.gradcheck(Dropout(0.3, u), [x]))
    gradients("Dropout", Dropout(0.3, u), [x])
    return "The same mask in both directions: a value that was not there learns nothing."
