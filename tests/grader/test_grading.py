"""Points and feedback: classes as well as functions, and forward held against the teacher's."""

import pytest

from minialex.grader import grading

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


def grade(tmp_path, code):
    for name, text in (("hidden", CLASSES), ("in", code)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "layers.py").write_text(text, encoding="utf-8")
    assignment = {"title": "layers", "kind": "layers", "items": [["ReLU", 1], ["Linear", 3]], "skeleton": "layers.py", "seed": 0,
                  "timeout": 10.0, "memory": 2048, "files": {}}
    return {test["name"]: test for test in grading.grade(assignment, tmp_path / "in", tmp_path / "hidden")["tests"]}


def solved(relu=RELU, linear=LINEAR):
    return CLASSES.replace("raise NotImplementedError", relu, 1).replace("raise NotImplementedError", linear, 1)


@pytest.mark.long
def test_classes_of_a_skeleton(tmp_path):
    tests = grade(tmp_path, solved())
    assert [tests[name]["score"] for name in ("ReLU", "Linear")] == [1, 3], tests


@pytest.mark.long
def test_a_part_of_the_points_for_a_part_of_the_gradients(tmp_path):
    tests = grade(tmp_path, solved(linear=LINEAR.replace("sum", "mean")))
    assert tests["ReLU"]["score"] == 1 and tests["Linear"]["score"] == 2 and not tests["Linear"]["passed"]
    assert "mean where a sum is due" in tests["Linear"]["feedback"]


@pytest.mark.long
def test_an_easier_layer_of_the_same_name_is_worth_nothing(tmp_path):
    """Its backward is right for its forward; but the forward was given."""
    code = solved(relu="return dout * 1.0").replace("return np.maximum(x, 0)", "return x * 1.0")
    tests = grade(tmp_path, code)
    assert tests["ReLU"]["score"] == 0 and tests["Linear"]["score"] == 3, tests["ReLU"]["feedback"]
