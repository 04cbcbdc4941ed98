"""Brick 8: response normalisation of whole maps, loud enough that the second part of the gradient
counts."""
import numpy as np
from bricks import operation, right

import minialex.functional as F

ALPHA, BETA, K = 1e-4, 0.75, 2.0


def check(ResponseNorm):
    generator = np.random.default_rng(8)
    a = generator.uniform(-100, 100, size=(2, 7, 3, 2))
    expected = y, g, (da,) = right(F.local_response_norm, a)
    s = K + ALPHA * _around(a**2)
    direct, ratio = g / s**BETA, g * a / s ** (BETA + 1)
    factor = 2 * ALPHA * BETA * a
    operation(ResponseNorm, [a], expected, forward=[
        (F.local_response_norm(a, alpha=ALPHA / 5).data,
         "α is not divided by the 5 channels of the window: that is Caffe's."),
        (a / (K + ALPHA * a**2) ** BETA, "the sum is over the window, "
         "all channels within two of channel i."),
        (a / s, "the bracket has the power β: a / s**BETA."),
        (a / (K + ALPHA * _around(np.abs(a))) ** BETA, "the values in the sum are squared."),
        (a / (K + ALPHA * _around(a)) ** BETA, "the values in the sum are squared."),
        (a / (K + ALPHA * np.broadcast_to(_around(a**2).sum(axis=(0, 2, 3), keepdims=True),
                                          a.shape)) ** BETA,
         "each pixel of each picture has a sum of its own: over the channels, axis=1, only."),
        (a * s**BETA, "divide: what is loud is turned down."),
    ], backward=[("a", [
        (direct, "the second part is missing: a_i also stands in the s_j of its neighbours."),
        (direct - factor * ratio,
         "a_i stands not only in its own s_i but in those of its neighbours: sum over the window."),
        (direct + factor * _around(ratio), "a louder neighbour makes b smaller: "
         "the second part has a minus."),
        (direct - factor / 2 * _around(ratio), "the derivative of a² is 2a: "
         "a factor 2 is missing."),
        (direct - factor / BETA * _around(ratio),
         "s^-β gives a factor β when it is differentiated."),
        (direct - factor * _around(g * a / s**BETA),
         "differentiating s^-β lowers the power by one: s^(-β-1)."),
        (direct - factor * a * _around(g / s ** (BETA + 1)),
         "in the sum over j it is g_j·a_j: b_j has a_j above the line, and "
         "a_i stands before the sum."),
        (1 / s**BETA - factor * _around(ratio), "the first part has to be multiplied by g."),
    ])])
    return "Each map is turned down by its neighbours, and told so on the way back."


def _around(values):
    """Σ over the channels within two of each channel."""
    return np.stack([values[:, max(0, i - 2):i + 3].sum(axis=1) for i in range(values.shape[1])],
                    axis=1)
