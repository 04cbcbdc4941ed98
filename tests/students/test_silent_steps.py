"""Training code in which little is called like a gradient, or the data are not called like data:
one step of it is compared all the same. Each with the slip that stands behind the bar."""
import pytest
from short import first
from student_files import verdicts, write
from test_steps import variant

from minialex.gradcheck.__main__ import main

SCRIPTS = {
    "by way of a mean of earlier steps": """
        def teach(X, y, n_hidden, epochs, rate, keep=0.9, part=0.7):
            W, b = np.random.randn(X.shape[1], n_hidden), np.zeros((1, n_hidden))
            V = np.random.randn(n_hidden, y.shape[1])
            mean_W, mean_b, mean_V = np.zeros_like(W), np.zeros_like(b), np.zeros_like(V)
            for epoch in range(epochs):
                h = np.tanh(X @ W + b)
                out = h @ V
                err = out - y
                below = err @ V.T * {(1 - h ** 2)|(1 - h)}
                dV, dW, db = h.T @ err, X.T @ below, below.sum(axis=0, keepdims=True)
                mean_W = keep * mean_W + (1 - keep) * dW
                move_W = (1 - part) * dW + part * mean_W
                W -= rate * move_W
                mean_b = keep * mean_b + (1 - keep) * db
                move_b = (1 - part) * db + part * mean_b
                b -= rate * move_b
                mean_V = keep * mean_V + (1 - keep) * dV
                move_V = (1 - part) * dV + part * mean_V
                V -= rate * move_V
            return W, b, V
        """,
    "the slope is another function's": """
        def act(z):
            return 1 / (1 + np.exp(-z))

        def act_slope(a):
            return a * (1 - a)

        import store_of_data
        all_pictures, all_names = store_of_data.get("digits")
        pictures, tests, names, others = store_of_data.split(all_pictures, all_names)
        weights, bias = np.random.uniform(-1, 1, (6, 4)), np.zeros(4)
        learning_rate = 0.1
        for epoch in range(50):
            for i in range(len(pictures)):
                x = pictures[i]
                target = names[i]
                out = act(np.dot(x, weights) + bias)
                miss = target - out
                weights += learning_rate * np.outer(x, miss * act_slope(out))
                bias += learning_rate * miss{ * act_slope(out)|}
        """,
    "numbers in lists, and no loop over epochs": """
        inputs, wanted = [0.05, 0.1], [0.01, 0.99]
        low, top = [[0.15, 0.2], [0.25, 0.3]], [[0.4, 0.45], [0.5, 0.55]]
        shift = [0.35, 0.35]
        a, o, hidden = [0, 0], [0, 0], [0, 0]
        for i in range(2):
            a[i] = 1 / (1 + 2.718281828459045 ** -(
                inputs[0] * low[0][i] + inputs[1] * low[1][i] + shift[i]))
        for i in range(2):
            o[i] = 1 / (1 + 2.718281828459045 ** -(a[0] * top[0][i] + a[1] * top[1][i]))
        error = [wanted[i] - o[i] for i in range(2)]
        outer = [error[i] * o[i] * (1 - o[i]) for i in range(2)]
        for i in range(2):
            hidden[i] = (outer[0] * top{[i][0]|[0][i]} + outer[1] * top{[i][1]|[1][i]}) * a[i] * (
                1 - a[i])
        learning_rate = 0.5
        for i in range(2):
            for j in range(2):
                top[i][j] += learning_rate * a[i] * outer[j]
                low[i][j] += learning_rate * inputs[i] * hidden[j]
        """,
    "a function of the file makes the step": """
        alpha = 0.01

        def move(x, d):
            return d.T.dot(x) * alpha

        data, labels = np.random.rand(7, 3), np.random.rand(7, 2)
        low, top = np.ones((8, 3)) / 3, np.ones((2, 8)) / 8
        for epoch in range(5):
            for i in range(len(data)):
                one, label = data[i:i + 1], labels[i:i + 1]
                h = np.tanh(one.dot(low.T))
                guess = h.dot(top.T)
                d_top = guess - label
                d_low = d_top.dot(top) * (1 - h{ ** 2|})
                top -= move(h, d_top)
                low -= move(one, d_low)
        """,
    "batches in an order that a generator draws": """
        class Layers:
            def __init__(self, n_in, hidden=(7, 6), seed=0):
                rng = np.random.default_rng(seed)
                sizes = [n_in, *hidden, 1]
                self.W = [rng.normal(0, 0.5, both) for both in zip(sizes, sizes[1:])]
                self.b = [np.zeros(size) for size in sizes[1:]]

            def every_layer(self, X):
                every = [X]
                for W, b in zip(self.W[:-1], self.b):
                    every.append(np.tanh(every[-1] @ W + b))
                return [*every, every[-1] @ self.W[-1] + self.b[-1]]

            def teach(self, X, y, rounds=400, lr=0.01, batch=32, chance=0):
                rng = np.random.default_rng(chance)
                n = X.shape[0]
                for _ in range(rounds):
                    order = rng.permutation(n)
                    for start in range(0, n, batch):
                        some = order[start:start + batch]
                        Xb, yb = X[some], y[some]
                        every = self.every_layer(Xb)
                        below = 2 / len(Xb) * (every[-1] - yb)
                        for i in reversed(range(len(self.W))):
                            step = below
                            if i < len(self.W) - 1:
                                step = below * (1 - every[i + 1]{ ** 2|})
                            below = step @ self.W[i].T
                            self.W[i] -= lr * every[i].T @ step
                            self.b[i] -= lr * step.sum(axis=0)
        """,
    "an autoencoder, in batches larger than what is drawn": """
        from not_here import load
        X = load().astype("float32")
        SIZE = X.shape[1]
        w1, w2 = np.random.normal(0, 0.1, (SIZE, 8)), np.random.normal(0, 0.1, (8, SIZE))
        BATCH_SIZE, LEARNING_RATE, ROUNDS = 1024, 0.001, 10
        for r in range(ROUNDS):
            for n in range(X.shape[0] // BATCH_SIZE):
                rows = range(n * BATCH_SIZE, n * BATCH_SIZE + BATCH_SIZE)
                some = X[rows]
                h = np.tanh(some @ w1)
                out = h @ w2
                D_out = 2 * (out - some)
                D_w2 = h.T @ D_out
                D_w1 = some.T @ (D_out @ w2.T * {(1 - h ** 2)|h})
                w1 -= D_w1 * LEARNING_RATE
                w2 -= D_w2 * LEARNING_RATE
        """,
}


