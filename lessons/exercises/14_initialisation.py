"""Exercise 14: weights that keep a signal's size

For weights of mean 0 and standard deviation σ that know nothing of x: E[y²] = n·σ²·E[x²]. Write the
four functions and run this file: it says whether they are right, and if not, why.
"""
from math import log, sqrt  # noqa: F401

from course import check


def fan_in(channels, kernel, groups):
    """How many products are summed for one value: a square kernel over `channels` channels that
    `groups` towers share."""
    ...
    return ...


def deviation_before_relu(n):
    """The σ for which E[relu(y)²] = E[x²]."""
    ...
    return ...


def deviation_before_tanh(n):
    """The σ for which E[y²] = E[x²]; near 0, tanh(y) is y."""
    ...
    return ...


def first_loss(classes):
    """The mean −ln p of a network that finds every class equally likely."""
    ...
    return ...


check(fan_in, deviation_before_relu, deviation_before_tanh, first_loss)
