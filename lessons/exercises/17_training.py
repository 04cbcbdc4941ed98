"""Exercise 17: what curves and seeds allow to say

Write the three functions and run this file: it says whether they are right, and if not, why.
"""
from course import check


def epochs_to(errors, goal):
    """The number of the first epoch (from 1) whose error is at most `goal`; one more than there
    are, if none is."""
    ...


def interval(ours, theirs, t):
    """(mean, half-width) of the paired difference ours − theirs, two lists with one value per seed:
    mean ± t·s/√n, where s is the standard deviation of the n differences, with n − 1 below the
    line."""
    ...


def diagnosis(train_loss, val_loss, classes):
    """What a run's last losses say: "guessing" when the training loss is within 0.05 of
    ln(classes), "by heart" when the validation loss is more than twice the training loss, else
    "learning"."""
    ...


check(epochs_to, interval, diagnosis)
