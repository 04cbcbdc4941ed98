"""Networks that have their gradients in the method that trains them."""
import pytest
from short import first
from student_files import verdicts

QUERY = """
    import numpy
    import a_library_that_is_nowhere.special

    class Net:
        def __init__(self, inodes, hnodes, onodes, learningrate):
            self.v = numpy.random.normal(0.0, 0.5, (hnodes, inodes))
            self.u = numpy.random.normal(0.0, 0.5, (onodes, hnodes))
            self.lr, self.squash = learningrate, lambda z: 1 / (1 + numpy.exp(-z))

        def query(self, inputs_list):
            inputs = numpy.array(inputs_list, ndmin=2).T
            return self.squash(self.u @ self.squash(self.v @ inputs))

        def train(self, inputs_list, targets_list):
            inputs = numpy.array(inputs_list, ndmin=2).T
            targets = numpy.array(targets_list, ndmin=2).T
            hidden = self.squash(self.v @ inputs)
            out = self.squash(self.u @ hidden)
            errors = targets - out
            delta = errors * out * (1 - out)
            below = self.u.T @ HANDED
            self.u += self.lr * delta @ hidden.T
            self.v SIGN= self.lr * (below * hidden * (1 - hidden)) @ inputs.T
"""
LOOP = """
    import numpy as np

    class Brain(object):
        def __init__(self, hidden=3):
            self.w0, self.w1 = np.random.random((3, hidden)), np.random.random((hidden, 1))

        def think(self, X):
            rows = np.hstack([X, np.ones((len(X), 1))])
            middle = 1 / (1 + np.exp(-rows @ self.w0))
            return rows, middle, 1 / (1 + np.exp(-middle @ self.w1))

        def train(self, X, yEXTRA):
            LOOP
                l0, l1, l2 = self.think(X)
                d2 = (y - l2) * l2 * (1 - l2)
                d1 = d2 @ self.w1.T * l1 * (1 - l1)
                self.w1 += l1.T @ d2
                self.w0 SIGN= l0.T @ d1
            print "done"
"""
OF_DATA = """
    import numpy as np

    class Net:
        def __init__(self, x, y):
            self.x, self.y = np.array(x), np.array(y)
            self.weights = np.random.random((x.shape[1], 4))
            self.top = np.random.random((4, y.shape[1]))
            self.error, self.output = np.zeros(self.y.shape), np.zeros(self.y.shape)

        def train(self, i):
            for _ in range(i):
                self.hidden = np.tanh(self.x @ self.weights)
                self.output = np.tanh(self.hidden @ self.top)
                self.error = (self.y - self.output) * (1 - self.output ** 2)
                below = self.error @ self.top.T * (1 - self.hidden ** 2)
                self.top += self.hidden.T @ self.error
                self.weights SIGN= self.x.T @ below

    if __name__ == "__main__":
        net = Net(np.zeros((4, 3)), np.zeros((4, 1)))
        net.train(50)
"""
FIT = """
    import numpy as np

    class Logistic:
        def __init__(self, learning_rate=0.01, n_iters=1000):
            self.lr, self.n_iters, self.lambda_ = learning_rate, n_iters, 0.01
            self.weights = self.top = None

        def fit(self, X, y):
            self.weights, self.top = np.zeros((X.shape[1], 6)), np.zeros((6, 3))
            for _ in range(self.n_iters):
                h = np.tanh(X @ self.weights)
                guess = 1 / (1 + np.exp(-h @ self.top))
                error = (guess - y) / len(X)
                below = error @ self.top.T * (1 - h ** 2)
                self.top -= self.lr * h.T @ error
                step = X.T @ below + self.lambda_ * self.weights
                self.weights = self.weights - SIGN self.lr * step

        def predict(self, X):
            return np.where(1 / (1 + np.exp(-np.tanh(X @ self.weights) @ self.top)) > 0.5, 1, 0)
"""
EACH = """
    import numpy as np

    class Online:
        def __init__(self, n_inputs, n_outputs):
            self.w, self.b = np.random.randn(n_outputs, n_inputs), np.zeros(n_outputs)

        def predict(self, x):
            return x @ self.w.T + self.b

        def fit(self, data, labels, lr=0.1, epochs=20):
            for epoch in range(epochs):
                for x, t in zip(data, labels):
                    e = self.w @ x + self.b - t
                    self.w -= SIGN lr * np.outer(e, x)
                    self.b -= lr * e
"""
ADALINE = """
    import numpy as np

    class Neuron:
        def __init__(self, eta=0.01, n_iter=50):
            self.eta, self.n_iter = eta, n_iter

        def fit(self, X, y):
            self.w_ = np.random.normal(size=X.shape[1])
            self.b_ = 0.0
            for _ in range(self.n_iter):
                output = self.activation(self.net_input(X))
                errors = y - output
                self.w_ += SIGN self.eta * X.T.dot(errors)
                self.b_ += self.eta * errors.sum()

        def net_input(self, X):
            return X @ self.w_ + self.b_

        def activation(self, X):
            return X

        def predict(self, X):
            return [1 if one > 0 else -1 for one in self.net_input(X)]
"""
LOOPS = [("", "for i in xrange(10000):"), (", iterations", "for i in range(iterations):"),
         (", epochs=500", "for i in range(1, epochs + 1):"), ("", "while True:")]


