"""Exercise 17: epochs to a goal, a paired interval, a diagnosis."""
from math import log

import numpy as np
from checking import Wrong, call, same


def check(epochs_to, interval, diagnosis):
    errors = [80.0, 40.0, 25.0, 30.0, 20.0]
    for goal, right in [(25.0, 3), (24.0, 5), (90.0, 1), (10.0, 6)]:
        below = [number for number, error in enumerate(errors, 1) if error < goal]
        hints = [(below[0] if below else 0, "the goal itself is good enough: at most, <=."),
                 (right - 1, "epochs are counted from 1, "
                  "and a run that never gets there has one more than it has errors.")]
        same(f"epochs_to({errors}, {goal})", call(epochs_to, errors, goal), right, hints)
    ours, theirs, t = [9.0, 14.0, 20.0, 12.5], [10.0, 16.0, 21.5, 13.0], 3.182
    d = np.subtract(ours, theirs)
    got = call(interval, ours, theirs, t)
    if not isinstance(got, (tuple, list)) or len(got) != 2:
        raise Wrong("interval: it returns two numbers, the mean and the half-width.")
    same("interval's mean", got[0], d.mean(),
         [(-d.mean(), "ours − theirs, not the other way round.")])
    n = len(d)
    hints = [(t * d.std() / n**0.5, "n − 1 stands below the line: the mean was fitted to "
              "the same differences."), (t * d.std(ddof=1), "that is for a single difference: "
                                         "the mean of n is √n times as sure."),
             (t * d.std(ddof=1) / n, "divide by √n, not by n."),
             (d.std(ddof=1) / n**0.5, "t is missing."),
             (t * d.var(ddof=1) / n**0.5, "that is the variance: take its root."),
             (t * (np.var(ours, ddof=1) + np.var(theirs, ddof=1)) ** 0.5 / n**0.5, "that is for "
              "two groups that have nothing to do with each other: take the differences first.")]
    same("interval's half-width", got[1], t * d.std(ddof=1) / n**0.5, hints)
    for train, val, classes, right in [(2.31, 2.31, 10, "guessing"), (2.29, 2.3, 10, "guessing"),
                                       (0.1, 0.9, 10, "by heart"), (0.5, 0.7, 10, "learning"),
                                       (2.31, 2.4, 20, "learning"), (3.03, 3.2, 20, "guessing")]:
        got = call(diagnosis, train, val, classes)
        if not isinstance(got, str) or got != right:
            limit = f"ln {classes} = {log(classes):.2f}"
            why = {"guessing": f"a loss near {limit}, above it or below, "
                   "says that nothing is learnt.", "by heart": "the validation loss is more than "
                   "twice the training loss.", "learning": f"it is not near {limit}, "
                   "and the two losses are near each other."}[right]
            raise Wrong(f"diagnosis({train:.2f}, {val}, {classes}): "
                        f"{why} So {right!r}, not {got!r}.")
    return "Two separate means would have given ± 10.7 here, the pairs ± 1.0."
