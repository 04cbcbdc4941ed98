"""What looks like gradients and cannot be checked is named, with its place."""
import json

import pytest
from student_files import LINEAR, verdicts

from minialex.gradcheck.__main__ import main

STEPS = """
    import numpy as np
    X, t = np.random.rand(4, 2), np.random.rand(4, 2)
    w1, w2, rate = np.random.randn(2, 3), np.random.randn(3, 2), 0.1
    total = 0.0
    for step in range(10):
        h = np.tanh(X @ w1)
        e = difference(h @ w2, t)
        total += (e ** 2).sum()
        dw2 = h.T @ e / 4
        grad_w1 = X.T @ (e @ w2.T * (1 - h ** 2)) / 4
        w2 -= LR * dw2
        w1 = w1 - LR * grad_w1
"""
DIRECT = STEPS.replace("w2 -= LR * dw2", "w2 -= learning_rate * (h.T @ e)").replace(
    "LR", "learning_rate").replace("rate =", "learning_rate =")


def told(result):
    return " ".join(one["error"]["message"] for one in result["checks"] if one["error"]) or \
        result["error"]["message"]


@pytest.mark.parametrize("code, names", [(STEPS.replace("LR", "rate"), ("dw2", "grad_w1")),
                                         pytest.param(DIRECT, ("the step of w2", "grad_w1"),
                                                      marks=pytest.mark.long)])
@pytest.mark.parametrize("within", ["", "    def teach(X, t, w1, w2, rate):\n"])
def test_steps_outside_of_functions_or_within_one_are_named(check, code, names, within):
    lines = code.splitlines()
    if within:  # all but the first two lines
        code = "\n".join([*lines[:2], within.rstrip(), *["    " + line for line in lines[2:]]])
    for beside in ("", LINEAR):
        _, (result,) = check(net=code + beside)
        assert all(name in told(result) for name in names) and "total" not in told(result)
        assert ("teach" if within else " (lines 1") in told(result), told(result)
        assert result["status"] != "correct"
        assert "wrong" not in verdicts(result).values()


def test_gradients_one_by_one_are_named_but_not_their_helpers(check):
    _, (result,) = check(net="""
    import numpy as np

    def delta_weight_2(p, y, a):
        return np.dot(a.T, p - y)

    def delta_weight_1(p, y, a, w2, x):
        return np.dot(x.T, (p - y) @ w2.T * a * (1 - a))

    def check_gradient(w):
        return np.dot(w, w)
    """ + LINEAR.replace("dout @ w.T", "grad_of_x(dout, w)") + """
    def grad_of_x(dout, w):
        return np.dot(dout, w.T)
    """)
    assert "delta_weight_2, delta_weight_1 (lines 4 to 7)" in told(result), told(result)
    assert "grad_of_x" not in told(result) and "check_gradient" not in told(result)


@pytest.mark.parametrize("code", [
    "dw, db = grads(X)\n    w -= rate * dw", "w = w - alpha * grads['w']",
    "loss -= (w @ w).sum()", "m = 0.9 * m + 0.1 * dw",
    "m += dw * dw\n    w += -2 * dw / np.sqrt(m + 1e-8)"])
def test_steps_with_gradients_of_functions_are_nothing_to_name(check, code):
    _, (result,) = check(net=LINEAR + f"""
    def grads(X):
        return X, X

    def descend(X, w, b, rate, alpha, loss, m, dw):
        {code.replace("    ", "        ")}
    """)
    assert result["status"] == "correct", result


def test_functions_in_text_cells_are_named(tmp_path, capsys):
    cells = [{"cell_type": "markdown", "source": ["The step:\n", "\n", "def backward(dout):\n",
                                                  "    return dout"]},
             {"cell_type": "code", "source": ["x = 1"]}]
    path = tmp_path / "text.ipynb"
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5}))
    main([str(path), "--json"])
    message = json.loads(capsys.readouterr().out)["error"]["message"]
    assert "cell 1 hold" in message and "code cells" in message
