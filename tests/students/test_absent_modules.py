"""Stand-ins for NumPy's names, one-hot rows, files beside it and base classes that are not here."""
import numpy as np
import pytest
from student_files import command, verdicts

from minialex.students.reading.usual import USUAL

NORM = """
    {line}

    class Norm:
        def __init__(self, dim, eps=1e-5):
            self.gamma, self.beta, self.eps = {tools}ones(dim), {tools}zeros(dim), eps

        def forward(self, x):
            self.std = {tools}sqrt({tools}var(x, axis=-1, keepdims=True) + self.eps)
            self.normed = (x - {tools}mean(x, axis=-1, keepdims=True)) / self.std
            return self.gamma * self.normed + self.beta

        def backward(self, dout):
            self.dgamma, self.dbeta = (dout * self.normed).sum(axis=0), dout.sum(axis=0)
            d = dout * self.gamma
            m = lambda a: {tools}mean(a, axis=-1, keepdims=True)
            return (d - m(d) {sign} self.normed * m(d * self.normed)) / self.std
    """


@pytest.mark.parametrize("line, tools", [
    ("from backend import ones, zeros, sqrt, var, mean", ""), ("from backend import *", ""),
    ("import core.backend as xp", "xp.")])
@pytest.mark.parametrize("sign, found", [("-", "correct"), ("+", "wrong")])
def test_what_a_missing_module_calls_as_numpy_does_is_numpys(check, line, tools, sign, found):
    _, (result,) = check(norm=NORM.format(line=line, tools=tools, sign=sign))
    (one,) = result["checks"]
    assert one["status"] == ("error" if found == "wrong" else found), result
    assert found != "wrong" or "the usual var, sqrt, mean of" in one["error"]["message"]


COST = """
    {line}

    def cost(params, input_layer_size, hidden_layer_size, num_labels, X, y, reg):
        A = params[:hidden_layer_size * input_layer_size].reshape(
            hidden_layer_size, input_layer_size)
        B = params[hidden_layer_size * input_layer_size:].reshape(
            num_labels, hidden_layer_size)
        h = np.tanh(X @ A.T)
        p = 1 / (1 + np.exp(-h @ B.T))
        t = {labels}
        J = -(t * np.log(p) + (1 - t) * np.log(1 - p)).sum() / len(X) + reg * (A ** 2).sum() / 2
        d = (p - t) / len(X)
        dA, dB = ((d @ B) * (1 - h ** 2)).T @ X + {factor} * reg * A, d.T @ h
        return J, dA, dB
    """


@pytest.mark.parametrize("line, labels, factor, found", [
    ("import pandas as pd", "pd.get_dummies(y.ravel()).as_matrix()", 1, "correct"),
    ("import pandas", "pandas.get_dummies(y).values", 2, "wrong"),
    ("from helpers import one_hot", "one_hot(y, num_labels)", 1, "correct")])
def test_labels_that_become_rows_elsewhere_and_parts_of_a_vector(check, line, labels, factor,
                                                                 found):
    given = "--labels", "y=6:3", "--shape", "X=6,5", "--shape", "params=48"
    _, (result,) = check(*given, cost=COST.format(line=line, labels=labels, factor=factor))
    assert [one["status"] for one in result["checks"]] == [found], result


def test_one_hot_is_told_by_its_arguments():
    y, rows = np.array([2, 0, 1]), np.eye(4)[[2, 0, 1]]
    assert np.array_equal(USUAL["onehot"](y, 4), rows) and np.array_equal(
        USUAL["onehot"](4, y), rows) and np.array_equal(USUAL["onehot"](y[:, None]), rows[:, :3])


@pytest.mark.parametrize("fails", [
    "from dotenv import load_dotenv\nload_dotenv()", "rows = np.loadtxt('rows.csv')",
    "import other\nother.begin()", "raise SystemExit"])
@pytest.mark.parametrize("line, name, factor, found", [
    ("import tools", "tools.twice", 2, "correct"),
    ("from tools import twice", "twice", 3, "wrong")])
