"""Exercise 0: the mean of the squared differences; downhill is against the slope."""
import numpy as np
from course import check


def loss(scores, labels):
    return np.mean((scores - labels) ** 2)


def step(weights, slopes, learning_rate):
    return [w - learning_rate * slope for w, slope in zip(weights, slopes)]


check(loss, step)
