"""Brick 4: one matrix product for each picture, and its two transposes on the way back."""
import numpy as np
from engine import Function, check


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
            image[:, stride * h : stride * h + K, stride * w : stride * w
                  + K] += columns[:, h * OW + w].reshape(C, K, K)
    return image


class Convolution(Function):
    def __init__(self, stride, padding):
        self.stride, self.padding = stride, padding

    def forward(self, x, W, b):
        p, K = self.padding, W.shape[2]
        padded = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
        columns = np.array([im2col(image, K, self.stride) for image in padded])
        y = W.reshape(len(W), -1) @ columns + b[:, None]
        OH, OW = [(side - K) // self.stride + 1 for side in padded.shape[2:]]
        self.save_for_backward(columns, W, padded.shape)
        return y.reshape(len(x), len(W), OH, OW)

    def backward(self, g):
        columns, W, shape = self.saved
        g = g.reshape(len(g), len(W), -1)
        dW = sum(g[n] @ columns[n].T for n in range(len(g))).reshape(W.shape)
        dcolumns = W.reshape(len(W), -1).T @ g
        dx = np.array([col2im(each, shape[1:], W.shape[2], self.stride) for each in dcolumns])
        p = self.padding
        return dx[:, :, p : shape[2] - p, p : shape[3] - p], dW, g.sum(axis=(0, 2))


check(im2col, col2im, Convolution)
