"""Exercise 8: the gradient of the normalisation, with its cross-channel term."""
import numpy as np
from checking import gradients, same, slopes

import minialex as ma

N, ALPHA, BETA, K = 5, 1e-4, 0.75, 2.0


def check(Norm):
    generator = np.random.default_rng(8)
    a, g = generator.uniform(0, 100, size=9), generator.normal(size=9)
    s = np.array([K + ALPHA * (a[max(0, i - 2):i + 3] ** 2).sum() for i in range(9)])
    direct, ratio = g / s**BETA, g * a / s ** (BETA + 1)
    around = np.array([ratio[max(0, i - 2):i + 3].sum() for i in range(9)])
    around_wrong_power = np.array([(g * a / s**BETA)[max(0, i - 2):i + 3].sum() for i in range(9)])
    squared = np.array([(ratio * a)[max(0, i - 2):i + 3].sum() for i in range(9)])
    own_factor = np.array([(g / s ** (BETA + 1))[max(0, i - 2):i + 3].sum() for i in range(9)])
    around_own = np.array([(g * a)[max(0, i - 2):i + 3].sum() for i in range(9)])
    counts = np.array([len(a[max(0, i - 2):i + 3]) for i in range(9)])
    right = direct - 2 * ALPHA * BETA * a * around
    (found,) = slopes(Norm, [a], g)
    same("backward", found, right, [
        (direct, "the second part is missing: a_i also stands in the s_j of its neighbours."),
        (direct - 2 * ALPHA * BETA * a * ratio,
         "a_i stands not only in its own s_i but in those of its neighbours: sum over "
         "the window."),
        (direct + 2 * ALPHA * BETA * a * around, "a louder neighbour makes b smaller: "
         "the second part has a minus."),
        (direct - ALPHA * BETA * a * around, "the derivative of a² is 2a: a factor 2 is missing."),
        (direct - 2 * ALPHA * a * around, "s^-β gives a factor β when it is differentiated."),
        (direct - 2 * ALPHA * BETA * a * around_wrong_power,
         "differentiating s^-β lowers the power by one: s^(-β-1)."),
        (direct - 2 * ALPHA * BETA * a**2 * own_factor,
         "in the sum over j it is g_j·a_j: b_j has a_j above the line, "
         "and a_i stands before the sum."),
        (direct - 2 * ALPHA * BETA * a * squared, "in the sum stands a_j, not its square: "
         "b_j = a_j·s_j^-β has a_j once."),
        (direct - 2 * ALPHA * BETA * a * g * a / s ** (BETA + 1) * counts,
         "in the sum j runs over the window: g[j], a[j] and "
         "s[j], not those of channel i."),
        (direct - 2 * ALPHA * BETA * a * around_own / s ** (BETA + 1),
         "b_j has its own s_j below the line: s[j], not s[i]."),
        (direct - 2 * ALPHA * BETA * squared, "a_i stands before the sum, "
         "and a_j in it: ds_j/da_i = 2α·a_i."),
        (g * s**BETA - 2 * ALPHA * BETA * a * around, "the first part is divided by s^β, as b is."),
        (1 / s**BETA - 2 * ALPHA * BETA * a * around, "the first part has to be multiplied by g."),
    ], verdict=lambda: ma.gradcheck(Norm, [a]))
    gradients("Norm", Norm, [a])
    return ("At activations of about 1 the second part is a ten-thousandth: "
            "test where the formula bends.")