@pytest.mark.parametrize("code", first(2, SCRIPTS.values()), ids=lambda one: one.split()[1])
def test_a_step_is_compared_that_nothing_names(check, code):
    _, (result,) = check(net=variant(code, 1))
    assert result["checks"][-1]["status"] == "correct", str(result)
    _, (result,) = check(net=variant(code, 2))
    assert result["checks"][-1]["status"] == "wrong", str(result)
    assert "correct" in verdicts(result).values(), str(result)


FUNCTION = """
    import numpy as np

    def sigmoide(z):
        return 1 / (1 + np.exp(-z))

    def adelante(x, W1, b1, W2, b2):
        a2 = sigmoide(W1.T @ x[:, np.newaxis] + b1)
        return a2, sigmoide(W2.T @ a2 + b2)

    def NAME(X, y, alpha=0.1, n_epocas=100, n_ocultas=6):
        W1, b1 = np.random.randn(X.shape[1], n_ocultas), np.zeros((n_ocultas, 1))
        W2, b2 = np.random.randn(n_ocultas, 1), np.zeros((1, 1))
        perdidas = np.zeros(n_epocas)
        for i in range(n_epocas):
            for j in range(len(X)):
                a2, y_hat = adelante(X[j], W1, b1, W2, b2)
                dz3 = SIGN(y_hat - y[j])
                dz2 = (W2 @ dz3) * a2 * (1 - a2)
                W2 = W2 - alpha * np.outer(a2, y_hat - y[j])
                b2 = b2 - alpha * (y_hat - y[j])
                W1 = W1 - alpha * np.outer(X[j], dz2)
                b1 = b1 - alpha * dz2
        return W1, W2, perdidas
"""
METHOD = """
    import numpy as np

    class Net:
        def __init__(self, sizes):
            self.weights = [np.random.rand(m, n) for n, m in zip(sizes, sizes[1:])]
            self.biases = [np.ones((m, 1)) for m in sizes[1:]]

        def forward(self, X):
            for W, b in zip(self.weights, self.biases):
                X = np.tanh(W @ X + b)
            return X

        def train(self, X, y, alpha=0.1):
            self.NAME(X, y, alpha, epochs=10000)

        def NAME(self, X, y, alpha=0.03, epochs=10000):
            for i in range(epochs):
                every = [X]
                for W, b in zip(self.weights, self.biases):
                    every.append(np.tanh(W @ every[-1] + b))
                error = (y - every[-1]) * (1 - every[-1] ** 2)
                for l in range(len(self.weights) - 1, -1, -1):
                    below = self.weights[l].T @ error * SIGN(1 - every[l] ** 2)
                    self.biases[l] = self.biases[l] + alpha * error.sum(1, keepdims=True)
                    self.weights[l] = self.weights[l] + alpha * error @ every[l].T
                    error = below
"""


