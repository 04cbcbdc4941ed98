"""Exercise 19: averages and votes

Write the three functions and run this file: it says whether they are right, and if not, why.
"""
from math import comb  # noqa: F401

import numpy as np  # noqa: F401
from course import check


def averaged(logits):
    """The ensemble's probabilities (N, classes) from logits (networks, N, classes): softmax of each
    network, then the mean."""
    ...
    return ...


def vote_wrong(networks, p):
    """The probability that more than half of an odd number of independent networks, each wrong with
    probability p, are."""
    ...
    return ...


def standard_errors(ours, theirs, n):
    """How many standard errors of `theirs` lie between two error rates (0..1) on n pictures: √(p·(1
    − p)/n) with p = theirs."""
    ...
    return ...


check(averaged, vote_wrong, standard_errors)
