"""Derivatives of one argument, whatever it is called, and beside a learning rate."""
import pytest
from student_files import verdicts

LAYER = """
import numpy as np


class Tanh:
    def forward(self, x):
        return np.tanh(x)

    def backward(self, {given}):
        return {slope}
"""


@pytest.mark.parametrize("given", ["x, learning_rate", "x, lr", "x"])
@pytest.mark.parametrize("slope, found", [("1 - np.tanh(x) ** 2", "correct"),
                                          ("np.tanh(x) ** 2 - 1", "sign flipped")])
def test_a_layer_that_gives_its_slope_may_be_handed_a_learning_rate(check, given, slope, found):
    _, (result,) = check(tanh=LAYER.format(given=given, slope=slope))
    assert verdicts(result) == {"x": found}


@pytest.mark.parametrize("given", ["x, learning_rate", "x, lr"])
def test_what_asks_for_dout_is_no_slope(check, given):
    code = LAYER.format(given="dout, learning_rate", slope="dout * (1 - self.y ** 2)").replace(
        "return np.tanh(x)", "self.y = np.tanh(x)\n        return self.y")
    assert verdicts(check(tanh=code)[1][0]) == {"x": "correct"}


@pytest.mark.parametrize("name", ["n", "k", "m", "d", "activation", "stride"])
@pytest.mark.parametrize("sign, found", [("", "correct"), ("-", "sign flipped")])
def test_the_one_argument_of_a_function_is_what_it_is_applied_to(check, name, sign, found):
    _, (result,) = check(sigmoid=f"""
    import numpy as np

    def sigmoid({name}):
        return 1 / (1 + np.exp(-{name}))

    def dsigmoid({name}):
        return {sign}sigmoid({name}) * (1 - sigmoid({name}))
    """)
    assert verdicts(result) == {name: found}


@pytest.mark.parametrize("slip, found", [("1", "correct"), ("2", "wrong")])
@pytest.mark.parametrize("name", ["tanh2deriv", "differ_tanh", "tanh_differential"])
def test_other_words_for_a_derivative(check, name, slip, found):
    _, (result,) = check(slopes=f"""
        import numpy as np

        def tanh(x):
            return np.tanh(x)

        def {name}(output):
            return {slip} - output ** 2
        """)
    assert result["status"] == found, result


@pytest.mark.parametrize("one", ["1", "np.array([1])", "np.ones((1, 1))"])
@pytest.mark.parametrize("factor, status", [(1, "correct"), (2, "wrong")])
def test_the_identitys_derivative_is_one_number(check, one, factor, status):
    _, (result,) = check(linear=f"""
        import numpy as np

        def linear(x):
            return {factor} * x

        def linear_grad(x):
            return {one}
        """)
    assert result["status"] == status, result
