"""Training is gone through once: how its step is found, and how long it may take."""
import pytest
from short import first
from student_files import verdicts

SHARED = """
    import numpy as np

    class Layer:
        def __init__(self, weights, bias):
            self.weights, self.bias = weights, bias

        def forward(self, x):
            self.x = x
            return x @ self.weights + self.bias

        def backward(self, dout):
            return dout @ self.weights.T, self.x.T @ dout, dout.sum(axis=0)

    class Net:
        def __init__(self, n_inputs, n_hidden):
            self.w1, self.b1 = np.random.randn(n_inputs, n_hidden), np.zeros((1, n_hidden))
            self.w2, self.b2 = np.random.randn(n_hidden, 1), np.zeros((1, 1))
            self.first, self.second = Layer(self.w1, self.b1), Layer(self.w2, self.b2)
            self.v1 = self.v2 = 0

        def train(self, x, y, rate=0.01, momentum=0.9):
            h = np.tanh(self.first.forward(x))
            out = self.second.forward(h)
            below, dw2, db2 = self.second.backward(out - y)
            _, dw1, db1 = self.first.backward(below * SLOPE)
            self.v1 = momentum * self.v1 - rate * dw1
            self.v2 = momentum * self.v2 - rate * dw2
            self.w1 += self.v1
            self.w2 += self.v2
            self.b1 -= rate * db1
            self.b2 -= rate * db2
"""
# a method goes over the examples, which is called for each epoch
EPOCHS = """
    import numpy as np

    class Net:
        def __init__(self, n_inputs, n_outputs, rounds=1000):
            self.w, self.b = np.random.randn(n_inputs, n_outputs), np.zeros(n_outputs)
            self.rounds = rounds

        def fit(self, X, y, rate=0.1):
            for epoch in range(self.rounds):
                self.one_epoch(X, y, rate)

        def one_epoch(self, X, y, rate):
            for x, t in zip(X, y):
                self.update(x, t, rate)

        def update(self, x, t, rate):
            e = np.tanh(x @ self.w + self.b)
            d = (e - t) * SLOPE
            self.w -= rate * np.outer(x, d)
            self.b -= rate * d
"""
# the constructor trains, and does not end
IN_CONSTRUCTOR = """
    import numpy as np

    class Net:
        def __init__(self, n_inputs, n_outputs, lr=0.1):
            self.w, self.lr = np.random.randn(n_inputs, n_outputs), lr
            while True:
                self.fit(np.random.randn(7, n_inputs), np.random.randn(7, n_outputs))

        def fit(self, X, y, epochs=10):
            for epoch in range(epochs):
                h = np.tanh(X @ self.w)
                self.w -= self.lr * X.T @ ((h - y) * SLOPE)
"""
# how often is told by a constant, and by conditions
BY_CONSTANT = """
    import numpy as np

    ROUNDS, BATCH = 10 ** 9, 2

    def learn(X, y, W, b):
        count = 0
        while count < ROUNDS:
            for start in range(0, len(X), BATCH):
                x, t = X[start:start + BATCH], y[start:start + BATCH]
                h = np.tanh(x @ W + b)
                d = (h - t) * SLOPE
                W -= 0.1 * x.T @ d
                b -= 0.1 * d.sum(axis=0)
            count += 1
        return W, b
"""
SLOPES = {SHARED: "(1 - h ** 2)", EPOCHS: "(1 - e ** 2)", IN_CONSTRUCTOR: "(1 - h ** 2)",
          BY_CONSTANT: "(1 - h ** 2)"}


@pytest.mark.parametrize("code", first(1, SLOPES))
def test_a_step_is_found_right_and_wrong(check, code):
    right, status = SLOPES[code], []
    for slope in (right, right.replace("1 -", "1 +")):
        _, (result,) = check(net=code.replace("SLOPE", slope))
        (one,) = [item for item in result["checks"] if item["name"] != "Layer"]
        status.append(one["status"])
    # of one layer no weight is right then: it may follow another rule
    assert status in (["correct", "wrong"], ["correct", "error"][:2 * (code != SHARED)]), result
    assert len(verdicts(result)) > 1 or code != SHARED


SLOW = """
    import numpy as np

    class Net:
        def __init__(self, n_inputs, n_outputs):
            self.w = np.random.randn(n_inputs, n_outputs)

        def fit(self, X, y, epochs=10):
            for epoch in range(epochs):
                total = 0
                for i in range(10 ** 9):
                    total += i
                self.w -= 0.1 * (total > 0) * X.T @ (X @ self.w - y)
"""


def test_a_long_step_is_not_called_endless(check):
    _, (result,) = check("--timeout", "1", net=SLOW)
    (one,) = result["checks"]
    assert one["status"] == "error" and one["error"]["kind"] == "not checked", one
    assert "takes more than 0.5 s" in one["error"]["message"] and "never end" not in str(one)


@pytest.mark.parametrize("sign, status", [("-", "correct"), ("+", "wrong")])
def test_a_layer_that_is_told_the_rate_first_is_checked(check, sign, status):
    """Names that many write with an o."""
    _, (result,) = check(layer=f"""
    import numpy as np

    class Layer:
        def __init__(self, w, b):
            self.weight, self.bias = w, b

        def forward_propogat(self, neuron):
            return self.bias + self.weight @ neuron

        def back_propogat(self, rate, delta, neuron):
            self.weight += -rate * delta @ np.transpose(neuron)
            self.bias += {sign}rate * delta
    """)
    assert [one["status"] for one in result["checks"]] == [status], result


@pytest.mark.parametrize("squash", ["np.clip(x, -50, 50)", "np.round(x, 20)", "x.reshape(-1)[0]",
                                    "np.float64(x)"])
def test_a_target_that_stands_alone_goes_through_any_function_of_numpy(check, squash):
    """Some of them ended the interpreter."""
    _, (result,) = check(neuron=f"""
import numpy as np

def seen(x):
    return {squash}

class Neuron:
    def __init__(self, n):
        self.w, self.b = np.random.randn(n), 0.1

    def fit(self, X, Y, epochs=10, lr=0.01):
        for epoch in range(epochs):
            for x, y in zip(X, Y):
                self.last = seen(y)
                error = (x @ self.w + self.b) - y
                self.w -= lr * error * x
                self.b -= lr * error
""")
    assert result["status"] == "correct", result
