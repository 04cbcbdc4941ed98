"""A class with a cost and, beside it, the gradient of its weights: both go forward themselves."""
import pytest
from student_files import verdicts

SOFTMAX = """
    import numpy as np

    class Classifier:
        def __init__(self, input_dim, output_dim, l=0.1):
            self.W = np.random.normal(0, 0.01, (output_dim, input_dim))
            self.b = np.zeros((output_dim, 1))
            self.l = l

        def evaluate(self, X, W=None, b=None):
            s = (self.W if W is None else W) @ X + (self.b if b is None else b)
            return np.exp(s) / np.sum(np.exp(s), axis=0)

        def compute_cost(self, X, Y, W=None, b=None):
            W = self.W if W is None else W
            P = self.evaluate(X, W, b)
            return -np.sum(Y * np.log(P)) / X.shape[1] + self.l * np.sum(W ** 2)

        def compute_gradients(self, X, Y):
            P = self.evaluate(X)
            G = (P - Y) / X.shape[1]
            grad_W, grad_b = G @ X.T + 2 * self.l * self.W, np.sum(G, axis=1, keepdims=True)
            return grad_W, grad_b

        def train(self, X, Y, eta, n_epochs):
            for _ in range(n_epochs):
                grad_W, grad_b = self.compute_gradients(X, Y)
                self.W -= eta * grad_W
                self.b -= eta * grad_b

    def compute_grads_num_slow(net, X, Y, h):
        grad_W = np.zeros(net.W.shape)
        for place in np.ndindex(*net.W.shape):
            step = np.zeros_like(net.W)
            step[place] = h
            grad_W[place] = net.compute_cost(X, Y, net.W + step) - net.compute_cost(X, Y)
        return grad_W / h
"""
LINE = """
    import numpy as np

    class Line:
        def __init__(self, n_features):
            self.w = np.zeros((n_features, 1))
            self.b = 0.0

        def cost(self, X, y):
            e = X @ self.w + self.b - y
            return float(np.sum(e ** 2)) / (2 * len(X))

        def gradients(self, X, y):
            e = X @ self.w + self.b - y
            return {"dw": X.T @ e / len(X), "db": float(np.sum(e)) / len(X)}
"""
PRIME = """
    import numpy as np

    class Net:
        def __init__(self, inputs=2, hidden=3, outputs=1):
            self.W1, self.W2 = np.random.randn(inputs, hidden), np.random.randn(hidden, outputs)

        def predict(self, X):
            self.h = np.tanh(X @ self.W1)
            return self.h @ self.W2

        def costFunction(self, X, y):
            return 0.5 * np.sum((y - self.predict(X)) ** 2)

        def costGradients(self, X, y):
            e = self.predict(X) - y
            dJdW2 = self.h.T @ e
            dJdW1 = X.T @ (e @ self.W2.T * (1 - self.h ** 2))
            return dJdW1, dJdW2

        def train(self, X, y, epochs=100, lr=0.1):
            for _ in range(epochs):
                dJdW1, dJdW2 = self.costGradients(X, y)
                self.W1 -= lr * dJdW1
                self.W2 -= lr * dJdW2
"""
GIVEN_P = (SOFTMAX.replace("(self, X, Y):\n            P = self.evaluate(X)", "(self, X, Y, P):")
           .replace("grad_W, grad_b = self.compute_gradients(X, Y)",
                    "P = self.evaluate(X)\n                "
                    "grad_W, grad_b = self.compute_gradients(X, Y, P)"))


@pytest.mark.parametrize("code, right, slip", [
    (SOFTMAX, "2 * self.l", "self.l"), (GIVEN_P, "np.sum(G, axis=1", "np.mean(G, axis=1"),
    (LINE, "X.T @ e", "2 * X.T @ e"), (LINE, "float(np.sum(e)) /", "float(np.sum(e)) * 2 /"),
    (PRIME, "self.h ** 2", "self.h")])
def test_the_gradient_of_an_objects_weights_is_that_of_its_cost(check, code, right, slip):
    assert right in code
    status, (result,) = check(net=code)
    assert status == 0 and result["status"] == "correct", result
    assert {"W", "w", "W1"} & verdicts(result).keys() and len(result["checks"]) == 1, result
    status, (result,) = check(net=code.replace(right, slip))
    assert status == 1 and result["status"] == "wrong", result


RIDGE = """
    import numpy as np

    class Ridge:
        def __init__(self, alpha=0.1, eta=0.01, epochs=200):
            self.alpha, self.eta, self.epochs = alpha, eta, epochs

        def objective(self, w, X, y):
            r = X @ w - y
            return 0.5 * r @ r / len(y) + 0.5 * self.alpha * w @ w

        def gradient(self, w, X, y):
            return X.T @ (X @ w - y) / len(y) + self.alpha * w

        def fit(self, X, y):
            w = np.zeros(X.shape[1])
            for _ in range(self.epochs):
                w = w - self.eta * self.gradient(w, X, y)
            self.w_ = w
"""
KEPT = """
    import numpy as np

    class Net:
        def __init__(self, x, y, yy, hidden=6):
            self.x, self.y, self.yy = x, y, yy
            self.w1, self.w2 = np.random.randn(x.shape[1], hidden), np.random.randn(hidden, 10)

        def forward(self, x):
            self.a = np.tanh(x @ self.w1)
            s = np.exp(self.a @ self.w2)
            return s / s.sum(axis=1, keepdims=True)

        def loss_function(self, out):
            self.n = len(out)
            return -np.sum(self.y * np.log(out)) / self.n

        def backward(self, out):
            d = (out - self.y) / self.n
            dw2, dw1 = self.a.T @ d, self.x.T @ (d @ self.w2.T * (1 - self.a ** 2))
            self.w1 -= 0.5 * dw1
            self.w2 -= 0.5 * dw2

        def fit(self):
            for epoch in range(10):
                out = self.forward(self.x)
                loss = self.loss_function(out)
                self.backward(out)
"""


@pytest.mark.parametrize("code, right, slip", [
    (RIDGE, "+ self.alpha * w", "+ 2 * self.alpha * w"), (KEPT, "self.a ** 2)", "self.a)")])
def test_methods_and_a_step_of_training_are_two_ways_to_check_one_class(check, code, right, slip):
    status, (result,) = check(net=code)
    assert status == 0 and len(result["checks"]) == 1, result
    status, (result,) = check(net=code.replace(right, slip))
    assert status == 1 and result["status"] == "wrong", result
