"""Networks of one class as they are handed in: what is called output, targets of another shape."""
import pytest
from short import first
from student_files import verdicts

UPDATING = """
    import numpy as np

    def squash(z):
        return 1 / (1 + np.exp(-z))

    class Net:
        def __init__(self, n_inputs, n_hidden, n_outputs):
            self.v, self.c = np.random.rand(n_inputs, n_hidden), np.zeros((1, n_hidden))
            self.u, self.d = np.random.rand(n_hidden, n_outputs), np.zeros((1, n_outputs))

        def forward(self, X):
            self.h = squash(X @ self.v + self.c)
            self.OUT = self.h @ self.u + self.d
            return squash(self.OUT)

        def backward(self, X, TARGET, OUT):
            delta = (TARGET - OUT) * OUT * (1 - OUT)
            below = (delta @ self.u.T) * self.h * (1 - self.h)
            self.u += self.h.T @ delta
            self.d += delta.sum(axis=0, keepdims=True)
            self.v SIGN= X.T @ below
            self.c += below.sum(axis=0)
"""
RETURNING = """
    import numpy as np

    class Classifier:
        def __init__(self, n_features):
            self.w1, self.b1 = np.random.randn(n_features, 6), np.zeros((1, 6))
            self.w2, self.b2 = np.random.randn(6, 1), np.zeros((1, 1))

        def forward(self, X):
            self.a = np.tanh(X @ self.w1 + self.b1)
            return 1 / (1 + np.exp(-(self.a @ self.w2 + self.b2)))

        def backprop(self, X, y):
            e = (self.forward(X) - y.reshape(-1, 1)) / y.size
            below = e @ self.w2.T * (1 - self.a ** 2)
            dw1, db1 = X.T @ below, below.sum(axis=0)
            dw2, db2 = SIGN self.a.T @ e, e.sum(axis=0)
            return ORDER
"""
RETURNS_ALL = """
    import numpy as np

    class Columns:
        def __init__(self, n_x, n_h, n_y):
            self.W1, self.b1 = np.random.randn(n_h, n_x), np.zeros((n_h, 1))
            self.W2, self.b2 = np.random.randn(n_y, n_h), np.zeros((n_y, 1))

        def forward(self, X):
            Z1 = self.W1 @ X + self.b1
            A1 = np.maximum(0, Z1)
            Z2 = self.W2 @ A1 + self.b2
            A2 = np.exp(Z2) / np.exp(Z2).sum(axis=0)
            return Z1, A1, Z2, A2

        def backward(self, X, Y, Z1, A1, Z2, A2):
            m = X.shape[1]
            dZ2 = A2 - Y
            dZ1 = self.W2.T @ dZ2 * (Z1 > 0)
            return (SIGN dZ1 @ X.T / m, dZ1.sum(axis=1, keepdims=True) / m,
                    dZ2 @ A1.T / m, dZ2.sum(axis=1, keepdims=True) / m)
"""
MOMENTUM = """
    import numpy as np

    class Moving:
        def __init__(self, n_in, n_hid, n_out, lr=0.1, momentum=0.9):
            self.lr, self.momentum = lr, momentum
            self.w1, self.w2 = np.random.randn(n_in, n_hid), np.random.randn(n_hid, n_out)
            self.v1, self.v2 = np.zeros_like(self.w1), np.zeros_like(self.w2)

        def forward(self, x):
            self.x, self.h = x, np.tanh(x @ self.w1)
            self.o = self.h @ self.w2
            return self.o

        def backward(self, t):
            e = (self.o - t) / len(t)
            self.v2 = self.momentum * self.v2 - self.lr * self.h.T @ e
            self.v1 = self.momentum * self.v1 - SIGN self.lr * self.x.T @ (
                e @ self.w2.T * (1 - self.h ** 2))
            self.w2 += self.v2
            self.w1 += self.v1
"""
SAME = """
    import numpy as np

    class Encoder:
        def __init__(self, epochs, batch_size, learning_rate, enc_layers, dec_layers, code):
            self.lr, self.sizes = learning_rate, [*enc_layers, code, *dec_layers]
            self.weights = [np.random.randn(n, m) for n, m in zip(self.sizes, self.sizes[1:])]

        def forward(self, x):
            self.kept = [x]
            for w in self.weights:
                self.kept.append(np.tanh(self.kept[-1] @ w))
            return self.kept[-1]

        def backward(self):
            delta = (self.kept[-1] - self.kept[0]) * (1 - self.kept[-1] ** 2)
            for i in range(len(self.weights) - 1, -1, -1):
                step = self.kept[i].T @ delta
                delta = delta @ self.weights[i].T * (1 - self.kept[i] ** 2)
                self.weights[i] += -self.lr * (SIGN step if i == 0 else step)
"""
DICTIONARY = """
    import numpy as np
    import not_here

    def forward(X, params):
        A1 = np.tanh(X @ params["W1"] + params["b1"])
        return 1 / (1 + np.exp(-(A1 @ params["W2"] + params["b2"]))), {"A1": A1}

    def backward(X, Y, A2, params, cache):
        dZ2 = (A2 - Y) / len(X)
        dZ1 = dZ2 @ params["W2"].T * (1 - cache["A1"] ** 2)
        return {"dW1": SIGN X.T @ dZ1, "db1": dZ1.sum(axis=0, keepdims=True),
                "dW2": cache["A1"].T @ dZ2, "db2": dZ2.sum(axis=0, keepdims=True)}
"""
ITS_OWN = DICTIONARY + """
    params = {"W1": np.random.randn(2, 7), "b1": np.zeros((1, 7)),
              "W2": np.random.randn(7, 1), "b2": np.zeros((1, 1))}
"""


