"""Networks that keep a list for all layers: of weights, of activations, of gradients; and those
whose sizes, or number of examples, stand elsewhere."""
import pytest
from short import first
from student_files import verdicts

LISTS = """
    import numpy as np

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def forward_propagation(x, weights, biases):
        zs, hs = [], [x]
        for i in range(len(weights)):
            zs.append(FORWARD + biases[i])
            hs.append(sigmoid(zs[-1]))
        return zs, hs

    def backpropagation(zs, hs, weights, biases, x, y_true):
        L, grad_weights, grad_biases = len(weights), [], []
        delta = (hs[-1] - y_true) * hs[-1] * (1 - hs[-1])
        for i in range(L - 1, -1, -1):
            grad_weights.insert(0, SIGN (WEIGHTS))
            grad_biases.insert(0, BIASES)
            if i > 0:
                delta = BACK * hs[i] * (1 - hs[i])
        return grad_weights, grad_biases
"""
# for columns, a single one, and for rows
COLUMN = {"FORWARD": "weights[i] @ hs[-1]", "WEIGHTS": "delta @ hs[i].T", "BIASES": "delta",
          "BACK": "weights[i].T @ delta"}
COLUMNS = {**COLUMN, "BIASES": "delta.sum(axis=1, keepdims=True)"}
ROWS = {"FORWARD": "hs[-1] @ weights[i]", "WEIGHTS": "hs[i].T @ delta",
        "BIASES": "delta.sum(axis=0)", "BACK": "delta @ weights[i].T"}
CLASS = """
    import numpy as np

    class Network:
        def __init__(self, n_inputs, hidden_sizes, n_outputs):
            sizes = [n_inputs] + hidden_sizes + [n_outputs]
            self.layers = [{"weights": np.random.randn(n, m), "biases": np.zeros((1, m))}
                           for n, m in zip(sizes[:-1], sizes[1:])]

        def forward(self, X):
            kept = [X]
            for layer in self.layers:
                kept.append(np.tanh(kept[-1] @ layer["weights"] + layer["biases"]))
            return kept

        def backward(self, kept, Y):
            grads, delta = [], (kept[-1] - Y) * (1 - kept[-1] ** 2)
            for i in reversed(range(len(self.layers))):
                grads.insert(0, {"dW": SIGN kept[i].T @ delta,
                                 "db": delta.sum(axis=0, keepdims=True)})
                delta = delta @ self.layers[i]["weights"].T * (1 - kept[i] ** 2)
            return grads
"""
FIXED = """
    import numpy as np

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    class XorNet:
        def __init__(self):
            self.params = {"w1": np.random.randn(3, 2), "b1": np.zeros((3, 1)),
                           "w2": np.random.randn(1, 3), "b2": np.zeros((1, 1))}

        def propagation(self, x):
            a1 = sigmoid(self.params["w1"] @ x + self.params["b1"])
            return a1, sigmoid(self.params["w2"] @ a1 + self.params["b2"])

        def back_propagation(self, a1, a2, x, y):
            m = y.shape[1]
            d2 = (a2 - y) / m
            d1 = self.params["w2"].T @ d2 * a1 * (1 - a1)
            return {"w1": SIGN d1 @ x.T, "b1": d1.sum(axis=1, keepdims=True),
                    "w2": d2 @ a1.T, "b2": d2.sum(axis=1, keepdims=True)}
"""
COUNTED = """
    import numpy as np
    import a_library_that_is_not_here as lib

    DATA
    m, n = data.shape

    def init_params():
        return (np.random.rand(8, 300) - 0.5, np.random.rand(8, 1) - 0.5,
                np.random.rand(10, 8) - 0.5, np.random.rand(10, 1) - 0.5)

    def forward_prop(W1, b1, W2, b2, X):
        Z1 = W1 @ X + b1
        A1 = np.maximum(Z1, 0)
        Z2 = W2 @ A1 + b2
        A2 = np.exp(Z2) / sum(np.exp(Z2))
        return Z1, A1, Z2, A2

    def one_hot(Y):
        rows = np.zeros((Y.size, Y.max() + 1))
        rows[np.arange(Y.size), Y] = 1
        return rows.T

    def back_prop(Z1, A1, Z2, A2, W2, X, Y):
        dZ2 = A2 - one_hot(Y)
        dZ1 = W2.T @ dZ2 * (Z1 > 0)
        return (SIGN 1 / m * dZ1 @ X.T, 1 / m * dZ1.sum(axis=1, keepdims=True),
                1 / m * dZ2 @ A1.T, 1 / m * dZ2.sum(axis=1, keepdims=True))
"""


def replaced(code, names):
    for name, value in names.items():
        code = code.replace(name, value)
    return code


@pytest.mark.parametrize("code", first(2, [
    *[replaced(LISTS, names) for names in (COLUMN, COLUMNS, ROWS)], CLASS, FIXED,
    *[COUNTED.replace("DATA", data) for data in ("data = lib.read('train.csv')",
                                                 "data = np.zeros((300, 7))")]]))
@pytest.mark.parametrize("sign, status", [("", "correct"), ("-", "wrong")])
def test_it_is_compared_layer_by_layer(check, code, sign, status):
    _, (result,) = check(net=code.replace("SIGN", sign))
    (one,) = result["checks"]
    found = {name: verdict for name, verdict in verdicts(result).items() if len(name) > 1}
    assert one["status"] == status and len(found) > 2, result
    assert ("sign flipped" in found.values()) == bool(sign), found


@pytest.mark.long
def test_who_forgets_to_add_up_examples_is_not_taken_for_one_example(check):
    """There is a sum over them elsewhere."""
    wrong = {**COLUMN, "BIASES": "delta if i else delta.sum(axis=1, keepdims=True)", "SIGN": ""}
    _, (result,) = check(net=replaced(LISTS, wrong))
    assert result["checks"][0]["status"] != "correct", result
