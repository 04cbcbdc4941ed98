"""x + b without weights: b is as wide as x where it is summed over the rows, as large as x where it
is not."""
import pytest
from student_files import verdicts

BIAS = """
class Bias:
    def forward(self, x, b):
        return x + b
    def backward(self, d):
        return d, d.sum(0)
"""


@pytest.mark.parametrize("gradient", ["d.sum(0)", "d"])
def test_a_bias_is_right_as_a_row_and_as_an_array(check, gradient):
    status, (result,) = check(bias=BIAS.replace("d.sum(0)", gradient))
    assert status == 0 and verdicts(result) == {"x": "correct", "b": "correct"}, result


@pytest.mark.parametrize("gradient", ["2 * d.sum(0)", "d.mean(0)", "3 * d"])
def test_a_slip_in_it_is_found(check, gradient):
    status, (result,) = check(bias=BIAS.replace("d.sum(0)", gradient))
    assert status == 1 and verdicts(result)["b"] != "correct", result


def test_a_slip_beside_it_is_told_for_arrays_of_one_shape(check):
    quotient = BIAS.replace("return x + b", "self.x, self.b = x, b\n        return x / b")
    status, (result,) = check(div=quotient.replace("return d, d.sum(0)",
                                                   "return d / self.b, -d * self.x / self.b"))
    assert status == 1 and verdicts(result)["b"] != "shape differs", result
