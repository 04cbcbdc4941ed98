"""Training code that is no pair of functions: a loop at the top level, a function that trains. Each
with the slip that stands behind the bar."""
import re

import pytest
from short import first
from student_files import verdicts

SCRIPTS = {
    "all examples at once, with the activation's own derivative": """
        def squash(x, slope=False):
            if slope == True:
                return x * (1 - x)
            return 1 / (1 + np.exp(-x))

        X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
        y = np.array([[0, 1, 1, 0]]).T
        np.random.seed(1)
        low = 2 * np.random.random((3, 4)) - 1
        top = 2 * np.random.random((4, 1)) - 1
        for step in range(60000):
            a = squash(np.dot(X, low))
            out = squash(np.dot(a, top))
            miss = y - out
            if step % 10000 == 0:
                print("Error:" + str(np.mean(np.abs(miss))))
            out_delta = miss * squash(out, slope=True)
            a_delta = out_delta.dot(top.T) * squash({a|out_delta.dot(top.T)}, slope=True)
            top += a.T.dot(out_delta)
            low += X.T.dot(a_delta)
        """,
    "one example at a time, data that are nowhere": """
        import pandas as pd

        table = pd.read_csv("flowers.csv")
        X, y = table.values[:, :4], table.values[:, 4:]
        eta = 0.05
        w1, b1 = np.random.randn(4, 5), np.zeros(5)
        w2, b2 = np.random.randn(5, 2), np.zeros(2)
        errors = []
        for epoch in range(500):
            total = 0
            for i in range(len(X)):
                h = np.tanh(X[i] @ w1 + b1)
                p = h @ w2 + b2
                e = p - y[i]
                total += (e ** 2).sum()
                d = (e @ w2.T) * {(1 - h ** 2)|(1 - h)}
                w2 -= eta * np.outer(h, e)
                b2 -= eta * e
                w1 -= eta * np.outer(X[i], d)
                b1 -= eta * d
            errors.append(total)
        """,
    "the loss is written, weights are set anew": """
        X, Y = np.random.randn(6, 3), np.random.randn(6, 2)
        W, b = np.random.randn(3, 2), np.zeros((1, 2))
        learning_rate = 0.1
        for i in range(100):
            guess = X.dot(W) + b
            loss = np.mean((guess - Y) ** 2)
            dguess = 2 * (guess - Y) / guess.size
            dW = X.T.dot(dguess)
            db = {np.sum(dguess, axis=0, keepdims=True)|np.sum(dguess)}
            W = W - learning_rate * dW
            b = b - learning_rate * db
            print(i, loss)
        """,
    "classes by number, one-hot in the loop": """
        from sklearn.datasets import load_iris
        X, y = np.random.randn(30, 4), np.random.randint(0, 3, 30)
        W, lr = np.zeros((4, 3)), 0.01
        c = np.zeros(3)
        while True:
            s = X @ W + c
            e = np.exp(s - s.max(axis=1, keepdims=True))
            probs = e / e.sum(axis=1, keepdims=True)
            target = np.eye(3)[y]
            error = (probs - target) / len(X)
            W -= lr * X.T @ error
            c -= lr * {error.sum(axis=0)|error.mean(axis=0)}
            if abs(error).max() < 1e-3:
                break
        """,
    "numbers by hand, cell by cell": """
        x1, x2, t = 0.3, 0.9, 1
        w = {"a": 0.1, "b": 0.2}
        bias, rate = 0.1, 0.5
        z = x1 * w["a"] + x2 * w["b"] + bias
        o = 1 / (1 + np.exp(-z))
        loss = 0.5 * (t - o) ** 2
        d = -(t - o) * o * (1 - o)
        da = d * x1
        db = d * {x2|x1}
        w["a"] = w["a"] - rate * da
        w["b"] = w["b"] - rate * db
        bias = bias - rate * d
        """,
    "sums over the examples, then a step": """
        inputs, targets = [[0.2, 0.1], [0.5, 0.9], [0.4, 0.3]], [0.1, 0.8, 0.4]
        weights, offset, rate = [0.1, 0.2], 0.0, 0.1
        weights = np.array(weights)
        for epoch in range(100):
            gw, gb = np.zeros(2), 0.0
            for x, t in zip(inputs, targets):
                out = np.tanh(np.dot(x, weights) + offset)
                delta = (t - out) * (1 - out ** 2)
                gw += delta * np.array(x)
                gb += delta{| * out}
            weights += rate * gw / len(inputs)
            offset += rate * gb / len(inputs)
        """,
    "examples in columns, binary cross entropy": """
        X, Y = np.random.randn(4, 20), np.random.randint(0, 2, (1, 20))
        m, alpha = 20, 0.1
        W1, W2 = np.random.randn(5, 4), np.random.randn(1, 5)
        B1, B2 = np.zeros((5, 1)), np.zeros((1, 1))
        for k in range(1000):
            A1 = np.maximum(0, W1 @ X + B1)
            A2 = 1 / (1 + np.exp(-(W2 @ A1 + B2)))
            cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
            dZ2 = A2 - Y
            dZ1 = W2.T @ dZ2 * ({A1 > 0|A1 < 1})
            W2 -= alpha * dZ2 @ A1.T / m
            B2 -= alpha * dZ2.sum(axis=1, keepdims=True) / m
            W1 -= alpha * dZ1 @ X.T / m
            B1 -= alpha * dZ1.sum(axis=1, keepdims=True) / m
        """,
    "in an if __name__ block": """
        def act(z):
            return 1 / (1 + np.exp(-z))

        if __name__ == "__main__":
            data, labels = np.random.rand(5, 3), np.random.rand(5, 2)
            w = np.random.rand(3, 2)
            for _ in range(10):
                y_hat = act(data @ w)
                w += 0.3 * data.T @ ((labels - y_hat) {*|/} (y_hat * (1 - y_hat)))
        """,
}
FUNCTIONS = {
    "makes its weights": """
        def adaline(X, y, eta=0.01, epochs=50):
            w = np.zeros(X.shape[1])
            b = 0.0
            costs = []
            for _ in range(epochs):
                net = X.dot(w) + b
                errors = y - net
                w += eta * {X.T.dot(errors)|X.T.dot(errors ** 2)}
                b += eta * errors.sum()
                costs.append((errors ** 2).sum() / 2)
            return w, b, costs
        """,
    "is given them": """
        def train(W1, W2, X, Y, lr, iterations):
            for i in range(iterations):
                h = np.tanh(np.dot(X, W1))
                out = np.dot(h, W2)
                d2 = (out - Y) / Y.shape[0]
                d1 = np.dot(d2, W2.T) * (1 - h ** 2)
                W2 = W2 - lr * np.dot(h.T, {d2|out})
                W1 = W1 - lr * np.dot(X.T, d1)
            return W1, W2
        """,
    "adds a column, stops early": """
        def gradient_descent(X, y, theta, alpha, num_iters):
            m = len(y)
            for i in range(num_iters):
                h = np.dot(X, theta)
                step = np.dot(X.T, h - y) / m
                if np.linalg.norm(step) < 1e-6:
                    return theta
                theta = theta - alpha * {step|step ** 3}
            return theta
        """,
    "of a network that is made at the top level": """
        features = target = None
        table = pandas.read_csv("rides.csv")
        features, target = table.drop("n", axis=1), table["n"]
        n_records, n_features = features.shape
        w_in = np.random.normal(scale=0.1, size=(n_features, 4))
        w_out = np.random.normal(scale=0.1, size=4)

        def learn(rate, epochs, w_in, w_out):
            for e in range(epochs):
                d_in, d_out = np.zeros(w_in.shape), np.zeros(w_out.shape)
                for x, y in zip(features.values, target):
                    hidden = 1 / (1 + np.exp(-np.dot(x, w_in)))
                    output = 1 / (1 + np.exp(-np.dot(hidden, w_out)))
                    term = (y - output) * output * (1 - output)
                    below = term * w_out * {hidden * (1 - hidden)|(1 - hidden)}
                    d_in += below * x[:, None]
                    d_out += term * hidden
                w_in += rate * d_in / n_records
                w_out += rate * d_out / n_records
        learn(0.1, 10, w_in, w_out)
        """,
}
EVERY = [(code, name) for name, code in {**SCRIPTS, **FUNCTIONS}.items()]


def variant(code, which):
    """The code with the first or the last of what stands in {right|wrong}."""
    return "import numpy as np\n" + re.sub(r"\{([^{}|]*)\|([^{}|]*)\}", rf"\{which}",
                                           "\n".join(line[8:] for line in code.split("\n")))


@pytest.mark.parametrize("code, name", first(4, EVERY), ids=lambda one: one[:20])
def test_one_step_is_compared(check, code, name):
    _, (result,) = check(net=variant(code, 1))
    assert [one["status"] for one in result["checks"]] == ["correct"], str(result)


@pytest.mark.parametrize("code, name", first(4, EVERY), ids=lambda one: one[:20])
def test_and_a_slip_is_found(check, code, name):
    _, (result,) = check(net=variant(code, 2))
    assert result["checks"][-1]["status"] == "wrong" or "none of the usual" in str(
        result), str(result)
    assert list(verdicts(result).values()).count("correct") < len(verdicts(result)) or not verdicts(
        result)
