"""Objects that train by themselves, made of the file's own layers and losses: one step of them is
checked. Each with a slip in how they go through their layers."""
import pytest
from short import first

LAYERS = """
    import numpy as np

    class Dense:
        def __init__(self, n_in, n_out):
            self.W, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)
        def forward(self, x):
            self.x = x
            return x @ self.W + self.b
        def backward(self, dy):
            self.dW, self.db = self.x.T @ dy, dy.sum(0)
            return dy @ self.W.T

    class Tanh:
        def forward(self, x):
            self.y = np.tanh(x)
            return self.y
        def backward(self, dy):
            return dy * (1 - self.y ** 2)
"""
UPDATING = """
    import numpy as np

    class Base:
        def forward(self, x): raise NotImplementedError
        def backward(self, grad, lr): raise NotImplementedError

    class Dense(Base):
        def __init__(self, n_in, n_out):
            self.W, self.b = np.random.randn(n_out, n_in), np.zeros((n_out, 1))
        def forward(self, x):
            self.x = x
            return self.W @ x + self.b
        def backward(self, grad, lr):
            below = self.W.T @ grad
            self.W -= lr * grad @ self.x.T
            self.b -= lr * grad
            return below

    class Tanh(Base):
        def forward(self, x):
            self.y = np.tanh(x)
            return self.y
        def backward(self, grad, lr):
            return grad * (1 - self.y ** 2)

    def mse(t, y):
        return np.mean((t - y) ** 2)

    def mse_prime(t, y):
        return 2 * (y - t) / y.size
"""
TRAINERS = {
    "layers and a loss object are given": LAYERS + """
    class SquaredError:
        def forward(self, y, t):
            self.y, self.t = y, t
            return ((y - t) ** 2).mean()
        def backward(self):
            return 2 * (self.y - self.t) / self.y.size

    class Network:
        def __init__(self, layers, loss, lr=0.01):
            self.layers, self.loss, self.lr = layers, loss, lr
        def fit(self, X, y, epochs=10):
            for epoch in range(epochs):
                out = X
                for layer in self.layers:
                    out = layer.forward(out)
                print(epoch, self.loss.forward(out, y))
                grad = self.loss.backward()
                for layer in {self.layers[::-1]|self.layers}:
                    grad = layer.backward(grad)
                for layer in self.layers:
                    if hasattr(layer, "W"):
                        layer.W -= self.lr * layer.dW
                        layer.b -= self.lr * layer.db
    """,
    "layers are added, each example is a column, layers update themselves": UPDATING + """
    class Network:
        def __init__(self):
            self.layers = []
        def add(self, layer):
            self.layers.append(layer)
        def train(self, x_train, y_train, epochs=100, learning_rate=0.1):
            for e in range(epochs):
                error = 0
                for x, t in zip(x_train, y_train):
                    out = x
                    for layer in self.layers:
                        out = layer.forward(out)
                    error += mse(t, out)
                    grad = mse_prime(t, out)
                    for layer in reversed(self.layers):
                        grad = layer.backward({grad|mse_prime(t, out)}, learning_rate)
                print(e, error / len(x_train))
    """,
    "the loss and its derivative are set later": UPDATING + """
    class Network:
        def __init__(self):
            self.layers, self.loss, self.loss_prime = [], None, None
        def add(self, layer):
            self.layers.append(layer)
        def use(self, loss, loss_prime):
            self.loss, self.loss_prime = loss, loss_prime
        def fit(self, x_train, y_train, epochs, learning_rate):
            for i in range(epochs):
                for j in range(len(x_train)):
                    out = x_train[j]
                    for layer in self.layers:
                        out = layer.forward(out)
                    error = self.loss_prime(y_train[j], out)
                    for layer in reversed(self.layers):
                        error = layer.backward({error|error * out}, learning_rate)
    """,
}


def slipped(code, is_wrong):
    before, _, rest = code.partition("{")
    choices, _, after = rest.partition("}")
    return before + choices.split("|")[is_wrong] + after


@pytest.mark.parametrize("name", TRAINERS)
def test_a_step_through_its_layers_is_checked(check, name):
    _, (result,) = check(right=slipped(TRAINERS[name], False))
    said = {item["name"]: item["status"] for item in result["checks"]}
    assert said["Network"] == "correct" and result["status"] == "correct", said
    rows = next(item["rows"] for item in result["checks"] if item["name"] == "Network")
    assert [row["name"] for row in rows] == ["layers[0].W", "layers[0].b"]


@pytest.mark.parametrize("name", first(1, TRAINERS))
def test_a_slip_on_the_way_back_is_never_right(check, name):
    _, (result,) = check(wrong=slipped(TRAINERS[name], True))
    said = {item["name"]: item["status"] for item in result["checks"]}
    assert said["Dense"] == said["Tanh"] == "correct"
    assert said["Network"] in ("wrong", "error"), said


def test_a_loss_that_cannot_be_made_stops_nothing(check):
    broken = """
    class Broken:
        def __init__(self):
            self.size = nowhere
        def forward(self, y, t):
            return ((y - t) ** 2).mean()
        def backward(self):
            return 0
    """
    head, _, rest = slipped(TRAINERS["layers and a loss object are given"], False).partition(
        "    class SquaredError")
    _, (result,) = check(broken=head + broken + "\n    class SquaredError" + rest)
    said = {item["name"]: item["status"] for item in result["checks"]}
    assert said["Network"] == "correct", said
