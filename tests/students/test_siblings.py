"""Other spellings of the same things, as other courses have them: right code is right, and a slip
in it is found."""
import json

import pytest
from short import first
from student_files import verdicts

from minialex.gradcheck.__main__ import main

HEAD = "import numpy as np\n\n\n"
LAZY = HEAD + """
class Dense:
    def __init__(self, units):
        self.units, self.w = units, None
    def forward(self, x):
        if self.w is None:
            self.w = np.random.randn(x.shape[-1], self.units)
        self.x = x
        return x.dot(self.w)
    def backward(self, grad):
        self.dw = self.x.T.dot(grad)
        return grad.dot(self.w.T)
"""
SQUARE = HEAD + """
class Square:
    def __init__(self, size):
        self.W = np.random.randn(size, size)
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, d):
        self.dW = self.x.T @ d
        return d @ self.W.T
"""
FEATURES = HEAD + """
class Scale2d:
    def __init__(self, num_features):
        self.gamma = np.ones((1, num_features, 1, 1))
    def forward(self, x):
        self.x = x - x.mean(axis=(0, 2, 3), keepdims=True)
        return self.x * self.gamma
    def backward(self, d):
        self.dgamma = (d * self.x).sum(axis=(0, 2, 3), keepdims=True)
        d = d * self.gamma
        return d - d.mean(axis=(0, 2, 3), keepdims=True)
"""
SEQUENCE = HEAD + """
class RNN:
    def __init__(self, input_dim, hidden_dim):
        self.Wx, self.Wh = np.random.randn(input_dim, hidden_dim), np.random.randn(hidden_dim, hidden_dim)
    def forward(self, x):
        self.x, self.hs = x, [np.zeros((len(x), len(self.Wh)))]
        for t in range(x.shape[1]):
            self.hs.append(np.tanh(x[:, t] @ self.Wx + self.hs[-1] @ self.Wh))
        return np.stack(self.hs[1:], axis=1)
    def backward(self, dhs):
        N, T, D = self.x.shape
        dx, self.dWx, self.dWh, dh = np.zeros((N, T, D)), 0, 0, 0
        for t in reversed(range(T)):
            d = (dhs[:, t] + dh) * (1 - self.hs[t + 1] ** 2)
            self.dWx, self.dWh = self.dWx + self.x[:, t].T @ d, self.dWh + self.hs[t].T @ d
            dx[:, t], dh = d @ self.Wx.T, d @ self.Wh.T
        return dx
"""  # noqa: E501
STEP = HEAD + """
def cell_forward(xt, a_prev, parameters):
    Wax, Waa, Wya = (parameters[key] for key in ("Wax", "Waa", "Wya"))
    a_next = np.tanh(Wax @ xt + Waa @ a_prev)
    return a_next, Wya @ a_next, (a_next, a_prev, xt, parameters)

def cell_backward(da_next, cache):
    a_next, a_prev, xt, parameters = cache
    d = da_next * (1 - a_next ** 2)
    return {"dxt": parameters["Wax"].T @ d, "da_prev": parameters["Waa"].T @ d, "dWax": d @ xt.T, "dWaa": d @ a_prev.T}

def cell_inputs(generator):
    draw = generator.standard_normal
    parameters = {"Wax": draw((5, 3)), "Waa": draw((5, 5)), "Wya": draw((2, 5))}
    return {"xt": draw((3, 4)), "a_prev": draw((5, 4)), "parameters": parameters}
"""  # noqa: E501
TWO = HEAD + """
def gates_forward(a, c):
    return np.tanh(a * c), a + c ** 2, (a, c)

def gates_backward(da_next, dc_next, cache):
    a, c = cache
    d = da_next * (1 - np.tanh(a * c) ** 2)
    return d * c + dc_next, d * a + 2 * c * dc_next
"""
PROPAGATE = HEAD + """
def propagate(w, b, X, Y):
    m = X.shape[1]
    A = 1 / (1 + np.exp(-(w.T @ X + b)))
    cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m
    return {"dw": X @ (A - Y).T / m, "db": np.sum(A - Y) / m}, cost
"""
REGRESSION = HEAD + """
def linear_cost(X, y, w, b):
    e = X @ w + b - y
    return (e ** 2).mean() / 2, X.T @ e / len(y), e.mean()
"""
COLUMN = HEAD + """
class LogReg:
    def __init__(self, n_features):
        self.W = np.zeros((n_features, 1))
    def loss_and_grad(self, X, y):
        p = 1 / (1 + np.exp(-X @ self.W))
        loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
        return loss, {"W": X.T @ (p - y) / len(y)}
"""
COLUMNS = HEAD + """
def softmax_loss(Z, Y):
    P = np.exp(Z) / np.exp(Z).sum(axis=0)
    loss = -np.sum(Y * np.log(P)) / Z.shape[1]
    return loss, (P - Y) / Z.shape[1]
"""
PRODUCT = HEAD + """
class MatMul:
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b
    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return grad @ b.T, a.T @ grad
"""
ATTENTION = HEAD + """
def attention_forward(Q, K, V):
    a = Q @ K.T
    return a @ V, (Q, K, V, a)

def attention_backward(dout, cache):
    Q, K, V, a = cache
    da = dout @ V.T
    return da @ K, da.T @ Q, a.T @ dout
"""
DEPTHWISE = HEAD + """
def depthwise_conv_forward(x, w):
    H, W = x.shape[2] - w.shape[1] + 1, x.shape[3] - w.shape[2] + 1
    return sum(x[:, :, i:i + H, j:j + W] * w[:, i, j, None, None] for i, j in np.ndindex(w.shape[1:])), (x, w)

def depthwise_conv_backward(dout, cache):
    x, w = cache
    (H, W), dx, dw = dout.shape[2:], np.zeros_like(x), np.zeros_like(w)
    for i, j in np.ndindex(w.shape[1:]):
        dx[:, :, i:i + H, j:j + W] += dout * w[:, i, j, None, None]
        dw[:, i, j] = (dout * x[:, :, i:i + H, j:j + W]).sum(axis=(0, 2, 3))
    return dx, dw
"""  # noqa: E501


