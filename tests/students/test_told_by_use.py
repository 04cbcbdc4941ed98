"""Objects that a network is handed, what it returns beside its update, and slopes of one number."""
import pytest

HANDED = """
    import numpy as np

    class Activation:
        def forward(self, x):
            raise NotImplementedError

        def derivative(self):
            raise NotImplementedError

    class Tanh(Activation):
        def forward(self, x):
            self.state = np.tanh(x)
            return self.state

        def derivative(self):
            return 1 - self.state ** 2

    class SoftmaxCrossEntropy(Activation):
        def forward(self, x, y):
            self.y, self.p = y, np.exp(x) / np.exp(x).sum(1, keepdims=True)
            return -(self.y * np.log(self.p)).sum(1)

        def derivative(self):
            return self.p - self.y

    class MLP:
        def __init__(self, input_size, output_size, hiddens, activations, criterion):
            sizes = [input_size, *hiddens, output_size]
            self.activations, self.criterion = activations, criterion
            self.W = [np.random.randn(a, b) * 0.3 for a, b in zip(sizes, sizes[1:])]
            self.dW = [np.zeros_like(w) for w in self.W]

        def forward(self, x):
            self.outs = [x]
            for i in range(len(self.W)):
                self.outs.append(self.activations[i].forward(self.outs[-1] @ self.W[i]))
            return self.outs[-1]

        def backward(self, labels):
            cost = self.criterion.forward(self.outs[-1], labels)
            d = self.criterion.derivative()
            for i in reversed(range(len(self.W))):
                d = {slope}
                self.dW[i] = self.outs[i].T @ d / len(d)
                d = d @ self.W[i].T
            return cost
"""


def told(check, text):
    """{what was checked: its status}"""
    return {one["checked"]: one["status"] for one in check(layers=text)[1][0]["checks"]}


@pytest.mark.parametrize("slope, status", [("d * self.activations[i].derivative()", "correct"),
                                           ("d * self.outs[i + 1]", "wrong")])
def test_a_network_is_handed_the_activations_and_the_loss_of_its_file(check, slope, status):
    assert told(check, HANDED.format(slope=slope))["MLP"] == status


PROTOCOL = """
    import numpy as np
    from typing import Protocol

    class Layer(Protocol):
        def forward(self, x): ...

        def backward(self, dout): ...

    class Tanh:
        def forward(self, x):
            self.y = np.tanh(x)
            return self.y

        def backward(self, dout):
            return dout * {slope}
"""


@pytest.mark.parametrize("slope, status", [("(1 - self.y ** 2)", "correct"), ("self.y", "wrong")])
def test_a_protocol_is_no_hindrance(check, slope, status):
    assert told(check, PROTOCOL.format(slope=slope)) == {"Tanh": status}


LINEAR = """
    import numpy as np

    def linear(x):
        return 1 * x

    def d_linear(x):
        return {slope}
"""


@pytest.mark.parametrize("slope, status", [("np.array([1])", "correct"), ("np.array([2])", "wrong"),
                                           ("np.atleast_2d(1)", "correct")])
def test_a_slope_of_one_number_in_an_array_is_a_number(check, slope, status):
    assert told(check, LINEAR.format(slope=slope)) == {"d_linear": status}


TRAINED = """
    import numpy as np

    class Net:
        def __init__(self, sizes):
            self.weights = [np.random.rand(a, b) - 0.5 for a, b in zip(sizes, sizes[1:])]

        def forward(self, x):
            self.outs = [x]
            for w in self.weights:
                self.outs.append(1 / (1 + np.exp(-self.outs[-1] @ w)))
            return self.outs[-1]

        def backward(self, target, rate):
            error = target - self.outs[-1]
            for i in reversed(range(len(self.weights))):
                delta = error * self.outs[i + 1] * (1 - self.outs[i + 1])
                error = delta @ self.weights[i].T
                self.weights[i] {sign}= rate * self.outs[i].T @ delta
            return error
"""


@pytest.mark.parametrize("sign, status", [("+", "correct"), ("-", "wrong")])
def test_an_error_that_is_returned_is_no_gradient(check, sign, status):
    assert told(check, TRAINED.format(sign=sign)) == {"Net": status}


LOSSES = """
    import numpy as np

    class Losses:
        @staticmethod
        def mse(y_pred, y_true):
            d = y_pred - y_true
            return np.mean(d ** 2), {two} * d / d.size
"""


@pytest.mark.parametrize("two, status", [(2, "correct"), (1, "wrong")])
def test_a_loss_and_its_gradient_of_names_of_its_own(check, two, status):
    assert told(check, LOSSES.format(two=two)) == {"Losses.mse": status}