def test_a_file_beside_it_loses_only_what_is_not_here(check, tmp_path, fails, line, name, factor,
                                                      found):
    (tmp_path / "tools.py").write_text(f"import numpy as np\n{fails}\ndef twice(x):\n"
                                       "    return np.multiply(x, 2)\n", encoding="utf-8")
    (tmp_path / "other.py").write_text("import nowhere\ndef begin():\n    nowhere.start(1)\n",
                                       encoding="utf-8")
    _, (result,) = check(unit=f"""
        import numpy as np
        {line}

        def unit_forward(x):
            return {name}(x), x

        def unit_backward(dout, x):
            return {factor} * dout
        """)
    assert result["status"] == found and not result["error"], result


@pytest.mark.parametrize("slip, found", [("", "correct"), ("2 * ", "wrong")])
def test_what_an_object_is_to_keep_is_no_weight_of_a_network(check, slip, found):
    """One-hot rows in the place of classes picked rows twice, and blamed right code."""
    _, (result,) = check(loss=f"""
        class Loss:
            def __init__(self):
                self.input = self.target = None

            def forward(self, input, target):
                self.input, self.target = input, target
                p = np.exp(input) / np.exp(input).sum(axis=1, keepdims=True)
                self.p, rows = p, np.arange(len(input))
                return -np.log(p[rows, target]).mean()

            def backward(self):
                rows, grad = np.arange(len(self.p)), self.p.copy()
                grad[rows, self.target] -= 1
                return {slip}grad / len(rows)
        """)
    assert result["status"] == found, result


@pytest.mark.parametrize("first, given", [
    ("class Twice(Layer):", ""), ("class Twice(nn.Module, Layer):", ""),
    ("class Twice:", ": Tensor"), ("class Twice:", ": 'int') -> (Tensor")])
@pytest.mark.parametrize("factor, found", [(2, "correct"), (3, "off by a constant factor")])
def test_a_base_class_or_annotation_that_nothing_defines(check, first, given, factor, found):
    _, (result,) = check(twice=f"""
        from lib import nn

        {first}
            def __init__(self, name=None):
                super().__init__()

            def forward(self, x{given}):
                return 2 * x

            def backward(self, dout):
                return {factor} * dout
        """)
    assert verdicts(result) == {"x": found} and not result["checks"][0]["error"], result


def test_that_is_said_and_a_name_that_is_missing_elsewhere_is_not_stood_in_for(tmp_path):
    code = "class Twice(Layer):\n{}    def forward(self, x):\n        return 2 * x\n" \
           "    def backward(self, dout):\n        return 2 * dout\n"
    (tmp_path / "twice.py").write_text(code.format(""), encoding="utf-8")
    (tmp_path / "sized.py").write_text(code.format("    size = SIZE\n"), encoding="utf-8")
    done, told = (command(tmp_path / f"{name}.py") for name in ("twice", "sized"))
    assert "(with an empty class for Layer, which nothing defines)" in " ".join(done.stdout.split())
    assert told.returncode and "name 'SIZE' is not defined" in told.stdout + told.stderr


@pytest.mark.parametrize("line, code, said", [
    ("import torch as t", "t.sum(t.mm(X, W))", "computes with torch"),
    ("import tensorflow as tf", "tf.reduce_sum(X @ W)", "computes with tensorflow"),
    ("import torch", "X.mm(W).sum()", "has no attribute 'mm'")])
def test_a_function_of_another_library_is_told_so(check, line, code, said):
    """And no other one."""
    _, (result,) = check(loss=f"""
        {line}

        def loss(W, X):
            J = {code}
            dW = X.T @ (X @ W)
            return J, dW

        def half_loss(W, X):
            r = X @ W
            dW = X.T @ r
            return (r ** 2).sum() / 2, dW
        """)
    first, second = result["checks"]
    assert said in first["error"]["message"] and second["status"] == "correct", result
