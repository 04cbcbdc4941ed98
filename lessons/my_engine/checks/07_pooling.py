"""Brick 7: the largest and the mean of windows that may overlap, with ties, against the engine."""
import numpy as np
from bricks import operation, right

import minialex.functional as F


def check(MaxPool, MeanPool):
    generator = np.random.default_rng(7)
    for z, s in [(2, 2), (3, 2)]:
        for tied in (False, True):
            x = (generator.integers(0, 3, size=(2, 3, 7, 6)).astype(float) if tied
                 else generator.normal(size=(2, 3, 7, 6)))
            _largest(MaxPool, x, z, s)
        _mean(MeanPool, generator.normal(size=(2, 3, 7, 6)), z, s)
    return "The one pays the winner, the other shares. Neither has a number to train."


def _largest(MaxPool, x, z, s):
    expected = y, g, (dx,) = right(lambda x: F.max_pool2d(x, z, s), x)
    operation(lambda: MaxPool(z, s), [x], expected, forward=[
        (F.avg_pool2d(x, z, s).data, "that is the mean of each window: the largest is wanted."),
        (-F.max_pool2d(-x, z, s).data, "that is the smallest of each window."),
        *_steps(lambda step: F.max_pool2d(x, z, step).data, y, z, s),
    ], backward=[("x", [
        (_pay(x, g, z, s, add=False),
         "a pixel that wins several windows is paid by each: += instead of =."),
        (_pay(x, g, z, s, last=True), "of equal values the first in reading order wins, "
         "here the last did."),
        (_pay(x, g, z, s, everyone=True), "all that equal the maximum were paid in full. "
         "Only one of them is."),
        (_pay(x, g, z, s, everyone=True, add=False),
         "all that equal the maximum were paid in full. Only one of them is."),
        (_pay(x, np.ones_like(g), z, s), "each window pays its own g, not 1."),
        (_pay(x, g, z, s, corner=True), "the winner's place in its window is not its place in x: "
         "add s·h and s·w."),
    ])])


def _mean(MeanPool, x, z, s):
    expected = y, g, (dx,) = right(lambda x: F.avg_pool2d(x, z, s), x)
    operation(lambda: MeanPool(z, s), [x], expected, forward=[
        (F.max_pool2d(x, z, s).data, "that is the largest of each window: the mean is wanted."),
        (np.broadcast_to(y.mean(axis=(0, 1)), y.shape),
         "that is the mean over all pictures and maps: axis=(2, 3) only."),
        (y * z * z, "that is the sum of each window: divide by z·z."),
        (y * z, "a window has z·z pixels: divide by z·z, not by z."),
        *_steps(lambda step: F.avg_pool2d(x, z, step).data, y, z, s),
    ], backward=[("x", [
        (dx * z * z, "each pixel counts only 1/(z·z) in the mean: g/(z·z)."),
        (dx * z, "a window has z·z pixels: divide by z·z, not by z."),
        (_share(x, g, z, s, add=False),
         "a pixel in several windows gets its share of each: += instead of =."),
        (_share(x, np.ones_like(g), z, s), "each window shares its own g, not 1."),
    ])])


def _steps(pool, y, z, s):
    """Hints for windows that start at h, w instead of s·h, s·w: the upper left part of a pool with
    stride 1."""
    yield pool(1)[:, :, :y.shape[2],
                  :y.shape[3]], "the windows start s pixels apart: at s·h and s·w."
    if z != s:
        beside = pool(z)
        yield beside, "windows may overlap: they start s pixels apart, not z."


def _pay(x, g, z, s, add=True, last=False, everyone=False, corner=False):
    """dL/dx of a max pool with a mistake."""
    dx = np.zeros_like(x)
    for n, c, h, w in np.ndindex(g.shape):
        window = x[n, c, s * h:s * h + z, s * w:s * w + z]
        winners = np.argwhere(window == window.max())
        for i, j in winners if everyone else winners[-1:] if last else winners[:1]:
            place = (n, c, i, j) if corner else (n, c, s * h + i, s * w + j)
            dx[place] = g[n, c, h, w] + (dx[place] if add else 0)
    return dx


def _share(x, g, z, s, add=True):
    dx = np.zeros_like(x)
    for n, c, h, w in np.ndindex(g.shape):
        window = dx[n, c, s * h:s * h + z, s * w:s * w + z]
        window[...] = g[n, c, h, w] / z**2 + (window if add else 0)
    return dx
