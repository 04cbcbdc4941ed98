"""What a loss returns beside its value: a gradient, which is checked, or how many are right, what
is predicted, other losses, which are none."""
import pytest
from short import first
from student_files import verdicts

FILE = """
import numpy as np

def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def softmax_loss(z, y):
    p = softmax(z)
    rows = np.arange(len(y))
    loss = -np.log(p[rows, y]).mean()
"""
OTHER = ["np.mean(z.argmax(axis=1) != y)", "(p.argmax(1) == y).mean()",
         "(p.argmax(1) == y).sum() / len(y)",
         "acc", "right / len(y)", "p.argmax(axis=1)", "chosen", "p", "data_loss, loss",
         "accuracy(z, y)"]
SETS = """    chosen = p.argmax(axis=1)
    same = chosen == y
    right = np.sum(same)
    acc = np.mean(same)
    data_loss = 2 * loss
"""
GRADIENTS = ["(p - hot) / len(y)", "q", "p", "r", "dz"]
MADE = """    hot = np.eye(z.shape[1])[y]
    q = (p - hot) / len(y)
    r = (1 / len(y)) * (softmax(z) - hot)
    dz = q
    p[rows, y] -= 1
    p /= len(y)
"""


@pytest.mark.parametrize("other", first(4, OTHER))
def test_a_measure_or_a_prediction_is_no_gradient(check, other):
    _, (result,) = check(loss=f"{FILE}{SETS}    return loss, {other}\n\n"
                         "def accuracy(z, y):\n    return np.mean(z.argmax(1) == y)\n")
    assert result["error"]["kind"] == "nothing to check", result


@pytest.mark.parametrize("gradient", first(3, GRADIENTS))
def test_a_gradient_of_any_name_is_checked(check, gradient):
    made = MADE[:MADE.index("    p[")] if "hot" in gradient else MADE
    for code, status in ((made, "correct"), (made.replace("= np.eye", "= 2 * np.eye").replace(
            "-= 1", "-= 2"), "wrong")):
        _, (result,) = check(loss=f"{FILE}{code}    return loss, {gradient}\n")
        assert result["status"] == status, result
        assert list(verdicts(result)) == ["z"], result


@pytest.mark.parametrize("slip, status", [("", "correct"), ("2 * ", "wrong")])
def test_what_a_course_s_tests_hand_on_to_both_is_no_place_for_dout(check, slip, status):
    _, (result,) = check(line=f"""
def compute_cost(X, y, w, b, *argv):
    return sum((X[i] @ w + b - y[i]) ** 2 for i in range(len(X))) / len(X)

def compute_gradient(X, y, w, b, *argv):
    m, n = X.shape
    dj_dw, dj_db = 0 * w, 0.0
    for i in range(m):
        error = X[i] @ w + b - y[i]
        dj_db += 2 * error / m
        for j in range(n):
            dj_dw[j] += {slip}2 * error * X[i, j] / m
    return dj_db, dj_dw
""")
    assert result["status"] == status and "w" in verdicts(result), result
