"""Of a pooling whose window is a default, windows that overlap are looked at, too."""
import pytest
from student_files import verdicts

POOL = """
import numpy as np

class AveragePool:
    def __init__(self, pool_size=2, stride=2):
        self.k, self.s = pool_size, stride

    def places(self, H, W):
        for i in range((H - self.k) // self.s + 1):
            for j in range((W - self.k) // self.s + 1):
                yield i, j, (..., slice(i * self.s, i * self.s + self.k),
                             slice(j * self.s, j * self.s + self.k))

    def forward(self, x):
        self.shape = H, W = x.shape[2:]
        out = np.zeros((*x.shape[:2], (H - self.k) // self.s + 1, (W - self.k) // self.s + 1))
        for i, j, window in self.places(H, W):
            out[:, :, i, j] = x[window].mean(axis=(2, 3))
        return out

    def backward(self, dout):
        dx = np.zeros((*dout.shape[:2], *self.shape))
        for i, j, window in self.places(*self.shape):
            dx[window] += dout[:, :, i, j][:, :, None, None] / self.k ** 2
        return dx
"""


@pytest.mark.parametrize("right, slip", [
    ("", ""), ("dx[window] +=", "dx[window] ="), ("/ self.k ** 2", "/ 4"),
    ("/ self.k ** 2", "/ self.s ** 2")])
def test_default_windows_are_changed(check, right, slip):
    status, (result,) = check(pool=POOL.replace(right, slip))
    assert status == bool(slip) and (verdicts(result)["x"] == "correct") == (not slip), result
