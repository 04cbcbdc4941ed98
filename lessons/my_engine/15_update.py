"""Brick 15: the update

The paper's rule, as in exercise 15:

    v ← momentum·v − decay·lr·w − lr·g        w ← w + v
"""
from engine import check


def update(w, g, v, lr, momentum, decay):
    """One step for arrays of one shape. Returns the new (w, v); the arrays that come in stay as
    they are."""
    ...
    return ...


check(update)
