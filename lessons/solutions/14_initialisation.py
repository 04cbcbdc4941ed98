"""Exercise 14: weights that keep a signal's size. A tower's kernel sees only its own channels:
3·3·192 for conv4."""
from math import log, sqrt

from course import check


def fan_in(channels, kernel, groups):
    return channels // groups * kernel * kernel


def deviation_before_relu(n):
    return sqrt(2 / n)


def deviation_before_tanh(n):
    return sqrt(1 / n)


def first_loss(classes):
    return log(classes)


check(fan_in, deviation_before_relu, deviation_before_tanh, first_loss)