@pytest.mark.parametrize("code", first(2, [RETURNS_ALL, MOMENTUM, SAME, DICTIONARY, ITS_OWN]))
@pytest.mark.parametrize("sign, status", [("", "correct"), ("-", "wrong")])
def test_other_forms_are_compared_and_not_blamed(check, code, sign, status):
    """All layers returned, momentum, an autoencoder, parameters in a dictionary that nobody makes.
    """
    _, (result,) = check(net=code.replace("SIGN", sign))
    (one,) = result["checks"]
    found = verdicts(result)
    assert one["status"] == status and not {"v1", "v2"} & found.keys(), result
    assert len(found) > 2 and ("sign flipped" in found.values()) == bool(sign)


@pytest.mark.parametrize("sign, status", [("+", "correct"), ("-", "wrong")])
@pytest.mark.parametrize("target, out",
    first(2, [("y", "output"), ("desired", "y_pred"), ("t", "out"),
                                         ("targets", "predictions")]))
def test_the_output_is_what_forward_returned(check, target, out, sign, status):
    """Whatever an attribute of that name holds: here the sum before the squashing."""
    code = UPDATING.replace("SIGN", sign).replace("TARGET", target).replace("OUT", out)
    _, (result,) = check(net=code)
    assert result["checks"][0]["status"] == status, result
    assert verdicts(result)["v"] == ("sign flipped" if sign == "-" else "correct")


@pytest.mark.parametrize("order", first(1, ["dw1, db1, dw2, db2", "db2, dw2, db1, dw1"]))
@pytest.mark.parametrize("sign, status", [("", "remarks"), ("-", "wrong")])
def test_targets_may_be_a_row_of_numbers(check, order, sign, status):
    """And biases of N numbers, whose gradients are found by what they are called."""
    _, (result,) = check(net=RETURNING.replace("ORDER", order).replace("SIGN", sign))
    assert result["checks"][0]["status"] == status, result
    assert "only reshape" in str(result) and verdicts(result)["w2"] == (
        "sign flipped" if sign else "correct")


@pytest.mark.parametrize("sign, status", [("+", "correct"), ("-", "wrong")])
@pytest.mark.parametrize("told", first(1, ["np.mean((TARGET - OUT) ** 2)", "abs(delta).sum()",
                                           "float(np.abs(TARGET - OUT).max())"]))
