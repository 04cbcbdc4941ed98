"""Networks that keep everything private, and whose gradient_descent is one step after a forward."""
import pytest
from short import first
from student_files import verdicts

TWO_LAYERS = """
    import numpy as np

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    class NeuralNetwork:
        def __init__(self, nx, nodes):
            self.__W1, self.__b1 = np.random.randn(nodes, nx), np.zeros((nodes, 1))
            self.__W2, self.__b2 = np.random.randn(1, nodes), 0
            self.__A1 = self.__A2 = 0

        def forward_prop(self, X):
            self.__A1 = sigmoid(self.__W1 @ X + self.__b1)
            self.__A2 = sigmoid(self.__W2 @ self.__A1 + self.__b2)
            return self.__A1, self.__A2

        def gradient_descent(self, X, Y, A1, A2, alpha=0.05):
            m, d2 = X.shape[1], A2 - Y
            d1 = self.__W2.T @ d2 * A1 * (1 - A1)
            self.__W2 = self.__W2 - alpha * d2 @ A1.T / m
            self.__b2 = self.__b2 - alpha * d2.sum(axis=1, keepdims=True) / m
            self.__W1 = self.__W1 - SIGN alpha * d1 @ X.T / m
            self.__b1 = self.__b1 - alpha * d1.sum(axis=1, keepdims=True) / m
"""
MANY_LAYERS = """
    import numpy as np

    class DeepNeuralNetwork:
        def __init__(self, nx, layers):
            self.__L, self.__cache, self.__weights = len(layers), {}, {}
            for i, (n, m) in enumerate(zip([nx, *layers], layers), 1):
                self.__weights[f"W{i}"] = np.random.randn(m, n)
                self.__weights[f"b{i}"] = np.zeros((m, 1))

        def forward_prop(self, X):
            A = self.__cache["A0"] = X
            for i in range(1, self.__L + 1):
                z = self.__weights[f"W{i}"] @ A + self.__weights[f"b{i}"]
                A = self.__cache[f"A{i}"] = 1 / (1 + np.exp(-z))
            return A, self.__cache

        def gradient_descent(self, Y, cache, alpha=0.05):
            m, d = Y.shape[1], cache[f"A{self.__L}"] - Y
            for i in range(self.__L, 0, -1):
                A, W = cache[f"A{i - 1}"], self.__weights[f"W{i}"].copy()
                step = d @ A.T / m
                self.__weights[f"W{i}"] -= alpha * (SIGN step if i == 1 else step)
                self.__weights[f"b{i}"] -= alpha * d.sum(axis=1, keepdims=True) / m
                d = W.T @ d * A * (1 - A)
"""


@pytest.mark.parametrize("code", first(1, [TWO_LAYERS, MANY_LAYERS]))
@pytest.mark.parametrize("sign, found", [("", {"correct"}), ("-", {"sign flipped", "unknown"})])
def test_a_step_of_gradient_descent_is_compared(check, code, sign, found):
    """With the very loss that explains it, and with no learning rate."""
    _, (result,) = check(private=code.replace("SIGN", sign))
    (one,) = result["checks"]
    assert verdicts(result)["W1"] in found and one["status"] == ("wrong" if sign else "correct")
    assert not any("learning rate" in row["evidence"] for row in one["rows"])


def test_a_gradient_descent_that_trains_is_no_backward(check):
    _, (result,) = check(trains="""
    class Regression:
        def forward(self, X):
            return X @ self.w

        def gradient_descent(self, X, y):
            for _ in range(100):
                self.w = self.w - X.T @ (self.forward(X) - y) / len(y)
    """)
    (one,) = result["checks"]
    assert one["error"]["kind"] == "not checked" and "no forward and backward" in str(one)
