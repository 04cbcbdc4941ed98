"""A weight of which no gradient is found, whatever it is called, leaves a layer undecided; a
constant does not."""
import pytest
from student_files import verdicts

LAYER = """
import numpy as np

class Layer:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
        self.odd = {made}

    def forward(self, x):
        self.x = x
        return x @ self.W + self.odd

    def backward(self, dout):
        self.dW = self.x.T @ dout
        {gradient}
        return dout @ self.W.T
"""


@pytest.mark.parametrize("made", ["np.zeros(n_out)", "np.random.randn(n_out)",
                                  "np.full(n_out, 2.0)"])
def test_what_is_made_as_weights_are_needs_a_gradient(check, made):
    _, (result,) = check(layer=LAYER.format(made=made, gradient="pass"))
    assert result["status"] == "undecided" and verdicts(result)["odd"] == "undecided", result
    code = LAYER.format(made=made, gradient="self.dodd = dout.sum(axis=0)")
    status, (result,) = check(layer=code)
    assert status == 0 and verdicts(result)["odd"] == "correct", result


@pytest.mark.parametrize("made", ["np.sin(np.arange(n_out))", "np.linspace(0, 1, n_out)"])
def test_a_constant_needs_none(check, made):
    status, (result,) = check(layer=LAYER.format(made=made, gradient="pass"))
    assert status == 0 and verdicts(result)["odd"] == "not compared", result
