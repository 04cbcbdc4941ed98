"""Exercise 18: where the towers meet. What was joined is taken apart again on the way back."""
import numpy as np
from course import check

from minialex import Function


class Join(Function):
    def forward(self, a, b):
        self.save_for_backward(a.shape[1])
        return np.concatenate([a, b], axis=1)

    def backward(self, g):
        (channels,) = self.saved
        return g[:, :channels], g[:, channels:]


def summed(rank, from_own_layer, from_other_layer):
    channels = from_own_layer.shape[1] // 2
    ours = slice(rank * channels, (rank + 1) * channels)
    return from_own_layer[:, ours] + from_other_layer[:, ours]


def floats_sent(batch):
    return 2 * batch * 128 * 13 * 13


check(Join, summed, floats_sent)
