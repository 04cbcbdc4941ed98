"""Steps inside backward: of the optimizer that is the gradient, of weights that are one number, of
an object that keeps its data."""
import pytest
from student_files import verdicts

CHOSEN = """
import numpy as np


class Base:
    def step(self, name, gradient):
        if self.{attribute} == "{plain}":
            setattr(self, name, getattr(self, name) - {sign}0.1 * gradient)
        elif self.{attribute} == "adam":
            m, v = 0.1 * gradient, 0.001 * gradient ** 2
            setattr(self, name, getattr(self, name) - 0.1 * (m / 0.1) / (np.sqrt(v / 0.001) + 1e-8))


class Dense(Base):
    def __init__(self, n_in, n_out, {attribute}="adam"):
        self.W, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)
        self.{attribute} = {attribute}.lower()

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        dx = dout @ self.W.T
        self.step("W", self.x.T @ dout)
        self.step("b", dout.sum(axis=0))
        return dx
"""


@pytest.mark.parametrize("attribute, plain", [("optimizer", "sgd"), ("update_rule", "vanilla"),
                                              ("optim", "GD")])
def test_of_several_optimizers_the_one_is_taken_that_shows_the_gradient(check, attribute, plain):
    code = CHOSEN.format(attribute=attribute, plain=plain, sign="")
    assert check(dense=code)[1][0]["status"] == "correct"
    code = CHOSEN.format(attribute=attribute, plain=plain, sign="-")
    assert check(dense=code)[1][0]["status"] == "wrong"


def test_of_adam_alone_nothing_is_told_and_no_one_blamed(check):
    code = CHOSEN.format(attribute="optimizer", plain="momentum", sign="")
    _, (result,) = check(dense=code)
    assert result["status"] in ("undecided", "error"), result


NUMBERS = """
import numpy as np


class Line:
    def __init__(self{data}):
        {keep}
        self.{slope} = 0
        self.{offset} = {start}

    def forward(self, x):
        self.z = x * self.{slope} + self.{offset}
        return np.tanh(self.z)

    def backward(self, grad, x):
        dz = grad * (1 - np.tanh(self.z) ** 2)
        self.{slope} -= 0.5 * np.{one}(dz * x)
        self.{offset} -= 0.5 * np.{other}(dz)
"""


@pytest.mark.parametrize("slope, offset", [("m", "b"), ("w", "b"), ("slope", "intercept")])
@pytest.mark.parametrize("data, keep, start", [
    ("", "pass", "0"), (", x, y", "self.x, self.y = x, y", "np.mean(y)"),
    (", data, target", "self.data, self.target = data, target", "0.0")])
@pytest.mark.parametrize("one, other, status", [
    ("sum", "sum", "correct"), ("mean", "mean", "correct"), ("sum", "mean", "wrong")])
def test_a_weight_may_be_one_number_and_the_data_lie_in_the_object(
        check, slope, offset, data, keep, start, one, other, status):
    _, (result,) = check(line=NUMBERS.format(**locals()))
    assert result["status"] == status, result
    assert {*verdicts(result)} == {slope, offset, "x"}