def test_a_loss_that_a_backward_returns_is_no_gradient(check, told, sign, status):
    """It changes the weights itself, and tells how well it did."""
    code = UPDATING.rstrip() + f"\n            return {told}\n"
    _, (result,) = check(net=code.replace("SIGN", sign).replace("TARGET", "y").replace("OUT", "p"))
    assert result["checks"][0]["status"] == status, result
    assert verdicts(result)["X"] == "not compared"


@pytest.mark.parametrize("sign, status", [("+", "correct"), ("-", "wrong")])
@pytest.mark.parametrize("name", first(1, ["MathNN", "NN", "TwoLayerNN", "ANN"]))
def test_a_network_may_be_called_nn(check, name, sign, status):
    """Of one output, whose targets come as a row of numbers."""
    code = UPDATING.replace("SIGN", sign).replace("OUT", "p").replace("class Net", f"class {name}")
    code = code.replace("(TARGET - p)", "(y.reshape(-1, 1) - p)").replace("TARGET", "y")
    _, (result,) = check(net=code.replace(".sum(axis=0)", ".sum(axis=0, keepdims=True)"))
    assert result["checks"][0]["status"] == status, result


SIZES = """
    import numpy as np

    class Net:
        def __init__(self, NAME):
            self.n = len(NAME) - 1
            self.w = [np.random.random((MADE)) for i in range(self.n)]
            self.b = [np.ones((NAME[i], 1)) for i in range(1, self.n + 1)]

        def forward(self, X):
            self.kept = [X]
            for w, b in zip(self.w, self.b):
                self.kept.append(np.tanh(w @ self.kept[-1] + b))
            return self.kept[-1]

        def backward(self, y):
            delta = (self.kept[-1] - y) * (1 - self.kept[-1] ** 2)
            for i in range(self.n - 1, -1, -1):
                dw, db = delta @ self.kept[i].T, delta.sum(1, keepdims=True)
                delta = self.w[i].T @ delta * (1 - self.kept[i]SLIP)
                self.w[i] -= dw
                self.b[i] -= db
"""


@pytest.mark.parametrize("name, made", first(1, [
    ("model", "model[i + 1], model[i]"), ("neural", "neural[i+1], neural[i]"),
    ("dim_list", "dim_list[i + 1], dim_list[i]")]))
@pytest.mark.parametrize("slip, status", [(" ** 2", "correct"), ("", "wrong")])
def test_what_is_read_layer_by_layer_is_a_list_of_sizes(check, name, made, slip, status):
    """Whatever it is called."""
    code = SIZES.replace("NAME", name).replace("MADE", made).replace("SLIP", slip)
    _, (result,) = check(net=code)
    assert result["checks"][0]["status"] == status and len(verdicts(result)) > 3, result


GIVEN = """
    import numpy as np

    class Net:
        def __init__(self, n_in, n_hidden, n_out, lr=0.01):
            self.w1, self.w2 = np.random.randn(n_in, n_hidden), np.random.randn(n_hidden, n_out)
            self.lr = lr

        def forward_pass(self, X):
            self.h = np.tanh(X @ self.w1)
            return self.h @ self.w2

        def get_grads(self, X, y, output):
            error, grads = (output - y) / len(X), {}
            grads["w2"] = self.h.T @ error
            grads["w1"] = X.T @ (error @ self.w2.T * (1 - self.hSLIP))
            return grads

        def update_weights(self, grads):
            self.w1 -= self.lr * grads["w1"]
            self.w2 -= self.lr * grads["w2"]
"""


@pytest.mark.parametrize("slip, status", [(" ** 2", "correct"), ("", "wrong")])
def test_an_update_that_is_given_gradients_is_no_training(check, slip, status):
    """They come from another method, which is checked."""
    _, (result,) = check(net=GIVEN.replace("SLIP", slip))
    assert [one["status"] for one in result["checks"]] == [status], result
    assert verdicts(result)["w2"] == "correct"