@pytest.mark.parametrize("code, right, wrong, rows", first(4, [
    (LAZY, "grad.dot(self.w.T)", "grad.dot(self.w.T) / 2", {"x", "w"}),
    (SQUARE, "d @ self.W.T", "d @ self.W", {"x", "W"}),
    (FEATURES, "return d - d.mean", "return d + d.mean", {"x", "gamma"}),
    (SEQUENCE, "+ dh) * (1", "+ dh) * (2", {"x", "Wx", "Wh"}),
    (STEP, "d @ a_prev.T", "d @ a_next.T", {"xt", "a_prev", "Wax", "Waa"}),
    (TWO, "+ dc_next,", "+ da_next,", {"a", "c"}),
    (PROPAGATE, "X @ (A - Y).T / m", "X @ (A - Y).T", {"w", "b"}),
    (REGRESSION, "X.T @ e / len(y)", "X.T @ e", {"w", "b"}),
    (COLUMN, "/ len(y)", "/ 2", {"W"}),
    (COLUMNS, "(P - Y) / Z.shape[1]", "(P - Y)", {"Z"}),
    (PRODUCT, "a.T @ grad", "a.T @ grad / 2", {"a", "b"}),
    (ATTENTION, "da.T @ Q", "da.T @ K", {"Q", "K", "V"}),
    (DEPTHWISE, "axis=(0, 2, 3)", "axis=(0, 2, 3)) / (3", {"x", "w"}),
]), ids="lazy square features sequence step two propagate regression column columns product "
       "attention depthwise".split())
def test_other_spellings(check, code, right, wrong, rows):
    status, (result,) = check(layers=code)
    assert (status, result["status"]) == (0, "correct"), result["checks"]
    compared = {row["name"] for row in result["checks"][0]["rows"]
                if row["verdict"] != "not compared"}
    assert compared == rows
    assert code.count(right) == 1
    status, (result,) = check(layers=code.replace(right, wrong))
    assert (status, result["status"]) == (1, "wrong")


BASES = HEAD + """
class Linear:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, d):
        self.dW = self.share(self.x.T @ d)
        return d @ self.W.T
    def share(self, dW):
        return dW

class Halved(Linear):
    def share(self, dW):
        return dW / 2

class Bend:
    def forward(self, x):
        self.y = self.bent(x)
        return self.y
    def backward(self, d):
        return d * self.slope()

class Tanh(Bend):
    def bent(self, x):
        return np.tanh(x)
    def slope(self):
        return 1 - self.y ** 2
"""


def test_a_class_is_checked_beside_those_that_are_made_of_it(check):
    """Unless it leaves something open, and only they can be run."""
    status, (result,) = check(layers=BASES)
    assert {item["name"]: item["status"] for item in result["checks"]} == {"Linear": "correct",
                                                                           "Halved": "wrong",
                                                                           "Tanh": "correct"}


def test_a_cell_that_nobody_can_read_takes_no_class_with_it(tmp_path, capsys):
    cells = [{"cell_type": "code", "source": text}
             for text in (LAZY, "x?", "def unfinished(:\n    pass")]
    (tmp_path / "work.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    status = main([str(tmp_path / "work.ipynb"), "--json"])
    result = json.loads(capsys.readouterr().out)
    assert status == 1 and verdicts(result) == {
        "x": "correct", "w": "correct"} and "SyntaxError" in result["error"]["kind"]
