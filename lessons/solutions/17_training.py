"""Exercise 17: what curves and seeds allow to say. Pairs first, then the spread: what a seed does
to both sides drops out."""
from math import log

from course import check


def epochs_to(errors, goal):
    for epoch, error in enumerate(errors, 1):
        if error <= goal:
            return epoch
    return len(errors) + 1


def interval(ours, theirs, t):
    differences = [a - b for a, b in zip(ours, theirs)]
    n = len(differences)
    mean = sum(differences) / n
    deviation = (sum((d - mean) ** 2 for d in differences) / (n - 1)) ** 0.5
    return mean, t * deviation / n**0.5


def diagnosis(train_loss, val_loss, classes):
    if abs(train_loss - log(classes)) < 0.05:
        return "guessing"
    if val_loss > 2 * train_loss:
        return "by heart"
    return "learning"


check(epochs_to, interval, diagnosis)