SEQUENCE = """
    import numpy as np

    class Letters:
        def __init__(self, vocab_size, data_size):
            self.size, self.vocab_size, self.last_h = 6, vocab_size, np.zeros((6, 1))
            self.U = np.random.randn(6, vocab_size) * 0.01
            self.V = np.random.randn(6, 6) * 0.01
            self.W = np.random.randn(vocab_size, 6) * 0.01
            self.Bh, self.By = np.zeros((6, 1)), np.zeros((vocab_size, 1))

        def NAME(self, inputs, target):
            xs, hs, ps, loss = {}, {-1: np.copy(self.last_h)}, {}, 0
            for t in range(len(inputs)):
                xs[t] = np.eye(self.vocab_size)[:, inputs[t]].reshape(-1, 1)
                hs[t] = np.tanh(self.U @ xs[t] + self.V @ hs[t - 1] + self.Bh)
                e = np.exp(self.W @ hs[t] + self.By)
                ps[t] = e / e.sum()
                loss += -np.log(ps[t][target[t]])
            dU, dV, dW = np.zeros_like(self.U), np.zeros_like(self.V), np.zeros_like(self.W)
            dBh, dBy, later = np.zeros_like(self.Bh), np.zeros_like(self.By), 0
            for t in reversed(range(len(inputs))):
                dy = np.copy(ps[t])
                dy[target[t]] -= 1
                dW += dy @ hs[t].T
                dBy += dy
                below = (1 - hs[t]SLIP) * (self.W.T @ dy + later)
                dU += below @ xs[t].T
                dV += below @ hs[t - 1].T
                dBh += below
                later = self.V.T @ below
            return loss, dU, dV, dW, dBh, dBy, hs[len(inputs) - 1]

        def run(self, text, letters):
            while True:
                loss, *steps, self.last_h = self.NAME([letters[one] for one in text], text)
"""


@pytest.mark.parametrize("name", first(1, ["diff", "go_over", "through_time"]))
@pytest.mark.parametrize("slip, status", [(" ** 2", "correct"), ("", "wrong")])
def test_a_loss_with_gradients_may_have_any_name_and_a_state_behind_it(check, name, slip, status):
    code = SEQUENCE.replace("NAME", name).replace("SLIP", slip)
    _, (result,) = check(net=code)
    assert [one["status"] for one in result["checks"]] == [status], result
    assert {name: verdicts(result)[name] for name in ("W", "By")} == {
        "W": "correct", "By": "correct"}


SQUARES = """
    import numpy as np

    class Net:
        def __init__(self, n_in, n_hid, n_out, tiny=1e-8):
            self.W1, self.W2 = np.random.randn(n_in, n_hid), np.random.randn(n_hid, n_out)
            self.GW1, self.GW2, self.tiny = np.zeros_like(self.W1), np.zeros_like(self.W2), 1e-8

        def forward(self, X):
            self.h = np.tanh(X @ self.W1)
            self.out = self.h @ self.W2
            return self.out

        def backward(self, X, y, lr=0.01):
            e = (self.out - y) / len(X)
            dW1, dW2 = X.T @ (e @ self.W2.T * (1 - self.h ** 2)), self.h.T @ e
            self.GW1 += dW1 ** 2
            self.GW2 += dW2 ** 2
            self.W1 -= lr * dW1 / (np.sqrt(self.GW1) + self.tiny)
            self.W2 -= lr * dW2 / (np.sqrt(self.GW2) + self.tiny)
"""


@pytest.mark.parametrize("name", first(1, ["GW", "grad_W", "sum_dW"]))
def test_sums_of_squares_are_no_gradients(check, name):
    """As AdaGrad keeps them. Nobody can tell the gradient from its first step: it is not said that
    it is wrong."""
    _, (result,) = check(net=SQUARES.replace("GW", name))
    assert result["checks"][0]["status"] == "error", result
    assert "Keep it in an attribute" in result["checks"][0]["error"]["message"]


def test_a_bias_called_like_a_state_is_not_passed_over(check):
    code = UPDATING.replace("self.c += below.sum(axis=0)", "").replace("SIGN", "+")
    for name, old in (("y", "TARGET"), ("p", "OUT")):
        code = code.replace(old, name)
    _, (result,) = check(net=code)
    assert verdicts(result)["c"] == "not compared", result
