"""Exercise 16: counting views, the ten of a test, colours

Write the three functions and run this file: it says whether they are right, and if not, why.
"""
import numpy as np  # noqa: F401
from course import check


def views(size, crop):
    """How many different crops a picture of size × size has, reflections included."""
    ...
    return ...


def corners(size, crop):
    """The (row, column) where the five test crops begin: upper left, upper right, lower left, lower
    right, centre."""
    ...
    return ...


def colour_change(covariance, alpha):
    """What the paper adds to each pixel: P·(α₁λ₁, α₂λ₂, α₃λ₃)ᵀ, an array of three. covariance: 3×3;
    alpha: three draws.

    np.linalg.eigh gives (λ, P) with the components as P's columns."""
    ...
    return ...


check(views, corners, colour_change)
