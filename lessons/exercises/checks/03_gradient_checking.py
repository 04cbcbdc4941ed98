"""Exercise 3: central differences, entry by entry."""
import numpy as np
from checking import Wrong, call, same


def check(numeric_gradient):
    x = np.random.default_rng(3).normal(size=(2, 3))
    kept = x.copy()

    def f(v):
        return (v**3).sum() + v[0, 0] * v[1, 2]

    right = 3 * x**2
    right[0, 0] += x[1, 2]
    right[1, 2] += x[0, 0]
    found = call(numeric_gradient, f, x, 1e-2)
    if not np.array_equal(x, kept):
        raise Wrong("numeric_gradient: x is no longer what it was. Move a copy, x.copy(), "
                    "or take the step back afterwards.")
    central = right + 1e-4  # of v³, exactly: 3x² + h²
    first = np.zeros_like(x)
    first[0, 0] = central[0, 0]
    up, down = right + 3e-2 * x + 1e-4, right - 3e-2 * x + 1e-4  # one-sided
    same("numeric_gradient with h = 0.01", found, central, [
        (up, "that is one-sided, (f(x + h) - f(x))/h: step to both sides, "
         "the error falls from h to h²."),
        (down, "that is one-sided, (f(x) - f(x - h))/h: step to both sides, "
         "the error falls from h to h²."),
        (first, "only the first entry was done: `return` stands inside the loop. "
         "Move it to the left."),
        (np.zeros_like(x), "every difference is 0. After `up, down = x, "
         "x` both are the same array: what you add to one you "
         "take off again. Take copies: x.copy()."),
        (2 * central, "from x - h to x + h it is two steps: divide by 2h."),
        (-central, "up minus down, not down minus up."),
        (central * 2e-2, "the difference still has to be divided by 2h."),
        (central * 1e-4, "divided by 2h, in brackets: a / 2 * h is a·h/2."),
        (np.full_like(x, central.sum()), "all entries moved at once: start each from x as it was, "
         "and move one."),
    ], within=1e-7)
    same("numeric_gradient of a sum", call(numeric_gradient, np.sum, np.zeros(4)), np.ones(4),
         within=1e-6)
    return ("Two forward passes for each entry: "
            "for AlexNet's 60,965,224 that is a reason for backward().")
