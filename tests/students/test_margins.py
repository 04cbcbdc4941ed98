"""Of a loss with a margin both sides are looked at; of training code what no step changes."""
import pytest
from student_files import verdicts

MARGIN = """
import numpy as np

def contrastive_loss(x1, x2, y, margin=1.0):
    d = x1 - x2
    far = np.sqrt(np.sum(d ** 2, axis=1) + 1e-9)
    h = np.maximum(0, margin - far)
    c = (2 * y - 2 * (1 - y) * {inner}) / len(y)
    return np.mean(y * far ** 2 + (1 - y) * h ** 2), c[:, None] * d, -c[:, None] * d
"""
OBJECT = """
import numpy as np

class Contrastive:
    def forward(self, x1, x2):
        self.d = x1 - x2
        self.far = np.sqrt(np.sum(self.d ** 2, axis=1) + 1e-9)
        self.h = np.maximum(0, 1 - self.far)
        return np.sum(self.h ** 2)

    def backward(self):
        h, far = self.h, self.far
        g = -2 * ({inner})[:, None] * self.d
        return g, -g
"""
TRAIN = """
import numpy as np

def train(X, Y, hidden=4, lr=0.5, epochs=100):
    params = {{"W1": np.random.randn(X.shape[1], hidden), "b1": np.zeros(hidden),
               "W2": np.random.randn(hidden, 1), "b2": np.zeros(1)}}
    for _ in range(epochs):
        h = np.tanh(X @ params["W1"] + params["b1"])
        out = h @ params["W2"] + params["b2"]
        e = (out - Y) / len(X)
        d = e @ params["W2"].T * (1 - h ** 2)
        params["W2"] -= lr * h.T @ e
        params["b2"] -= lr * e.sum(0)
        params["W1"] -= lr * X.T @ d
        {last}
    return params
"""


@pytest.mark.parametrize("code", [MARGIN, OBJECT])
@pytest.mark.parametrize("inner, wrong", [("h / far", False), ("h", True), ("-h / far", True)])
def test_what_a_margin_hides_is_found(check, code, inner, wrong):
    status, (result,) = check(margin=code.format(inner=inner))
    assert status == wrong and (result["status"] == "wrong") == wrong, verdicts(result)


@pytest.mark.parametrize("last, said", [('params["b1"] -= lr * d.sum(0)', "correct"),
                                        ("pass", "undecided")])
def test_a_bias_that_no_step_changes_is_told(check, last, said):
    _, (result,) = check(train=TRAIN.format(last=last))
    assert result["status"] == said and verdicts(result)["b1"] == said, verdicts(result)


@pytest.mark.parametrize("least, status", [("0", "correct"), ("0.25", "wrong")])
def test_what_few_examples_lie_near_is_found(check, least, status):
    """A few rows seldom have a margin between 0 and a quarter."""
    _, (result,) = check(svm=f"""
    import numpy as np

    def svm_loss(x, y):
        rows = np.arange(len(x))
        margins = np.maximum(0, x - x[rows, y][:, None] + 1.0)
        margins[rows, y] = 0
        mask = (margins > {least}).astype(float)
        mask[rows, y] = -mask.sum(axis=1)
        return margins.sum() / len(x), mask / len(x)
    """)
    assert result["status"] == status, verdicts(result)
