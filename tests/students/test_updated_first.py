"""A layer that takes dx with the weights that it has changed already."""
import pytest

from minialex.students.accepted import UPDATED_FIRST

LAYER = """
    import numpy as np

    class Dense:
        def __init__(self, n_in, n_out):
            self.W, self.b = np.random.randn(n_in, n_out), np.zeros((1, n_out))
        def forward(self, x):
            self.x = x
            return x @ self.W + self.b
        def backward(self, dout, rate):
            {first}
            self.W -= rate * self.x.T @ dout
            self.b -= rate * dout.sum(0, keepdims=True)
            return {last}
"""


@pytest.mark.parametrize("first, last, said", [
    ("", "dout @ self.W.T", True), ("dx = dout @ self.W.T", "dx", False),
    ("dx = dout @ self.W.T", "dx + dout.sum() * self.x ** 2", None)])
def test_it_is_told_what_is_wrong_with_dx(check, first, last, said):
    _, (result,) = check(net=LAYER.format(first=first, last=last))
    assert result["status"] == ("correct" if said is False else "wrong"), result
    row = result["checks"][0]["rows"][0]
    assert (row["name"], row["detail"] == UPDATED_FIRST) == ("x", bool(said)), row


def test_a_scale_that_is_updated_first_is_told_too(check):
    _, (result,) = check(net="""
        import numpy as np

        class Scale:
            def __init__(self, n):
                self.gamma, self.lr = np.ones(n), 0.1
            def forward(self, x):
                self.x = x
                return self.gamma * x
            def backward(self, dout):
                self.gamma -= self.lr * (dout * self.x).sum(0)
                return dout * self.gamma
        """)
    rows = {row["name"]: (row["verdict"], row["detail"]) for row in result["checks"][0]["rows"]}
    assert rows == {"x": ("unknown", UPDATED_FIRST), "gamma": ("correct", "")}, result
