"""Brick 9: the maximum of each row goes first; the gradient is (p - one-hot)/N, times g."""
import numpy as np
from engine import Function, check


class CrossEntropy(Function):
    def __init__(self, labels):
        self.labels = labels

    def forward(self, z):
        shifted = z - z.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.save_for_backward(log_p)
        return -log_p[np.arange(len(z)), self.labels].mean()

    def backward(self, g):
        (log_p,) = self.saved
        p = np.exp(log_p)
        p[np.arange(len(p)), self.labels] -= 1
        return g * p / len(p)


check(CrossEntropy)
