"""Networks that add to their weights what comes of target − output."""
import pytest

NETWORK = """
    import numpy as np

    class Net:
        def __init__(self, n_in, n_out):
            self.W = np.random.randn(n_in, n_out)
            self.b = np.zeros((1, n_out))

        def forward(self, x):
            self.x, self.y = x, np.tanh(x @ self.W + self.b)
            return self.y

        def backward(self, target, rate):
            error = {error}
            d = error * (1 - self.y ** 2)
            below = d @ self.W.T
            self.W {change} rate * self.x.T @ d
            self.b {change} rate * d.sum(0, keepdims=True)
            return below
"""


@pytest.mark.parametrize("error, change, x", [
    ("target - self.y", "+=", "not compared"), ("self.y - target", "-=", "correct"),
    ("-(self.y - target)", "-= -1 *", "sign flipped")])
def test_what_is_handed_down_is_minus_the_gradient_where_it_is_added(check, error, change, x):
    _, (result,) = check(net=NETWORK.format(error=error, change=change))
    rows = {row["name"]: row["verdict"] for row in result["checks"][0]["rows"]}
    assert rows == {"x": x, "W": "correct", "b": "correct"}
