"""Exercise 10: dropout, forward and backward

u has x's shape and holds random numbers between 0 and 1, one for each value. A value is dropped
where u < p; what is kept is divided by 1 - p. In backward, g is the incoming gradient dL/dy.
"""
import numpy as np
from course import check

import minialex as ma


class Dropout(ma.Function):
    def __init__(self, p, u):
        self.p, self.u = p, u

    def forward(self, x):
        ...

    def backward(self, g):
        ...


check(Dropout)
