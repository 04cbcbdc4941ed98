"""Code that is right for one example alone is left open; what is wrong for a row of the batch is
wrong."""
import pytest
from short import first
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


OF_AN_INDEX = """
    import numpy as np

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    class Net:
        def __init__(self, inside=12, hidden=6, outside=10):
            self.weights = [np.random.randn(hidden, inside), np.random.randn(outside, hidden)]
            self.biases = [np.random.randn(hidden, 1), np.random.randn(outside, 1)]

        def forward_prop(self, a):
            a, z = [a.reshape(-1, 1)], []
            for w, b in zip(self.weights, self.biases):
                z.append(w @ a[-1] + b)
                a.append(sigmoid(z[-1]))
            return a, z

        def backward_prop(self, a0, label):
            a, z = self.forward_prop(a0)
            y = np.zeros((10, 1))
            y[{label}] = 1
            delta_w, delta_b = [0, 0], [0, 0]
            da = 2 * (a[-1] - y)
            for i in (1, 0):
                delta_b[i] = da * sigmoid(z[i]) * (1 - sigmoid(z[i]))
                delta_w[i] = delta_b[i] * a[i].flatten(){slip}
                da = self.weights[i].T @ delta_b[i]
            return delta_w, delta_b
    """


@pytest.mark.parametrize("label", first(1, ["label", "label, 0"]))
def test_a_backward_that_goes_forward_itself_gets_an_example_and_its_class(check, label):
    status, (result,) = check(net=OF_AN_INDEX.format(label=label, slip=""))
    found = verdicts(result)
    assert status == 0 and {found.pop(f"{one}[{i}]") for one in ("weights", "biases")
                            for i in (0, 1)} == {"correct"}, result
    status, (result,) = check(net=OF_AN_INDEX.format(label=label, slip=" ** 2"))
    found = verdicts(result)
    assert status == 1 and found["biases[0]"] == "correct" != found["weights[1]"], result


OF_WORDS = """
    import numpy as np

    class Model:
        def __init__(self, output_size, input_size, learning_rate=0.01):
            self.learning_rate = learning_rate
            self.W = np.random.randn(output_size, input_size)
            self.b = np.zeros((output_size, 1))

        def forward(self, x):
            e = np.exp(self.W @ x + self.b)
            return e / e.sum(axis=0)

        def backward(self, x, y_hat, target_index):
            dz = y_hat
            dz[target_index] -= 1
            self.W -= self.learning_rate * dz @ x.T{slip}
            self.b -= self.learning_rate * dz
    """


def test_a_class_that_backward_looks_up_is_a_number(check):
    status, (result,) = check(words=OF_WORDS.format(slip=""))
    found = verdicts(result)
    assert (status, found["W"], found["b"]) == (0, "correct", "correct"), result
    status, (result,) = check(words=OF_WORDS.format(slip=" ** 2"))
    found = verdicts(result)
    assert (status, found["W"], found["b"]) == (1, "unknown", "correct"), result


def test_a_layer_that_takes_another_ones_output_is_told_by_its_shape(check):
    """Of a batch, no bias would be right, and no row says which layer it is."""
    code = """
        import numpy as np

        def sigmoid(z):
            return 1 / (1 + np.exp(-z))

        class Network:
            def __init__(self, layers):
                self.weights = [np.random.randn(n, m) for m, n in zip(layers[:-1], layers[1:])]
                self.biases = [np.random.randn(n, 1) for n in layers[1:]]

            def feedforward(self, x):
                for w, b in zip(self.weights, self.biases):
                    x = sigmoid(w @ x + b)
                return x

            def backprop(self, x, y):
                nabla_b, nabla_w = [0 * b for b in self.biases], [0 * w for w in self.weights]
                activations = [x]
                for w, b in zip(self.weights, self.biases):
                    activations.append(sigmoid(w @ activations[-1] + b))
                delta = activations[-1] - y
                for layer in range(1, len(activations)):
                    a = activations[-layer]
                    delta = delta * a * (1 - a)
                    nabla_b[-layer] = delta
                    nabla_w[-layer] = delta @ activations[-layer - 1].T
                    delta = self.weights[-layer].T @ delta
                return (nabla_b, nabla_w)
        """
    wrong = code.replace("activations[-layer - 1].T", "activations[-2 if layer == 1 else -1].T")
    status, (result,) = check(net=code)
    assert status == 0 and "shape differs" not in verdicts(result).values(), result
    status, (result,) = check(net=wrong)
    assert status == 1 and [verdicts(result)[f"{one}[{i}]"] for one in ("biases", "weights")
                            for i in (0, 1)] == ["correct"] * 2 + ["shape differs", "correct"]
