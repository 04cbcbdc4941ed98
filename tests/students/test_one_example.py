"""Code that is right for one example alone is left open; what is wrong for a row of the batch is
wrong."""
import pytest
from student_files import verdicts

CLIPPED = """
import numpy as np

class HardTanh:
    def forward(self, x):
        self.x = x
        return np.clip(x, -1, 1)
    def backward(self, d):
        return d
"""
NEARLY = """
import numpy as np

class Saturating:
    def forward(self, x):
        self.x = x
        return np.where(abs(x) < 1.2, 2 * x, 2.4 * np.sign(x))
    def backward(self, d):
        return 2 * d
"""
MASK = {"return d\n": "return d * (abs(self.x) < 1)\n",
        "return 2 * d\n": "return 2 * d * (abs(self.x) < 1.2)\n"}


@pytest.mark.parametrize("code", [CLIPPED, NEARLY])
def test_a_backward_without_its_mask_is_wrong_though_an_example_may_lie_inside(check, code):
    status, (result,) = check("--seed", "0", layer=code)
    assert status == 1 and result["status"] == "wrong", result


@pytest.mark.parametrize("code", [CLIPPED, NEARLY])
def test_with_its_mask_it_is_right(check, code):
    for wrong, right in MASK.items():
        code = code.replace(wrong, right)
    status, (result,) = check(layer=code)
    assert status == 0 and set(verdicts(result).values()) == {"correct"}, result


@pytest.mark.parametrize("factor, found", [("", "correct"), ("2 * ", "off by a constant factor")])
def test_a_neuron_takes_one_vector_and_says_which_gradient_is_which(check, factor, found):
    """Three gradients, of which two have one shape: those that are stored have names."""
    _, (result,) = check(neuron=f"""
        import numpy as np

        class Neuron:
            def __init__(self, input_size):
                self.weights = np.random.rand(input_size)
                self.bias = np.random.rand()

            def forward(self, inputs):
                self.inputs = inputs
                self.output = np.tanh(np.dot(self.weights, inputs) + self.bias)
                return self.output

            def backward(self, error):
                self.delta = error * (1 - self.output ** 2)
                self.weights_gradient = {factor}self.inputs * self.delta
                self.bias_gradient = self.delta
                return self.weights_gradient, self.bias_gradient, self.weights * self.delta
        """)
    assert verdicts(result) == {"inputs": "correct", "weights": found, "bias": "correct"}


@pytest.mark.parametrize("sign, found", [("-", "correct"), ("+", "wrong")])
def test_a_cell_of_vectors_may_want_dout_as_a_row(check, sign, found):
    _, (result,) = check(cell=f"""
        import numpy as np

        class Cell:
            def __init__(self, in_dim, hidden_dim):
                self.Wx = np.random.randn(hidden_dim, in_dim)
                self.Wh = np.random.randn(hidden_dim, hidden_dim)

            def forward(self, x, h):
                assert x.ndim == h.ndim == 1
                self.x, self.h = x, h
                self.a = np.tanh(self.Wx @ x + self.Wh @ h)
                return self.a

            def backward(self, delta):
                assert delta.shape == (1, len(self.h)), "a row is due"
                d = delta * (1 {sign} self.a ** 2)
                self.dWx, self.dWh = d.T * self.x, d.T * self.h
                return d @ self.Wx, d @ self.Wh
        """)
    assert result["status"] == found and len(verdicts(result)) == 4, result


@pytest.mark.parametrize("slip, status", [("", "correct"), ("-", "wrong")])
def test_a_layer_of_one_vector_may_use_outer_products(check, slip, status):
    _, (result,) = check(dense=f"""
        import numpy as np

        def dense_forward(x, weights, bias):
            return x @ weights + bias, x.copy()

        def dense_backward(upstream, x, weights):
            return weights @ upstream, np.outer(x, upstream), {slip}upstream.copy()
        """)
    assert result["status"] == status


@pytest.mark.parametrize("default, status", [("0.5", "correct"), ("0.6", "wrong")])
def test_the_rate_of_a_dropout_is_no_learning_rate(check, default, status):
    """backward(dout, mask, rate=0.5) got 1 for it, and divided by 0."""
    _, (result,) = check(dropout=f"""
        import numpy as np

        def dropout_forward(x, rate=0.5, training=True):
            if not training:
                return x, None
            mask = np.random.rand(*x.shape) > rate
            return x * mask / (1 - rate), mask

        def dropout_backward(upstream, mask, rate={default}):
            return upstream if mask is None else upstream * mask / (1 - rate)
        """)
    assert result["status"] == status
