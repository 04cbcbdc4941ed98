"""Functions that clip x against overflow, whose derivative leaves the clipping out."""
import pytest

SWISH = """
    import numpy as np

    def sigmoid(x):
        return 1 / (1 + np.exp(-np.clip(x, -10, 10)))

    class Swish:
        def __init__(self, beta=1.0):
            self.beta = beta
        def forward(self, x):
            return x * sigmoid(self.beta * x)
        def backward(self, x):
            s = sigmoid(self.beta * x)
            return {}
"""


@pytest.mark.parametrize("slope, status", [
    ("s + x * self.beta * s * (1 - s)", "undecided"), ("s + 0.5 * x * s * (1 - s)", "wrong"),
    ("s + x * self.beta * s", "wrong")])
def test_what_is_wrong_only_where_it_is_clipped_stays_open(check, slope, status):
    _, (result,) = check(net=SWISH.format(slope))
    assert result["status"] == status, result
