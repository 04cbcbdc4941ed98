"""Exercise 4: the same two loops there and back; on the way back, +=."""
import numpy as np
from course import check


def im2col(image, K, stride):
    C, H, W = image.shape
    OH, OW = (H - K) // stride + 1, (W - K) // stride + 1
    columns = np.zeros((C * K * K, OH * OW))
    for h in range(OH):
        for w in range(OW):
            window = image[:, stride * h : stride * h + K, stride * w : stride * w + K]
            columns[:, h * OW + w] = window.ravel()
    return columns


def col2im(columns, shape, K, stride):
    C, H, W = shape
    OH, OW = (H - K) // stride + 1, (W - K) // stride + 1
    image = np.zeros(shape)
    for h in range(OH):
        for w in range(OW):
            pixels = columns[:, h * OW + w].reshape(C, K, K)
            image[:, stride * h : stride * h + K, stride * w : stride * w + K] += pixels
    return image


check(im2col, col2im)
