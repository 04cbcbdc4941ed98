"""Brick 11: the fully connected layer, with shapes in which no two sides are equal."""
import numpy as np
from bricks import operation, right

import minialex.functional as F


def check(Linear):
    generator = np.random.default_rng(11)
    x, W, b = generator.normal(size=(4, 3)), generator.normal(size=(5, 3)), generator.normal(size=5)
    expected = y, g, (dx, dW, db) = right(F.linear, x, W, b)
    operation(Linear, [x, W, b], expected, forward=[
        (y - b, "the bias is missing: b[o] is added to output o of each picture."),
        (y.T, "one row for each picture: (N, out), x @ W.T."),
    ], backward=[
        ("x", [(dx.T, "one row for each picture: (N, in), g @ W.")]),
        ("W", [(dW.T, "a row of W belongs to an output: (out, in), g.T @ x."),
               (dW / 4, "that is the mean over the pictures. "
                "The loss has taken its mean already: add up."),
               (np.outer(g[0], x[0]), "only the first picture counts: "
                "the product g.T @ x adds up over all of them.")]),
        ("b", [(g, "each picture has used b once: add up over the pictures, g.sum(axis=0)."),
               (g.sum(axis=1), "add up over the pictures, axis=0: one slope for each output."),
               (g.mean(axis=0), "that is the mean over the pictures. "
                "The loss has taken its mean already: add up."),
               (np.ones(5), "multiply by g."),
               (4 * np.ones(5), "multiply by g, picture by picture, and add up."),
               (g.sum(), "one slope for each output: add up over the pictures only, axis=0.")]),
    ])
    return "One matrix product forward, two backward."
