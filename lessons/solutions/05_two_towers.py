"""Exercise 5: slices of channels, kernels and biases, side by side."""
import numpy as np
from course import check

import minialex.functional as F


def convolution(x, weight, bias):
    return F.conv2d(x, weight, bias).data


def grouped(x, weight, bias, groups):
    maps = []
    for xs, kernels, biases in zip(np.split(x, groups, axis=1), np.split(weight, groups),
                                   np.split(bias, groups)):
        maps.append(convolution(xs, kernels, biases))
    return np.concatenate(maps, axis=1)


check(grouped)
