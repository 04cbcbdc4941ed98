"""Brick 9: softmax and cross-entropy

z (N, classes) are the logits, labels (N,) the right classes. forward gives one number, the mean
over the batch of -ln p_label, and does not overflow. backward gets g = dL/d(loss), one number: it
is 1 when the loss is the end, and you multiply by it all the same.
"""
import numpy as np
from engine import Function, check


class CrossEntropy(Function):
    def __init__(self, labels):
        self.labels = labels

    def forward(self, z):
        ...

    def backward(self, g):
        ...


check(CrossEntropy)