@pytest.mark.parametrize("code, right, wrong", first(3, [
    (QUERY.replace("HANDED", "delta"), "+", "-"), (OF_DATA, "+", "-"), (FIT, "", "-"),
    (EACH, "", "-"), (ADALINE, "", "-"),
    *[(LOOP.replace("EXTRA", more).replace("LOOP", loop), "+", "-") for more, loop in LOOPS]]))
def test_one_step_of_training_is_compared(check, code, right, wrong):
    """However often it would go over the data, and whatever predict gives."""
    _, (result,) = check(net=code.replace("SIGN", right))
    (one,) = result["checks"]
    assert one["status"] == "correct" and len(verdicts(result)) > 1, result
    _, (result,) = check(net=code.replace("SIGN", wrong))
    assert result["checks"][0]["status"] == "wrong", result
    assert list(verdicts(result).values()).count("sign flipped") == 1, result


def test_the_books_hidden_error_is_said_and_not_called_wrong(check):
    """It is handed down without the output's derivative, and each step is a gradient of its own."""
    code = QUERY.replace("SIGN", "+").replace("HANDED", "errors")
    _, (result,) = check(net=code)
    (one,) = result["checks"]
    assert one["status"] == "undecided" and verdicts(result)["u"] == "correct", result
    assert "well-known book" in str(one) and verdicts(result)["v"] == "undecided"


ONE_LAYER = """
    import numpy as np

    class Line:
        def __init__(self, n_inputs, n_outputs):
            self.w, self.b = np.random.randn(n_inputs, n_outputs), np.zeros(n_outputs)

        def predict(self, X):
            return 1 / (1 + np.exp(-X @ self.w - self.b))

        def fit(self, X, y, lr=0.1, epochs=100):
            for _ in range(epochs):
                p = self.predict(X)
                self.w -= lr * (X.T @ (p - y) / len(X)MORE)
                self.b -= lr * OF_B
"""


@pytest.mark.parametrize("more, of_b, status", first(2, [
    (" + 0.01 * self.w", "(p - y).mean(axis=0)", "undecided"),
    (" - 0.01 * self.w", "(p - y).mean(axis=0)", "wrong"),
    ("", "(p - y).sum(axis=0)", "wrong"), ("", "((p - y) * p * (1 - p)).mean(axis=0)", "wrong")]))
def test_a_penalty_may_be_meant_and_another_loss_of_one_layer_is_not(check, more, of_b, status):
    _, (result,) = check(net=ONE_LAYER.replace("MORE", more).replace("OF_B", of_b))
    assert result["checks"][0]["status"] == status, result
    assert "book" not in str(result)


def test_probabilities_that_a_loss_would_clip_prove_nothing(check):
    """Inputs beyond the file's numbers, 100, make them 0 and 1."""
    _, (result,) = check(net="""
    import numpy as np

    class Classes:
        def __init__(self, n_features, n_classes):
            self.W, self.b = np.zeros((n_features, n_classes)), np.zeros(n_classes)

        def predict_proba(self, X):
            e = np.exp(X @ self.W + self.b)
            return e / e.sum(axis=1, keepdims=True)

        def fit(self, X, y, lr=0.1, epochs=100):
            for _ in range(epochs):
                g = (self.predict_proba(X) - np.eye(self.W.shape[1])[y]) / len(X)
                self.W -= lr * X.T @ g
                self.b -= lr * g.sum(axis=0)
    """)
    assert result["checks"][0]["status"] == "correct", result


@pytest.mark.parametrize("of_b, is_right",
    first(1, [("d.sum(axis=0)", True), ("d.mean(axis=0)", False),
                                            ("d[0]", False)]))
def test_batches_are_no_single_examples(check, of_b, is_right):
    """Of one example a mean is a sum."""
    _, (result,) = check(net=f"""
    import numpy as np

    class Net:
        def __init__(self, n_inputs, n_outputs):
            self.w, self.b = np.random.randn(n_inputs, n_outputs), np.zeros(n_outputs)

        def forward(self, X):
            return X @ self.w + self.b

        def train(self, X, y, epochs=10, batch_size=2):
            for _ in range(epochs):
                for i in range(0, len(X), batch_size):
                    d = self.forward(X[i:i + batch_size]) - y[i:i + batch_size]
                    self.w -= X[i:i + batch_size].T @ d
                    self.b -= {of_b}
    """)
    assert (result["checks"][0]["status"] == "correct") is is_right, result


@pytest.mark.parametrize("step", ["self.w += (y - (X @ self.w > 0)) @ X",
                                  "self.w += X[y > 0].sum(axis=0)"])
def test_another_rule_than_descent_is_not_called_wrong(check, step):
    _, (result,) = check(net=f"""
    import numpy as np

    class Perceptron:
        def __init__(self, n_inputs):
            self.w = np.random.randn(n_inputs)

        def predict(self, X):
            return X @ self.w

        def fit(self, X, y, epochs=5):
            for _ in range(epochs):
                {step}
    """)
    assert result["status"] != "wrong", result


def test_what_grows_no_weights_is_no_training(check):
    _, (result,) = check(tree="""
    class Tree:
        def fit(self, X, y):
            self.root = {"X": X, "y": y}
            self.count += 1

        def predict(self, X):
            return self.root["y"]
    """)
    assert result["error"]["kind"] == "nothing to check"
