"""A small number inside a logarithm, in whatever way it is written: no inputs are drawn for which
it counts more than the rest."""
import numpy as np
import pytest
from short import first

from minialex.students.called import small

CODE = """
import numpy as np

class SoftmaxLayer:
    def forward(self, input):
        e = np.exp(input - np.max(input, axis=1, keepdims=True))
        self.prob = e / np.sum(e, axis=1, keepdims=True)
        return self.prob

    def loss(self, label):
        self.onehot = np.zeros_like(self.prob)
        self.onehot[np.arange(len(label)), label] = 1.0
        return -np.sum(np.log(self.prob + SMALL) * self.onehot) / len(label)

    def backward(self):
        return (self.prob - self.onehot) / len(self.prob)
"""


@pytest.mark.parametrize("small", ["10**(-8)", *first(2, [
    "1e-8", "pow(10, -8)", "np.finfo(float).eps", "np.power(10.0, -8)"])])
def test_it_blames_nobody(check, small):
    """With a loss in a method of its own, which is forward's last step."""
    _, (result,) = check(layer=CODE.replace("SMALL", small))
    assert result["status"] == "correct", result["checks"]
    _, (result,) = check(layer=CODE.replace("SMALL", small).replace(" / len(self.prob)", ""))
    assert result["status"] in ("wrong", "undecided"), result["checks"]


def test_powers_are_numbers_too(tmp_path):
    path = tmp_path / "small.py"
    path.write_text("a, b = 10 ** -8, pow(10, -7)\nc = np.finfo(float).eps\nd = 2 ** n", "utf-8")
    found = sorted(small.numbers(str(path)))
    assert found[:3] == [np.finfo(float).eps, 10.0 ** -8, 10.0 ** -7], found


def test_an_output_may_be_called_actv(check):
    code = """
        import numpy as np

        class TanH:
            def forward_prop(self, prop):
                return 2 / (1 + np.exp(-2 * prop)) - 1

            def backward_prop(self, actv, d_actv):
                return np.multiply(d_actv, 1 - actv * actv)
    """
    _, (result,) = check(layer=code)
    assert result["status"] == "correct", result["checks"]
    _, (result,) = check(layer=code.replace("actv * actv", "actv"))
    assert result["status"] == "wrong", result["checks"]
