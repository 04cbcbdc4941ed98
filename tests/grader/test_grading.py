"""Points and feedback: classes as well as functions, and forward held against the teacher's."""

from pathlib import Path

import numpy as np
import pytest
from short import first

from minialex.grader import confirming, grading
from minialex.grader.remote import Remote

LESSONS = Path(__file__).resolve().parents[2] / "lessons"
CLASSES = """
import numpy as np

class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dout):
        raise NotImplementedError

class Linear:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        raise NotImplementedError
"""
RELU = "return dout * (self.x > 0)"
LINEAR = "self.dW = self.x.T @ dout; self.db = dout.sum(axis=0); return dout @ self.W.T"


def grade(tmp_path, code, skeleton=CLASSES, **points):
    for name, text in (("hidden", skeleton), ("in", code)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "layers.py").write_text(text, encoding="utf-8")
    items = list((points or {"ReLU": 1, "Linear": 3}).items())
    assignment = {"title": "layers", "kind": "layers", "items": items, "skeleton": "layers.py",
                  "seed": 0, "timeout": 10.0, "memory": 2048, "files": {}}
    return {test["name"]: test
            for test in grading.grade(assignment, tmp_path / "in", tmp_path / "hidden")["tests"]}


def solved(relu=RELU, linear=LINEAR):
    return CLASSES.replace("raise NotImplementedError", relu,
                           1).replace("raise NotImplementedError", linear, 1)


@pytest.mark.long
def test_classes_of_a_skeleton(tmp_path):
    tests = grade(tmp_path, solved())
    assert [tests[name]["score"] for name in ("ReLU", "Linear")] == [1, 3], tests


@pytest.mark.long
def test_a_part_of_the_points_for_a_part_of_the_gradients(tmp_path):
    tests = grade(tmp_path, solved(linear=LINEAR.replace("sum", "mean")))
    assert tests["ReLU"]["score"] == 1 and tests["Linear"]["score"] == 2 and not tests["Linear"][
        "passed"]
    assert "mean where a sum is due" in tests["Linear"]["feedback"]


def test_a_mistake_keeps_its_name_where_the_grader_had_no_time_to_find_it(tmp_path, monkeypatch):
    """The comparison is made once more, with what the first has left of the time."""
    again = confirming.check.check_code
    monkeypatch.setattr(confirming.check, "check_code",
                        lambda *inputs, **options: again(*inputs, **{**options, "seconds": 0.0}))
    linear = LINEAR.replace("dout.sum(axis=0)", "dout[-1]")
    test = grade(tmp_path, solved(linear=linear), Linear=3)["Linear"]
    assert test["score"] == 2 and "=> not summed over" in test["feedback"], test
    assert test["verdicts"] == ["not summed over the batch or broadcast axes"]


@pytest.mark.long
def test_an_easier_layer_of_the_same_name_is_worth_nothing(tmp_path):
    """Its backward is right for its forward; but the forward was given."""
    code = solved(relu="return dout * 1.0").replace("return np.maximum(x, 0)", "return x * 1.0")
    tests = grade(tmp_path, code)
    assert tests["ReLU"]["score"] == 0 and tests["Linear"]["score"] == 3, tests["ReLU"]["feedback"]


FORMS = """
import math
import numpy as np
import minialex as ma

class Value:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents, self.step = data, 0.0, parents, lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))
        def step():
            self.grad += out.grad
            other.grad += out.grad
        out.step = step
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))
        def step():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.step = step
        return out

    def tanh(self):
        out = Value(math.tanh(self.data), (self,))
        def step():
            self.grad += (1 - out.data ** 2) * out.grad
        out.step = step
        return out

    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other

    def backward(self):
        order, seen = [], set()
        def visit(value):
            if value not in seen:
                seen.add(value)
                for parent in value.parents: visit(parent)
                order.append(value)
        visit(self)
        self.grad = 1.0
        for value in reversed(order): value.step()

def cube_forward(x):
    return x ** 3, x

def cube_backward(dout, cache):
    return 3 * cache ** 2 * dout

class Scale:
    def __init__(self, n_in): self.w = np.ones(n_in)
    def forward(self, x):
        self.x = x
        return x * self.w
    def backward(self, dout):
        self.dw = (dout * self.x).sum(axis=0)
        return dout * self.w

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

def sigmoid_prime(x):
    return sigmoid(x) * (1 - sigmoid(x))

def square_loss(y, t):
    dy = y - t
    return ((y - t) ** 2).sum() / 2, dy

class Double(ma.Function):
    def forward(self, x): return 2 * x
    def backward(self, grad_output): return 2 * grad_output
"""
ITEMS = {"Value": 10, "cube": 1, "Scale": 2, "sigmoid": 1, "square_loss": 1, "Double": 1}
ANSWERS = ("self.grad += out.grad\n            other.grad += out.grad",
           "self.grad += other.data * out.grad\n            other.grad += self.data * out.grad",
           "self.grad += (1 - out.data ** 2) * out.grad", "return 3 * cache ** 2 * dout",
           "self.dw = (dout * self.x).sum(axis=0)\n        return dout * self.w",
           "return sigmoid(x) * (1 - sigmoid(x))", "dy = y - t", "return 2 * grad_output")


