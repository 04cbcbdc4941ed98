"""Networks that add to their weights what comes of target − output."""
import pytest

NETWORK = """
    import numpy as np

    class Net:
        def __init__(self, n_in, n_out):
            self.W = np.random.randn(n_in, n_out)
            self.b = np.zeros((1, n_out))
            self.dW = np.zeros_like(self.W)

        def forward(self, x):
            self.x, self.y = x, np.tanh(x @ self.W + self.b)
            return self.y

        def backward(self, target, rate):
            error = {error}
            d = error * (1 - self.y ** 2)
            below = {minus}d @ self.W.T
            total = 0
            total += error.sum()
            {sums}
            self.W {change} rate * self.x.T @ d
            self.b {change} rate * d.sum(0, keepdims=True)
            return below
"""


@pytest.mark.parametrize("error, change, minus, sums, x", [
    ("target - self.y", "+=", "", "", "not compared"), ("self.y - target", "-=", "", "", "correct"),
    ("self.y - target", "-=", "-", "", "sign flipped"),
    ("self.y - target", "-=", "-", "self.dW += self.x.T @ d", "sign flipped")])
def test_what_is_handed_down_is_minus_the_gradient_where_it_is_added(check, error, change, minus,
                                                                     sums, x):
    """What else is added, a cost or a gradient, is no weight's update."""
    _, (result,) = check(net=NETWORK.format(error=error, change=change, minus=minus, sums=sums))
    rows = {row["name"]: row["verdict"] for row in result["checks"][0]["rows"]}
    assert rows == {"x": x, "W": "correct", "b": "correct"}
