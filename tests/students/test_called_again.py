"""What an earlier forward kept must be gone; the input is as wide as the weights that are made."""
import pytest
from student_files import verdicts

KEEPS = """
    import numpy as np

    class Peak:
        def __init__(self):
            self.marks = {{}}

        def forward(self, x):
            {begin}
            for row, place in enumerate(x.argmax(axis=1)):
                self.marks[row, int(place)] = 1
            self.shape = x.shape
            return x.max(axis=1)

        def backward(self, dout):
            dx = np.zeros(self.shape)
            for row, place in self.marks:
                dx[row, place] = dout[row]
            return dx

    class Weighted:
        def __init__(self, n_in):
            self.w, self.calls = np.ones(n_in), []

        def forward(self, x):
            self.calls.append(x)
            return x * self.w

        def backward(self, dout):
            self.dw = (dout * self.calls{which}).sum(axis=0)
            return dout * self.w

    class Smoothed:
        def __init__(self, n_in):
            self.gamma, self.mean = np.ones(n_in), np.zeros(n_in)

        def forward(self, x):
            self.mean = 0.9 * self.mean + 0.1 * x.mean(axis=0)
            self.z = x - x.mean(axis=0)
            return self.gamma * self.z

        def backward(self, dout):
            self.dgamma = (dout * self.z).sum(axis=0)
            dz = dout * self.gamma
            return dz - dz.mean(axis=0)
    """


def test_what_an_earlier_forward_kept_is_no_part_of_the_gradient(check):
    """A list of calls is another matter: they may all belong together."""
    right = KEEPS.format(begin="self.marks = {}", which="[-1]")
    status, (result,) = check(keeps=right)
    assert (status, result["status"]) == (0, "correct"), result
    status, (result,) = check(keeps=KEEPS.format(begin="pass", which="[0]"))
    assert [one["status"] for one in result["checks"]] == ["wrong", "correct", "correct"], result
    assert "after a forward of others" in result["checks"][0]["inputs"]["and"]


@pytest.mark.parametrize("used, slip, found", [
    ("b", "", "correct"), ("has_b", "", "unknown"), ("b", " * 2", "off by a constant factor")])
def test_the_hidden_size_may_be_that_of_the_input(check, used, slip, found):
    status, (result,) = check(dense=f"""
        class Dense:
            def __init__(self, hidden_dim, output_dim, has_b=True):
                self.has_b = has_b
                self.W, self.b = np.ones((hidden_dim, output_dim)), np.zeros(output_dim)

            def forward(self, X):
                self.X = X
                return X @ self.W + self.{used}

            def backward(self, dout):
                self.dW, self.db = self.X.T @ dout, dout.sum(axis=0){slip}
                return dout @ self.W.T
        """)
    assert verdicts(result) == {"X": "correct", "W": "correct", "b": found}, result
    assert status == (found != "correct")
