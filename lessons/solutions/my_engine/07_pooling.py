"""Brick 7: window by window; += because windows overlap."""
import numpy as np
from engine import Function, check


class MaxPool(Function):
    def __init__(self, z, s):
        self.z, self.s = z, s

    def forward(self, x):
        N, C, H, W = x.shape
        OH, OW = (H - self.z) // self.s + 1, (W - self.z) // self.s + 1
        y, winners = np.zeros((N, C, OH, OW)), {}
        for n, c, h, w in np.ndindex(y.shape):
            top, left = self.s * h, self.s * w
            i, j = divmod(int(np.argmax(x[n, c, top : top + self.z, left : left + self.z])), self.z)
            winners[n, c, h, w] = n, c, top + i, left + j
            y[n, c, h, w] = x[n, c, top + i, left + j]
        self.save_for_backward(winners, x.shape)
        return y

    def backward(self, g):
        winners, shape = self.saved
        dx = np.zeros(shape)
        for place, winner in winners.items():
            dx[winner] += g[place]
        return dx


class MeanPool(Function):
    def __init__(self, z, s):
        self.z, self.s = z, s

    def forward(self, x):
        N, C, H, W = x.shape
        OH, OW = (H - self.z) // self.s + 1, (W - self.z) // self.s + 1
        y = np.zeros((N, C, OH, OW))
        for h in range(OH):
            for w in range(OW):
                window = x[:, :, self.s * h : self.s * h + self.z, self.s * w : self.s * w + self.z]
                y[:, :, h, w] = window.mean(axis=(2, 3))
        self.save_for_backward(x.shape)
        return y

    def backward(self, g):
        (shape,) = self.saved
        dx = np.zeros(shape)
        for h in range(g.shape[2]):
            for w in range(g.shape[3]):
                share = g[:, :, h, w] / self.z**2
                dx[:, :, self.s * h : self.s * h + self.z, self.s * w : self.s * w
                   + self.z] += share[:, :, None, None]
        return dx


check(MaxPool, MeanPool)
