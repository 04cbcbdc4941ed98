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


@pytest.mark.parametrize("code", [
    BIAS, BIAS.replace("d.sum(0)", "d").replace("x", "a"),
    BIAS.replace("d.sum(0)", "d").replace("x + b", "x - 2 * b").replace("d, d", "d, -2 * d")])
def test_a_bias_is_right_as_a_row_and_what_is_none_as_an_array(check, code):
    status, (result,) = check(bias=code)
    assert status == 0 and set(verdicts(result).values()) == {"correct"}, result


@pytest.mark.parametrize("name", ["b", "bias"])
def test_what_is_right_for_an_array_alone_says_so(check, name):
    status, (result,) = check(bias=BIAS.replace("d.sum(0)", "d").replace("b)", f"{name})").replace(
        "x + b", f"x + {name}"))
    assert result["status"] == "undecided", result
    assert any("one row" in row["detail"] for row in result["checks"][0]["rows"]), result


@pytest.mark.parametrize("gradient", ["2 * d.sum(0)", "d.mean(0)", "3 * d"])
def test_a_slip_in_it_is_found(check, gradient):
    status, (result,) = check(bias=BIAS.replace("d.sum(0)", gradient))
    assert status == 1 and verdicts(result)["b"] != "correct", result


def test_a_slip_beside_it_is_told_for_arrays_of_one_shape(check):
    quotient = BIAS.replace("return x + b", "self.x, self.b = x, b\n        return x / b")
    status, (result,) = check(div=quotient.replace("return d, d.sum(0)",
                                                   "return d / self.b, -d * self.x / self.b"))
    assert status == 1 and verdicts(result)["b"] != "shape differs", result


NUMBER = """
    class Neuron:
        def __init__(self, n_in, lr=0.1):
            self.w, self.b, self.lr = np.ones(n_in), {first}, lr

        def forward(self, x):
            self.x, self.y = x, np.tanh(x @ self.w + self.b)
            return self.y

        def backward(self, dout):
            dz = dout * (1 - self.y ** 2)
            dx = np.outer(dz, self.w)
            {end}
            return dx
    """
ENDS = ["self.dw, self.db = self.x.T @ dz, {factor} * dz.sum()",
        "self.w -= self.lr * self.x.T @ dz; self.b -= {factor} * self.lr * dz.sum()",
        "self.w -= self.lr * self.x.T @ dz; self.b = self.b - self.lr * {factor} * dz.sum()"]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("first", ["0", "0.0"])
def test_a_bias_of_one_number_is_moved(check, first, end):
    _, (result,) = check(neuron=NUMBER.format(first=first, end=end.format(factor=1)))
    assert verdicts(result) == dict.fromkeys(["x", "w", "b"], "correct"), result
    _, (result,) = check(neuron=NUMBER.format(first=first, end=end.format(factor=2)))
    assert result["status"] == "wrong" and verdicts(result)["w"] == "correct", result


@pytest.mark.parametrize("first", ["3", "True", "0.5"])
def test_what_is_called_like_a_bias_need_not_be_one(check, first):
    _, (result,) = check(other=f"""
        class Scale:
            def __init__(self):
                self.bias = {first}

            def forward(self, x):
                return x[:self.bias] if self.bias == 3 else x * 2

            def backward(self, dout):
                return dout * 2 if self.bias != 3 else np.concatenate([dout, dout[:1] * 0])
        """)
    assert verdicts(result) == {"x": "correct"}, result
