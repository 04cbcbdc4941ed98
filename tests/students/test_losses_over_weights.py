"""loss, gradient = mse(w, X, y): a regression by any of its names, its weights one column; and what
only looks like one."""
import pytest
from student_files import verdicts

MSE = """
import numpy as np

def mse(w, X, y):
    r = X @ w - y
    return np.mean(r ** 2), 2 * X.T @ r / len(y)
"""
RIDGE = """
import numpy as np

class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)
    def backward(self, d):
        return d * (self.x > 0)

def ridge(w, X, y, lam):
    r = X @ w - y
    return np.mean(r ** 2) + lam * np.sum(w ** 2), 2 * X.T @ r / len(y) + 2 * lam * w
"""
LOGISTIC = """
import numpy as np

def logistic_loss(w, X, y):
    p = 1 / (1 + np.exp(-X @ w))
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(), X.T @ (p - y) / len(y)
"""
FLAT = """
import numpy as np

def regression_cost(X, y, theta, lam):
    theta = theta.reshape(-1, 1)
    kept = np.vstack([np.zeros((1, 1)), theta[1:]])
    r = X @ theta - y
    J = (r.T @ r + lam * kept.T @ kept) / 2 / len(y)
    grad = (X.T @ r + lam * kept) / len(y)
    return J, grad.FLAT
"""
REGRESSIONS = [(MSE, "2 * X.T", "3 * X.T"), (RIDGE, "+ 2 * lam", "+ 55 * lam"),
               (LOGISTIC, "(p - y)", "(p + y)")]
NO_GRADIENT = """
import numpy as np

def mse_and_r2(y, t):
    return np.mean((y - t) ** 2), 1 - ((y - t) ** 2).sum() / ((t - t.mean()) ** 2).sum()

def mae(y, t):
    return np.mean(abs(y - t)), np.sqrt(np.mean((y - t) ** 2))

def ridge(X, y, lam):
    return np.linalg.solve(X.T @ X + lam * np.eye(X.shape[1]), X.T @ y), X.T @ y
"""


@pytest.mark.parametrize(("code", "right", "wrong"), REGRESSIONS)
def test_a_regression_is_right_and_a_slip_in_it_is_found(check, code, right, wrong):
    status, (result,) = check(regression=code)
    assert status == 0 and verdicts(result)["w"] == "correct", result
    assert right in code
    status, (result,) = check(regression=code.replace(right, wrong))
    assert status == 1 and result["checks"][-1]["status"] == "wrong", result


@pytest.mark.parametrize("flat", ["ravel()", "reshape(1, -1)[0]", "T[0]"])
def test_weights_in_a_row_beside_labels_in_a_column_are_what_an_optimizer_gives(check, flat):
    code = FLAT.replace("FLAT", flat)
    status, (result,) = check(regression=code)
    assert status == 0 and verdicts(result)["theta"] == "correct", result
    status, (result,) = check(regression=code.replace("X.T @ r +", "X.T @ r + 2 *"))
    assert status == 1 and result["checks"][-1]["status"] == "wrong", result


def test_two_errors_or_weights_are_no_loss_with_its_gradient(check):
    relu = RIDGE.partition("def ridge")[0]
    status, (result,) = check(metrics=relu + NO_GRADIENT)
    assert status == 0 and [one["name"] for one in result["checks"]] == ["ReLU"], result


def test_an_input_held_constant_that_there_is_not_is_named(check):
    status, (result,) = check("--constant", "q", regression=MSE)
    assert status == 2 and "no input q" in result["checks"][0]["error"]["message"], result
    status, (result,) = check("--constant", "X", regression=MSE)
    assert status == 0 and verdicts(result)["w"] == "correct", result


APART = """
import numpy as np

def NAME(w, X, y, lam):
    r = X @ w - y
    return np.sum(r * r) / 2 + lam * np.sum(w * w) / 2

"""


@pytest.mark.parametrize("cost, gradient", [
    ("ridge_cost", "ridge_gradient(w, X, y, reg): X.T @ (X @ w - y) + reg * w"),
    ("costeReg", "gradiente(W, X, Y, _lambda): X.T @ (X @ W - Y) + _lambda * W"),
    ("cost", "compute_grad_2(x, y, theta, decay): x.T @ (x @ theta - y) + decay * theta"),
    ("ridge_cost", "ridge_gradient(w, x, t, penalty): x.T @ (x @ w - t) + penalty * w")])
def test_a_gradient_with_other_words_for_the_same_arguments_gets_the_same(check, cost, gradient):
    code = APART.replace("NAME", cost) + "def " + gradient.replace(":", ":\n    return") + "\n"
    status, (result,) = check(apart=code)
    assert status == 0 and verdicts(result)["w"] == "correct", result
    status, (result,) = check(apart=code.replace(") + ", ") - "))
    assert status == 1 and result["checks"][-1]["status"] == "wrong", result


TWO = """
import numpy as np

def cost(w, X, y):
    return np.mean((X @ w - y) ** 2)

def cost_gradient(w, X, y):
    return {slip}2 * X.T @ (X @ w - y) / len(y)
"""


def test_the_gradient_of_a_cost_beside_it_is_that_of_one_column(check):
    status, (result,) = check(two=TWO.format(slip=""))
    assert status == 0, result
    _, (result,) = check(two=TWO.format(slip="-"))
    assert result["status"] == "wrong", result


LAST = """
import numpy as np

def ridge_grad_and_loss(w, b, X, y, lam=0.1):
    r = X.dot(w) + b - y
    loss = np.mean(r ** 2) + lam * np.sum(w ** 2)
    dw, db = 2 * X.T.dot(r) / len(y) + 2 * lam * w, {slip}2 * r.mean()
    return dw, db, loss

def huber_loss(prediction, target):
    r = prediction - target
    grad = {slip}np.clip(r, -1, 1)
    loss = np.where(abs(r) < 1, r ** 2 / 2, abs(r) - 0.5).sum()
    return grad, loss
"""


@pytest.mark.parametrize("slip, status", [("", "correct"), ("-", "wrong")])
def test_the_loss_may_stand_behind_its_gradients(check, slip, status):
    _, (result,) = check(last=LAST.format(slip=slip))
    assert [one["status"] for one in result["checks"]] == [status] * 2, result


CLASSES = """
import numpy as np

def softmax_{loss}(x, w, c):
    z = x.T @ w
    return -np.sum(c * np.log(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)))

def {gradient}(x, w, c):
    z = x.T @ w
    return {factor}x @ (np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) - c)
"""


@pytest.mark.parametrize("loss, gradient", [("func", "gradient_softmax"), ("loss", "loss_grad")])
def test_classes_in_rows_may_be_called_c_where_examples_are_columns(check, loss, gradient):
    for factor, found in ("", "correct"), ("2 * ", "off by a constant factor"):
        _, (result,) = check(c=CLASSES.format(loss=loss, gradient=gradient, factor=factor))
        assert verdicts(result) == {"w": found, "x": "not compared"}, result
