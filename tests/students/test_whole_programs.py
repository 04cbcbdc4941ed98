"""Programs as they are handed in whole: with their data, which is not here, what they print, and
how they judge themselves. Each with a slip in {right|wrong}."""
import re
import time

import numpy as np
import pytest
from student_files import verdicts

from minialex.students import suiting
from minialex.students.forms.functions import Composed, Reading

PROGRAMS = {
    "what an object calls its own is private": """
        class NeuralNetwork:
            def __init__(self):
                self.weights = 2 * np.random.random((3, 1)) - 1
            def __sigmoid(self, x):
                return 1 / (1 + np.exp(-x))
            def __slope(self, y):
                return y * (1 - y)
            def train(self, inputs, outputs, iterations):
                for i in range(iterations):
                    output = self.think(inputs)
                    error = outputs - output
                    self.weights {+|-}= np.dot(inputs.T, error * self.__slope(output))
            def think(self, inputs):
                return self.__sigmoid(np.dot(inputs, self.weights))
        """,
    "it encodes its targets itself, and evaluates after each epoch": """
        class MLP:
            def __init__(self, n_hidden=8, epochs=10, eta=0.1):
                self.n_hidden, self.epochs, self.eta = n_hidden, epochs, eta
            def _onehot(self, y, n_classes):
                onehot = np.zeros((n_classes, y.shape[0]))
                for i, value in enumerate(y.astype(int)):
                    onehot[value, i] = 1.0
                return onehot.T
            def fit(self, X, y, X_valid, y_valid):
                n_output = np.unique(y).shape[0]
                self.w_h = np.random.randn(X.shape[1], self.n_hidden)
                self.w_out = np.random.randn(self.n_hidden, n_output)
                self.eval_ = {"accuracy": []}
                y_enc = self._onehot(y, n_output)
                for epoch in range(self.epochs):
                    a_h = 1 / (1 + np.exp(-X @ self.w_h))
                    a_out = 1 / (1 + np.exp(-a_h @ self.w_out))
                    delta_out = a_out - y_enc
                    delta_h = delta_out @ self.w_out.T * {a_h * (1 - a_h)|a_h}
                    self.w_h -= self.eta * X.T @ delta_h
                    self.w_out -= self.eta * a_h.T @ delta_out
                    accuracy = np.sum(y_valid == self.predict(X_valid)).astype(nowhere)
                    self.eval_["accuracy"].append(accuracy)
                return self
        """,
}


def variant(code, which):
    """The code with the first or the second of what stands in {right|wrong}."""
    return "import numpy as np\n" + re.sub(r"\{([^{}|]*)\|([^{}|]*)\}", rf"\{which}",
                                           "\n".join(line[8:] for line in code.split("\n")))


@pytest.mark.parametrize("name", PROGRAMS)
def test_one_step_of_it_is_checked(check, name):
    _, (result,) = check(program=variant(PROGRAMS[name], 1))
    assert [one["status"] for one in result["checks"]] == ["correct"], str(result)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_slip_in_it_is_never_right(check, name):
    _, (result,) = check(program=variant(PROGRAMS[name], 2))
    (told,) = result["checks"]
    assert told["status"] == "wrong" or "none of the usual" in str(told["error"]), str(result)
    assert {*verdicts(result).values()} != {"correct"}


@pytest.mark.parametrize("axis, of_b", [("axis=1, keepdims=True", "correct"),
                                        ("", "shape differs")])
def test_gradients_go_by_their_names_whatever_shape_they_have(check, axis, of_b):
    _, (result,) = check(digits=f"""
        import numpy as np
        import nowhere
        data = nowhere.read("train.csv")
        m, n = data.shape

        def init_params():
            return (np.random.rand(6, 7) - 0.5, np.random.rand(6, 1) - 0.5,
                    np.random.rand(3, 6) - 0.5, np.random.rand(3, 1) - 0.5)

        def forward_prop(W1, b1, W2, b2, X):
            Z1 = W1.dot(X) + b1
            A1 = np.maximum(Z1, 0)
            Z2 = W2.dot(A1) + b2
            return Z1, A1, Z2, np.exp(Z2) / sum(np.exp(Z2))

        def backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y):
            one_hot_Y = np.zeros((Y.size, Y.max() + 1))
            one_hot_Y[np.arange(Y.size), Y] = 1
            dZ2 = A2 - one_hot_Y.T
            dW2 = 1 / m * dZ2.dot(A1.T)
            db2 = 1 / m * np.sum(dZ2, {axis})
            dZ1 = W2.T.dot(dZ2) * (Z1 > 0)
            dW1 = 1 / m * dZ1.dot(X.T)
            db1 = 1 / m * np.sum(dZ1, {axis})
            return dW1, db1, dW2, db2
        """)
    said = verdicts(result)
    assert {name: said[name] for name in ("W1", "W2", "b1", "b2")} == {
        "W1": "correct", "W2": "correct", "b1": of_b, "b2": of_b}, said


def test_a_fast_forward_takes_time_where_it_is_counted_in_ticks(monkeypatch):
    def busy(x):
        until = suiting.CLOCK() + 1e-3
        while suiting.CLOCK() < until:
            pass
        return x, None

    monkeypatch.setattr(time, "process_time", lambda: 0.0)
    code = Composed(busy, lambda cache: {}, "slow")
    assert suiting.cost(Reading(code, {"x": np.ones(3)}, ""))[0] >= 1e-3
