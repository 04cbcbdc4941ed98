"""An activation's backward that is given the output and the target, as the last step of a network:
with the file's own loss, or a usual one. A network's forward may have an option, or a count."""
import pytest
from short import first
from student_files import verdicts

SOFTMAX = """
import numpy as np

def softmax(x):
    e = np.exp(x - x.max(axis={axis}, keepdims=True))
    return e / e.sum(axis={axis}, keepdims=True)
"""
OWN = """
def cross_entropy(pred, y):
    return -np.log(pred[range(len(y)), y]).sum() / len(y)

def softmax_backward(pred, y):
    grad = pred.copy()
    grad[range(len(y)), y] {slip}= 1
    return grad / len(y)
"""
NOBODYS = "\ndef softmax_backward(probs, y):\n    return (probs {slip} y) / y.shape[1]\n"
SIGMOID = """
import numpy as np

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

def bce(pred, y):
    return -np.mean(y * np.log(pred) + (1 - y) * np.log(1 - pred))

def sigmoid_backward(pred, y):
    return (pred {slip} y) / y.size
"""
FILES = [SOFTMAX.replace("{axis}", "1") + OWN, SOFTMAX.replace("{axis}", "0") + NOBODYS, SIGMOID]


@pytest.mark.parametrize("code", first(1, FILES))
def test_the_output_and_the_target_are_enough(check, code):
    for slip, status in (("-", "correct"), ("+", "wrong")):
        _, (result,) = check(last=code.replace("{slip}", slip))
        assert result["status"] == status and [*verdicts(result)] == ["x"], result


OPTION = """
import numpy as np

def first_weights_init():
    return (np.random.randn(30, 90), np.zeros((30, 1)), np.random.randn(1, 30), np.zeros((1, 1)))

def activate(z, name, slope=False):
    if name == "tanh":
        return 1 - np.tanh(z) ** 2 if slope else np.tanh(z)
    return 1.0 * (z > 0) if slope else np.maximum(z, 0)

def forward_pass(W1, b1, W2, b2, X, m, activation="tanh"):
    Z1 = W1 @ X + b1
    A1 = activate(Z1, activation)
    y_hat = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
    return y_hat, Z1, A1

def calculate_cost(y, y_hat):
    return -np.mean(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))

def backward_pass(X, y, Z1, A1, W2, y_hat, activation="tanh"):
    m = y.shape[1]
    dZ2 = y_hat - y
    dZ1 = W2.T @ dZ2 * activate(Z1, activation, slope=True)
    return (dZ1 @ X.T / m, dZ1.sum(axis=1, keepdims=True) / m,
            {slip}dZ2 @ A1.T / m, dZ2.sum(axis=1, keepdims=True) / m)
"""


@pytest.mark.parametrize("slip, status", [("", "correct"), ("-", "wrong")])
def test_a_network_s_forward_may_have_an_option_and_a_count(check, slip, status):
    _, (result,) = check(net=OPTION.replace("{slip}", slip))
    assert result["checks"][-1]["status"] == status, result
    assert verdicts(result)["W1"] == "correct", result
