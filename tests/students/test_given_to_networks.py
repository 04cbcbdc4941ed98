"""Networks whose backward changes the weights and returns nothing, or is given output − target."""
import pytest
from student_files import verdicts

IN_PLACE = """
    import numpy as np

    def forward(X, W1, b1, W2, b2):
        A1 = np.tanh(X @ W1 + b1)
        return A1, 1 / (1 + np.exp(-A1 @ W2 - b2))

    def backward(X, y, A1, A2, W1, b1, W2, b2, {rate}):
        dZ2 = (A2 - y) / len(X)
        {early}
        dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)
        {late}
        b2 -= learning_rate * dZ2.sum(axis=0)
        W1 {step} learning_rate * X.T @ dZ1
        b1 -= learning_rate * dZ1.sum(axis=0)
    """
IN_A_TABLE = """
    import numpy as np

    def init_params(n_x, n_h, n_y):
        return {{"W1": np.random.randn(n_h, n_x), "b1": np.zeros((n_h, 1)),
                "W2": np.random.randn(n_y, n_h), "b2": np.zeros((n_y, 1))}}

    def forward(X, params):
        A1 = np.tanh(params["W1"] @ X + params["b1"])
        A2 = 1 / (1 + np.exp(-params["W2"] @ A1 - params["b2"]))
        return A2, (A1, A2)

    def backward(X, Y, cache, params, {rate}):
        A1, A2 = cache
        dZ2 = (A2 - Y) / X.shape[1]
        {early}
        dZ1 = params["W2"].T @ dZ2 * (1 - A1 ** 2)
        {late}
        params["b2"] -= learning_rate * dZ2.sum(axis=1, keepdims=True)
        params["W1"] {step} learning_rate * dZ1 @ X.T
        params["b1"] = params["b1"] - learning_rate * dZ1.sum(axis=1, keepdims=True)
    """
IN_A_ROW, BY_NAME = "W2 -= learning_rate * A1.T @ dZ2", 'params["W2"] -= learning_rate * dZ2 @ A1.T'


@pytest.mark.parametrize("code, update, rate", [
    (IN_PLACE, IN_A_ROW, "learning_rate=0.1"), (IN_A_TABLE, BY_NAME, "learning_rate")])
def test_a_backward_may_change_the_weights_and_return_nothing(check, code, update, rate):
    status, (result,) = check(net=code.format(early="", late=update, rate=rate, step="-="))
    found = verdicts(result)
    assert status == 0 and {found[name] for name in ("W1", "b1", "W2", "b2")} == {"correct"}, result
    # the layer before is given the weights of the next step
    status, (result,) = check(net=code.format(early=update, late="", rate=rate, step="-="))
    found = verdicts(result)
    assert status == 1 and found["W2"] == "correct" and "correct" not in (found["W1"], found["b1"])


def test_a_backward_whose_weights_are_its_own_changes_nothing(check):
    """W1 = W1 - … in a function is another array."""
    code = IN_PLACE.format(early="", late=IN_A_ROW, rate="learning_rate", step="= W1 -")
    status, (result,) = check(net=code)
    assert (status, verdicts(result)["W1"], verdicts(result)["b1"]) == (1, "zero", "correct")


PAST = """
    import numpy as np

    class Layer:
        def __init__(self, n_inputs, n_neurons):
            self.weights = np.random.randn(n_inputs, n_neurons)
            self.biases = np.zeros(n_neurons)

        def forward(self, x):
            self.x = x
            return x @ self.weights + self.biases

        def backward(self, error, learning_rate):
            before = error @ self.weights.T
            self.weights -= learning_rate * self.x.T @ error
            self.biases -= learning_rate * error.{reduced}(axis=0)
            return before

    class Network:
        def __init__(self, sizes):
            self.layers = [Layer(n, m) for n, m in zip(sizes, sizes[1:])]

        def forward(self, x):
            for layer in self.layers[:-1]:
                x = np.tanh(layer.forward(x))
            e = np.exp(self.layers[-1].forward(x))
            return e / e.sum(axis=1, keepdims=True)

        def backward(self, error, learning_rate):
            for i in reversed(range(len(self.layers))):
                if i < len(self.layers) - 1:
                    error = error * (1 - self.layers[i + 1].x {power})
                error = self.layers[i].backward(error, learning_rate)
    """


@pytest.mark.parametrize("power, reduced", [("", "sum"), ("** 2", "mean")])
def test_a_network_with_a_softmax_may_be_given_output_minus_target(check, power, reduced):
    status, (result,) = check(net=PAST.format(power="** 2", reduced="sum"))
    assert (status, result["status"]) == (0, "correct"), result
    status, (result,) = check(net=PAST.format(power=power, reduced=reduced))
    network = next(one for one in result["checks"] if one["name"] == "Network")
    found = {row["name"]: row["verdict"] for row in network["rows"]}
    assert (status, network["status"]) == (1, "wrong"), result
    assert found["layers[1].weights"] == "correct", result  # the last layer is none of it


LAST = """
import numpy as np

class Dense:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out), np.zeros((1, n_out))

    def forward(self, x):
        self.x, z = x, x @ self.W + self.b
        self.p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        return self.p

    def backward(self, dout):
        dz = {dz}
        self.dW, self.db = self.x.T @ dz, dz.sum(axis=0, keepdims=True)
        return dz @ self.W.T
"""


@pytest.mark.parametrize("dz, found", [
    ("self.p * (dout - (dout * self.p).sum(axis=1, keepdims=True))", "correct"),
    ("dout", "undecided"), ("2 * dout", "wrong")])
@pytest.mark.parametrize("keeps", [", keepdims=True", ""])
def test_one_layer_that_leaves_out_its_softmax_is_open(check, dz, found, keeps):
    """Of a whole network it is the usual p − t; of a layer the derivative may be missing."""
    _, (result,) = check(last=LAST.format(dz=dz).replace(
        "(axis=0, keepdims=True)", f"(axis=0{keeps})").replace(
        "(1, n_out)", "(1, n_out)" if keeps else "n_out"))
    assert result["status"] == found, result
