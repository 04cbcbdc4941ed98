"""Gradients that come in another order than the inputs, of one shape: their names tell them
apart."""
import pytest
from student_files import verdicts

CELL = """
import numpy as np

class RNN:
    def __init__(self, size):
        self.W_h, self.W_x = np.random.randn(size, size), np.random.randn(size, size)
        self.b = np.random.randn(1, size)

    def forward(self, x, HIDDEN):
        self.x, self.h = x, HIDDEN
        self.out = np.tanh(x @ self.W_x + HIDDEN @ self.W_h + self.b)
        return self.out

    def backward(self, dnext):
        d = dnext * (1 - self.out ** 2)
        self.dW_h, self.dW_x = self.h.T @ d, self.x.T @ d
        self.db = d.sum(axis=0, keepdims=True)
        FIRST = d @ self.W_h.T
        dx = d @ self.W_x.T
        return ORDER
"""


@pytest.mark.parametrize("hidden, first", [("h_prev", "dh_prev"), ("h_t_minus_1", "d_h_minus_1")])
@pytest.mark.parametrize("order", ["FIRST, dx", "dx, FIRST"])
def test_of_equal_shapes_the_names_say_whose_they_are(check, hidden, first, order):
    code = CELL.replace("ORDER", order).replace("FIRST", first).replace("HIDDEN", hidden)
    _, (result,) = check(cell=code)
    assert result["status"] == "correct", result["checks"]
    _, (result,) = check(cell=code.replace("self.W_h.T\n", "self.W_h\n"))
    said = verdicts(result)
    assert said["x"] == "correct" != said[hidden] and result["status"] == "wrong", said
