"""A recurrent network whose method returns its loss, gradients in the order of their names, and the
last state: whose is which, its names say."""
import pytest
from student_files import verdicts

CELL = """
import numpy as np

class Chars:
    def __init__(self, vocab_size, hidden_size):
        self.U = np.random.randn(hidden_size, vocab_size)
        self.W = np.random.randn(hidden_size, hidden_size)
        self.bh = np.zeros((hidden_size, 1))
        self.size = vocab_size

    def loss(self, inputs, targets, hprev):
        xs, hs, loss = {}, {-1: hprev}, 0.0
        for t in range(len(inputs)):
            xs[t] = np.zeros((self.size, 1))
            xs[t][inputs[t]] = 1
            hs[t] = np.tanh(self.U @ xs[t] + self.W @ hs[t - 1] + self.bh)
            loss += 0.5 * np.sum((hs[t] - targets[t]) ** 2)
        dU, dW, dbh = np.zeros_like(self.U), np.zeros_like(self.W), np.zeros_like(self.bh)
        after = np.zeros_like(hprev)
        for t in reversed(range(len(inputs))):
            d = (hs[t] - targets[t] + after) * (1 - hs[t] ** 2)
            dU += d @ xs[t].T
            dW += d @ hs[t - 1].T
            dbh += d
            after = self.W.T @ d
        return loss, dU, dW, dbh, hs[len(inputs) - 1]
"""
TYPED = ("--labels", "inputs=4:5", "--labels", "targets=4:3", "--shape", "hprev=6,1", "--option",
         "vocab_size=5", "--option", "hidden_size=6")


@pytest.mark.parametrize("right, slip", [
    ("", ""), (", hs[len(inputs) - 1]", ""), ("dbh, hs[", "dbh, after, hs["), ("+ after)", ")"),
    ("dbh += d", "dbh = d")])
def test_whose_gradient_is_which_its_name_says(check, right, slip):
    wrong = slip in (")", "dbh = d")
    status, (result,) = check(*TYPED, chars=CELL.replace(right, slip))
    found = verdicts(result)
    assert status == wrong and (found["bh"] == "correct") != wrong, found
    assert found["W"] != "not compared" and found["hprev"] == "not compared", found


def test_a_gradient_in_one_row_is_that_of_the_method_that_it_calls(check):
    """An optimizer wants a flat vector: its parts are compared already."""
    _, (result,) = check(net="""
    import numpy as np

    class Net:
        def __init__(self):
            self.W1, self.W2 = np.random.randn(2, 3), np.random.randn(3, 1)

        def forward(self, X):
            self.h = np.tanh(X @ self.W1)
            return self.h @ self.W2

        def cost_function(self, X, y):
            return 0.5 * sum((y - self.forward(X)) ** 2)

        def cost_function_prime(self, X, y):
            e = self.forward(X) - y
            dJdW1, dJdW2 = X.T @ (e @ self.W2.T * (1 - self.h ** 2)), self.h.T @ e
            return dJdW1, dJdW2

        def compute_gradients(self, X, y):
            dJdW1, dJdW2 = self.cost_function_prime(X, y)
            return np.concatenate((dJdW1.ravel(), dJdW2.ravel()))
    """)
    assert [one["status"] for one in result["checks"]] == ["correct"], result


SOFTMAX = """
import numpy as np

class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, grad=1, decay=0):
        return (self.p - self.t) / len(self.p)

    def entropy_loss(self, p, t):
        self.t = t
        return -np.sum(t * np.log(p)) / len(p)
"""


@pytest.mark.parametrize("slip, found", [("", "correct"), ("/ len(self.p)", "wrong")])
def test_what_only_the_loss_keeps_makes_it_the_last_step_of_forward(check, slip, found):
    _, (result,) = check(last=SOFTMAX.replace(slip or "\n", "" if slip else "\n", 1))
    assert result["status"] == found, result
