"""Exercise 16: counting views, the ten of a test, colours."""
import numpy as np
from course import check


def views(size, crop):
    places = size - crop + 1
    return places * places * 2


def corners(size, crop):
    far = size - crop
    return [(0, 0), (0, far), (far, 0), (far, far), (far // 2, far // 2)]


def colour_change(covariance, alpha):
    eigenvalues, components = np.linalg.eigh(covariance)
    return components @ (alpha * eigenvalues)


check(views, corners, colour_change)
