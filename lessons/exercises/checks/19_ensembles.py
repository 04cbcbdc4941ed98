"""Exercise 19: the mean of softmaxes, a vote, standard errors."""
from math import comb

import numpy as np
from checking import call, same


def check(averaged, vote_wrong, standard_errors):
    logits = np.random.default_rng(0).normal(0, 3, (3, 4, 5))
    right = _softmax(logits).mean(axis=0)
    product = np.exp(np.log(_softmax(logits)).mean(axis=0))
    hints = [(_softmax(logits.mean(axis=0)), "that averages logits: take each network's softmax "
              "first, then the mean."), (_softmax(logits).mean(axis=1), "the networks are axis 0: "
                                         "average over them, not over the pictures."),
             (_softmax(logits).sum(axis=0), "the mean, not the sum: probabilities add up to 1."),
             (product, "that is the geometric mean; "
              "the paper averages the predictions themselves."),
             (_softmax(logits, axis=0).mean(axis=0), "softmax runs over the classes, "
              "the last axis."), (logits.mean(axis=0), "these are logits: the softmax is missing.")]
    same("averaged", call(averaged, logits), right, hints)
    same("averaged, with logits of 1000", call(averaged, logits + 1000), right, [])
    for networks, p in [(5, 0.3), (3, 0.1), (7, 0.4)]:
        def tail(first, networks=networks, p=p):
            return sum(comb(networks, k) * p**k * (1 - p) ** (networks - k)
                       for k in range(first, networks + 1))

        most = networks // 2 + 1
        hints = [(tail(most + 1), "three of five are more than half already."),
                 (tail(most - 1), "two of five are not more than half."),
                 (p**networks, "that all are wrong; more than half is enough."),
                 (1 - tail(most), "that is how often it is right."),
                 (comb(networks, most) * p**most * (1 - p) ** (networks - most),
                  "exactly that many; more count as well."),
                 (sum(p**k * (1 - p) ** (networks - k) for k in range(most, networks + 1)),
                  "which networks are wrong can be chosen in C(n, k) ways.")]
        same(f"vote_wrong{networks, p}", call(vote_wrong, networks, p), tail(most), hints)
    for ours, theirs, n in [(0.164, 0.182, 50_000), (0.30, 0.25, 400)]:
        deviation = (theirs * (1 - theirs) / n) ** 0.5
        gap = abs(ours - theirs)
        hints = [(gap / deviation**2, "divided by the standard error, not by its square."),
                 (gap * n, "divide by √(p·(1 − p)/n)."),
                 (gap / (theirs * (1 - theirs)) ** 0.5,
                  "that is the spread of one picture: the mean of n is √n times as sure."),
                 (gap / (theirs / n) ** 0.5, "p·(1 − p), not p alone."),
                 (deviation, "how many of these lie between the two?"),
                 (gap / (ours * (1 - ours) / n) ** 0.5, "with p = theirs.")]
        same(f"standard_errors{ours, theirs, n}", call(standard_errors, ours, theirs, n),
             gap / deviation, hints)
    return "The paper's five networks: 10.4 standard errors. Five points on 400 pictures: 2.3."


def _softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)