def unfinished():
    text = FORMS
    for answer in ANSWERS:
        assert text.count(answer) == 1
        text = text.replace(answer, "raise NotImplementedError")
    return text


def test_every_form_of_a_skeleton_earns_its_points(tmp_path):
    tests = grade(tmp_path, FORMS, unfinished(), **ITEMS)
    assert {name: test["score"]
            for name, test in tests.items()} == ITEMS, [test["feedback"] for test in tests.values()]


@pytest.mark.parametrize("right, wrong, right_rows, rows, said", first(1, [
    (ANSWERS[1], "raise NotImplementedError", 5, 15, "a * b, by a"),
    (ANSWERS[1], "self.grad = 'as I like'", 5, 15, "a * b, by a"),
    ("(1 - out.data ** 2)", "(1 - out.data)", 12, 16, "a.tanh()"),
    ("self.data * other.data, (", "self.data * other.data * 2, (", 5, 16,
     "gives another value than the teacher's"),
    ("def tanh(self)", "def tan(self)", 12, 14, "a.tanh(), by a"),
    ("self.grad += other.data", "self.grad = other.data", 13, 16, "a * b + a"),
]))
def test_a_wrong_operation_of_a_scalar_engine_costs_its_points(tmp_path, right, wrong, right_rows,
                                                               rows, said):
    test = grade(tmp_path, FORMS.replace(right, wrong), unfinished(), Value=120)["Value"]
    assert test["score"] == pytest.approx(120 * right_rows / rows, abs=0.01), test["feedback"]
    assert said in test["feedback"]


def test_a_scalar_engine_that_nobody_wrote_earns_nothing(tmp_path):
    tests = grade(tmp_path, unfinished(), unfinished(), Value=10)
    assert tests["Value"]["score"] == 0


def test_what_a_call_raises_here_ends_no_process(tmp_path):
    file = tmp_path / "f.py"
    file.write_text("def f(x):\n    x += 1\n    return x\n", encoding="utf-8")
    with Remote([file]) as remote:
        remote.ask("load", remote.process.place(file))
        (f,) = remote.ask("names", ["f"])
        with pytest.raises(ValueError, match="read-only"):
            f(np.broadcast_to(1.0, 3))
        assert remote.gone is None and f(np.ones(3)).tolist() == [2, 2, 2]


def test_what_may_be_run_may_be_run_again_by_its_owner_alone(tmp_path):
    """Whoever looks into a grader's container starts it once more."""
    for name, mode in (("run_autograder", 0o755), ("assignment.json", 0o644)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    grading._hide(tmp_path)
    assert [tmp_path.joinpath(name).stat().st_mode & 0o777
            for name in ("run_autograder", "assignment.json")] == [0o700, 0o600]


@pytest.mark.long
def test_what_is_left_open_is_not_called_right(tmp_path):
    skeleton = CLASSES + """
class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(-1, keepdims=True))
        self.y = e / e.sum(-1, keepdims=True)
        return self.y

    def backward(self, dout):
        raise NotImplementedError
"""
    right = "return self.y * (dout - (dout * self.y).sum())"
    test = grade(tmp_path, right.join(skeleton.rsplit("raise NotImplementedError", 1)), skeleton,
                 Softmax=1)["Softmax"]
    assert test["score"] == 0 and "right for one example, wrong for 4 rows" in test[
        "feedback"], test
    assert "0 of 1 correct" in test["feedback"] and "a person has to look" in test["feedback"], test


@pytest.mark.parametrize("answer, said", first(1, [
    ("class LeakyReLU(ma.Function):\n    def forward(self, x):\n        return self.nothing\n",
     "LeakyReLU.forward stops in line 6 with AttributeError"),
    ("LeakyReLU = None\n", "the file defines no LeakyReLU")]))
def test_an_exercise_that_stops_is_told_by_its_own_name_and_line(tmp_path, answer, said):
    home, folder = tmp_path / "home", tmp_path / "in"
    folder.mkdir()
    home.mkdir()
    (home / "course").symlink_to(LESSONS)
    code = f"from course import check\nimport minialex as ma\n\n{answer}\ncheck(LeakyReLU)\n"
    (folder / "06_relu.py").write_text(code, encoding="utf-8")
    assignment = {"title": "06", "kind": "exercises", "items": [["06_relu", 1]], "seed": 0,
                  "timeout": 10.0, "memory": 2048}
    (test,) = grading.grade(assignment, folder, home)["tests"]
    assert test["score"] == 0 and said in test["feedback"], test["feedback"]


ODD = """
import numpy as np

def odd_forward(a, b):
    c = np.hstack((np.ones((len(b), 1)), b))
    return c @ a.T, (a, c)

def odd_backward(dout, cache):
    raise NotImplementedError
"""


@pytest.mark.long
@pytest.mark.parametrize("line, score", [("dout.T @ c, (dout @ a)[:, 1:]", 2),
                                         ("-dout.T @ c, (dout @ a)[:, 1:]", 1)])
def test_inputs_that_are_found_by_running_are_good_enough_for_points(tmp_path, line, score):
    code = ODD.replace("raise NotImplementedError", f"a, c = cache; return {line}")
    tests = grade(tmp_path, code, ODD, odd=2)
    assert tests["odd"]["score"] == score, tests
