"""Exercise 6: a ReLU that leaks

y = x where x > 0, and 0.1·x elsewhere: the slope to the left is small, but not 0, so that no unit
is ever dead. Write both directions. In backward, g is the incoming gradient dL/dy.
"""
from course import check

import minialex as ma


class LeakyReLU(ma.Function):
    def forward(self, x):
        self.save_for_backward(x)
        ...

    def backward(self, g):
        (x,) = self.saved
        ...


check(LeakyReLU)