@pytest.mark.parametrize("code, name", first(1, [
    (METHOD, "backward"), (METHOD, "back_propagate"), (FUNCTION, "retropropagacion")]))
@pytest.mark.parametrize("sign, status", [("", "correct"), ("-", "wrong")])
def test_what_is_called_backward_and_trains_is_a_step(check, code, name, sign, status):
    """It goes over the data for many epochs, and does not belong to a forward."""
    _, (result,) = check(net=code.replace("NAME", name).replace("SIGN", sign))
    (one,) = result["checks"]
    assert one["status"] == status and len(verdicts(result)) > 3, result
    assert ("sign flipped" in verdicts(result).values()) == bool(sign)


ONCE = """
    import numpy as np

    def act(x):
        return 1 / (1 + np.exp(-x))

    X, y = np.array([0.5, 0.1]), np.array([1])
    W1, b1 = np.array([[0.4, 0.3], [0.2, 0.1], [0.5, -0.4]]), np.array([0.1, 0.2, -0.1])
    W2, b2 = np.array([[0.7, 0.6, -0.5]]), np.array([0.3])
    A1 = act(W1.dot(X) + b1)
    A2 = act(W2.dot(A1) + b2)
    dZ2 = (A2 - y) * A2 * (1 - A2)
    DW2 = dZ2.reshape(-1, 1) * A1.reshape(1, -1)
    DB2 = dZ2
    dZ1 = W2.T.dot(dZ2) * A1SLIP * (1 - A1)
    DW1 = dZ1.reshape(-1, 1) * X
    DB1 = dZ1
    print(DW1, DB1, DW2, DB2)
"""


@pytest.mark.parametrize("before", first(1, ["dL_d", "d", "grad_"]))
@pytest.mark.parametrize("slip, status", [("", "correct"), (" * 0.5", "wrong")])
def test_gradients_that_a_script_takes_off_nothing_are_compared(check, before, slip, status):
    """It goes forward and backward once, and shows them."""
    code = ONCE.replace("SLIP", slip)
    for name in ("W1", "B1", "W2", "B2"):
        code = code.replace(f"D{name}", f"{before}{name.replace('B', 'b')}")
    _, (result,) = check(net=code)
    assert result["checks"][-1]["status"] == status, result
    assert verdicts(result)["W2"] == "correct"
    assert verdicts(result)["W1"] == ("off by a constant factor" if slip else "correct")


@pytest.mark.parametrize("name", first(1, ["backward", "gradient_of_weights", "back_step"]))
def test_a_function_that_a_step_calls_is_checked_with_it(check, name):
    """It has no forward of its own, and wants none."""
    code = variant(SCRIPTS["a function of the file makes the step"], 1).replace("move", name)
    _, (result,) = check(net=code)
    assert [one["status"] for one in result["checks"]] == ["correct"], result


@pytest.mark.parametrize("factor", ["", "3 * "])
def test_gradients_taken_off_nothing_are_not_right_for_another_multiple(tmp_path, capsys, factor):
    """No rate can make up for a factor there, so that it is told."""
    code = ONCE.replace("SLIP", "").replace("dZ2 = (", "cost = 0.5 * np.sum((A2 - y) ** 2)\n"
                                            f"    dZ2 = {factor}(")
    path = write(tmp_path, "net", code.replace("DW", "dW").replace("DB", "db"))
    assert main([str(path)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (", times 1.5)" if factor else "(cost, as it is written)") in said, said


@pytest.mark.parametrize("slip, status", [("(h > 0)", "correct"), ("(h >= -1)", "wrong")])
@pytest.mark.parametrize("start", ["np.zeros_like(w)", "0"])
def test_a_running_average_starts_at_zero(check, slip, status, start):
    """The file has run: its averages are no longer zero, and are no data of the step."""
    _, (result,) = check(momentum=f"""
    import numpy as np

    X, y = np.random.randn(30, 3), np.random.randint(0, 2, (30, 1))
    w, b, u = np.random.randn(3, 6) * 0.5, np.zeros(6), np.random.randn(6, 1) * 0.5
    vw, vu, rate, mu = {start}, {start.replace("w", "u")}, 0.1, 0.9
    for epoch in range(20):
        h = np.maximum(X @ w + b, 0)
        p = 1 / (1 + np.exp(-(h @ u)))
        d = (p - y) / len(X)
        e = (d @ u.T) * {slip}
        vu = mu * vu - rate * h.T @ d
        vw = mu * vw - rate * X.T @ e
        u += vu
        w += vw
        b -= rate * e.sum(0)
    """)
    assert result["status"] == status, verdicts(result)
    assert verdicts(result)["u"] == "correct"
