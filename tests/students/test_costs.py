"""Costs as classes hand them in: arrays of one element, columns and rows, whatever their gradients
are called."""
import pytest
from short import first
from student_files import verdicts

SHAPES = ["J.sum()", "J.sum(keepdims=True)", "J.sum(axis=0)", "J.T @ np.ones((len(J), 1))"]
TOGETHER = """
import numpy as np

def softmax_loss(W, X, y):
    scores = X.dot(W)
    scores -= scores.max(axis=1, keepdims=True)
    p = np.exp(scores)
    p /= p.sum(axis=1, keepdims=True)
    t = np.eye(W.shape[1])[y]
    J = -np.log((p * t).sum(axis=1, keepdims=True)) / len(X)
    return {cost}, X.T @ (p - t) / len(X) * {factor}
"""
APART = """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def costFunction(theta, X, y):
    h = sigmoid(X @ theta)
    J = -(y * np.log(h) + (1 - y) * np.log(1 - h)) / len(X)
    return {cost}

def gradient(theta, X, y):
    return X.T @ (sigmoid(X @ theta) - y) / len(X) * {factor}
"""


@pytest.mark.parametrize("cost", SHAPES)
@pytest.mark.parametrize("code, name", [(TOGETHER, "W"), (APART, "theta")])
@pytest.mark.parametrize("factor, found", [("1", "correct"), ("-1", "sign flipped")])
def test_a_cost_may_be_an_array_of_one_element(check, cost, code, name, factor, found):
    _, (result,) = check(costs=code.format(cost=cost, factor=factor))
    assert verdicts(result).get(name) == found, result
    assert result["status"] == ("correct" if factor == "1" else "wrong"), result

PENALTY = APART + """
def costFunctionReg(theta, X, y, {name}):
    return costFunction(theta, X, y) + {name} / (2 * len(X)) * np.sum(theta[1:] ** 2)

def gradientReg(theta, X, y, {name}):
    if y.ndim > 1:
        raise ValueError("y.shape = {{}}".format(Y.shape))
    ends = np.ones(theta.shape)
    ends[0] = 0
    return gradient(theta, X, y) + {slip} * {name} / len(X) * ends * theta
"""


@pytest.mark.parametrize("name", first(3, ["mylambda", "lambdaVal", "reg_param", "lmb", "Lambda_",
                                  "regularization_strength", "_lambda"]))
@pytest.mark.parametrize("slip", [1, 2])
def test_a_penalty_is_known_by_a_part_of_its_name(check, name, slip):
    code = PENALTY.format(name=name, slip=slip, cost="J.sum()", factor=1)
    _, (result,) = check(costs=code)
    plain, penalised = result["checks"]
    assert (plain["checked"], plain["status"]) == ("gradient", "correct"), plain
    assert (penalised["checked"], penalised["status"]) == (
        "gradientReg", "correct" if slip == 1 else "wrong"), penalised


SCORES = """
import numpy as np

def cross_entropy(y, scores_or_p):
    rows = np.eye(scores_or_p.shape[1])[y]
    return -np.sum(rows * np.log(scores_or_p)) / len(y)

def grad_cross_entropy(y, scores_or_p):
    rows = np.eye(scores_or_p.shape[1])[y]
    p = np.exp(scores_or_p)
    p /= p.sum(axis=1, keepdims=True)
    return (p - {slip}rows) / len(y)
""".replace("scores_or_p", "y_predict")


@pytest.mark.parametrize("slip, status", [("", "correct"), ("2 * ", "wrong")])
def test_a_gradient_may_take_the_scores_where_its_loss_takes_probabilities(check, slip, status):
    _, (result,) = check(loss=SCORES.format(slip=slip))
    assert result["status"] == status
