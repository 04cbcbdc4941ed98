"""Exercise 2: a/b and its two derivatives."""
import numpy as np
from checking import Wrong, gradients, same, slopes

import minialex as ma


def check(Divide):
    generator = np.random.default_rng(2)
    a, b, g = generator.normal(size=5), generator.uniform(1, 2, size=5), generator.normal(size=5)
    found = slopes(Divide, [a, b], g)
    if len(found) != 2:
        raise Wrong(f"backward returns {len(found)} gradient: two went in, a and b, "
                    "so two come back.")

    def verdict():
        return ma.gradcheck(Divide, [a, b])

    same("dL/da", found[0], g / b,
         [(1 / b, "that is dy/da. Multiply it by g, which says how much L depends on y."),
          (g * a / b, "that is g·y. When a grows by 1, y grows by 1/b: there is no a in it."),
          (g * b, "dy/da is 1/b."), (g, "dy/da is 1/b, not 1."),
          (-g * a / b**2, "this one belongs to b: a comes first.")], verdict=verdict)
    same("dL/db", found[1], -g * a / b**2, [(g * a / b**2, "a larger b makes y smaller: the sign."),
                                            (-a / b**2, "that is dy/db. Multiply it by g."),
                                            (-g / b**2, "the a is missing: y = a·(1/b)."),
                                            (-g * a / b, "the derivative of 1/b is -1/b²."),
                                            (g * a, "the derivative of 1/b is -1/b².")],
         verdict=verdict)
    gradients("Divide", Divide, [a, b])
    return "The gradient checker finds nothing either, entry by entry."
