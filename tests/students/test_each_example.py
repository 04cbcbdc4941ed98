"""Gradients of each example by itself, losses of each example, local derivatives, averages that a
network of the file expects."""
import pytest
from student_files import verdicts

HEAD = "import numpy as np\n"
LINE = HEAD + """
def margin_loss(w, x, y):
    return np.maximum(0, 1 - y * (x @ w))

def margin_gradient(w, DATA, LABELS):
    active = np.where(margin_loss(w, DATA, LABELS) > 0, 1, 0)
    return (-active * LABELS)[:, None] * DATA

def affine_forward(x, W, b):
    return x @ W + b, (x, W)

def affine_backward(dout, cache):
    x, W = cache
    return dout @ W.T, PRODUCT, dout
"""
EACH, ALL = "np.einsum('ni,nj->nij', x, dout)", "x.T @ dout"


@pytest.mark.parametrize("names", [("x", "y"), ("datax", "datay")])
def test_the_gradients_of_each_example_are_summed_if_all_are(check, names):
    code = LINE.replace("DATA", names[0]).replace("LABELS", names[1])
    _, (result,) = check(line=code.replace("PRODUCT", EACH))
    assert [item["status"] for item in result["checks"]] == ["correct"] * 2
    _, (result,) = check(line=code.replace("PRODUCT", ALL).replace("(-active", "(-2 * active"))
    assert [item["status"] for item in result["checks"]] == ["wrong"] * 2
    assert verdicts(result)["b"].startswith("not summed")


FED = HEAD + """
class Surprise:
    def forward(self, y_pred, y_true):
        p = np.clip(y_pred, 1e-7, 1 - 1e-7)
        return -np.log(p[range(len(p)), y_true])
    def backward(self, dvalues, y_true):
        self.dvalues = dvalues.copy()
        self.dvalues[range(len(dvalues)), y_true] -= 1
        self.dvalues = self.dvalues / len(dvalues)
"""


def test_a_loss_of_each_example_may_give_the_scores_gradient(check):
    assert check(fed=FED)[0] == 0
    assert check(fed=FED.replace("-= 1", "+= 1"))[0] == 1


LOCAL = HEAD + """
def relu(x):
    return np.maximum(x, 0)

def relu_backward(Z):
    return Z > 0

def squash(Z):
    return np.tanh(Z)

def squash_backward(A):
    return 1 - A SQUARED

y_true = 0.3

def mse_loss(y_pred):
    return (y_pred - y_true) ** 2

def mse_gradient(y_pred):
    return 2 * (y_pred SIGN y_true)
"""


def test_a_backward_without_dout_is_a_derivative_and_a_target_may_be_global(check):
    _, (result,) = check(local=LOCAL.replace("SQUARED", "** 2").replace("SIGN", "-"))
    assert [item["status"] for item in result["checks"]] == ["correct"] * 3
    _, (result,) = check(local=LOCAL.replace("SQUARED", "").replace("SIGN", "+"))
    assert [item["status"] for item in result["checks"]] == ["correct", "wrong", "wrong"]


NET = HEAD + """
def linear_forward(A, W, b):
    return W @ A + b, (A, W, b)

def linear_backward(dZ, cache):
    A, W, b = cache
    m = A.shape[1]
    return W.T @ dZ, dZ @ A.T / m, dZ.sum(axis=1, keepdims=True) / m

def initialize_parameters(layer_dims):
    n, h, o = layer_dims[0], layer_dims[1], layer_dims[-1]
    return {"W1": np.random.randn(h, n), "b1": np.zeros((h, 1)),
            "W2": np.random.randn(o, h), "b2": np.zeros((o, 1))}

def forward_propagation(X, parameters):
    Z1, first = linear_forward(X, parameters["W1"], parameters["b1"])
    Z2, second = linear_forward(np.tanh(Z1), parameters["W2"], parameters["b2"])
    return Z2, (first, second)

def compute_cost(AL, Y):
    return ((AL - Y) ** 2).sum() / 2 / Y.shape[1]

def backward_propagation(AL, Y, caches):
    first, second = caches
    dA, dW2, db2 = linear_backward(SLIP * (AL - Y), second)
    _, dW1, db1 = linear_backward(dA * (1 - second[0] ** 2), first)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
"""


@pytest.mark.parametrize("slip, layer, network", [("1", "correct", "correct"),
                                                  ("abs", "undecided", "wrong")])
def test_an_average_that_the_files_network_expects_is_right(check, slip, layer, network):
    _, (result,) = check(net=NET.replace("SLIP *", slip if slip == "abs" else "1 *"))
    found = {item["name"]: item["status"] for item in result["checks"]}
    assert found.pop("linear") == layer and set(found.values()) == {network}


SQUASHED = HEAD + """
class Gate:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
    def forward(self, x):
        self.x, z = x, x @ self.W
        self.a = FORWARD
        return self.a
    def backward(self, dout):
        self.dW = self.x.T @ (dout * SLOPE)
        return (dout * SLOPE) @ self.W.T
"""


@pytest.mark.parametrize("forward, slope", [
    ("np.tanh(z)", "(1 - np.tanh(self.a) ** 2)"),
    ("1 / (1 + np.exp(-z))", "np.exp(-self.a) / (1 + np.exp(-self.a)) ** 2")])
def test_a_derivative_of_what_was_squashed_already(check, forward, slope):
    _, (result,) = check(gate=SQUASHED.replace("FORWARD", forward).replace("SLOPE", slope))
    row = result["checks"][0]["rows"][-1]
    assert row["verdict"] == "slip in the derivative" and "already" in row["detail"]


SUMMED = HEAD + """
class Net:
    def __init__(self, n_in, n_hidden, n_out):
        self.W1, self.W2 = np.ones((n_in, n_hidden)), np.ones((n_hidden, n_out))
    def loss(self, X, y):
        h = np.tanh(X @ self.W1)
        s = h @ self.W2
        d = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
        loss = -np.mean(np.log(d[range(len(X)), y]))
        d[range(len(X)), y] -= 1
        return loss, {"W1": X.T @ (d @ self.W2.T * (1 - h ** 2)), "W2": FACTOR * h.T @ d}
"""


@pytest.mark.parametrize("factor, status", [("1", "undecided"), ("0.25", "wrong"), ("2", "wrong")])
def test_the_gradient_of_a_sum_beside_its_mean_is_told_if_all_are(check, factor, status):
    assert check(net=SUMMED.replace("FACTOR", factor))[1][0]["status"] == status


BESIDE = HEAD + """
class Net:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
    def squash(self, z):
        return np.tanh(z)
    def squash_derivative(self, z):
        return 1 - np.tanh(z) SQUARED
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T
"""


@pytest.mark.parametrize("squared, status", [("** 2", "correct"), ("", "wrong")])
def test_a_derivative_beside_the_two_methods_is_checked_too(check, squared, status):
    _, (result,) = check(net=BESIDE.replace("SQUARED", squared))
    assert {item["name"]: item["status"] for item in result["checks"]} == {
        "Net.squash": status, "Net": "correct"}


def test_a_scale_and_its_shift_must_be_summed(check):
    _, (result,) = check(scale=HEAD + """
def scale_forward(x, gamma, beta):
    return x * gamma + beta, (x, gamma)
def scale_backward(dout, cache):
    x, gamma = cache
    return dout * gamma, dout * x, dout
""")
    assert all(verdicts(result)[name].startswith("not summed") for name in ("gamma", "beta"))


@pytest.mark.parametrize("loss, slope, slip", [
    ("np.log(1 + np.exp(-t * s))", "-t / (1 + np.exp(t * s))", "-t / (1 + np.exp(-s))"),
    ("(s - t) ** 2", "2 * (s - t)", "2 * (t - s)"),
    ("(s - t) ** 2", "2 * (s - t) / s.size", "(s - t) / s.size ** 2")])
def test_a_loss_of_each_label_and_its_gradient_without_a_dout(check, loss, slope, slip):
    code = HEAD + f"""
def label_loss(s, y):
    t = 2 * y - 1
    return {loss}

def label_loss_gradient(s, y):
    t = 2 * y - 1
    return SLOPE
"""
    _, (result,) = check(each=code.replace("SLOPE", slope))
    assert result["status"] == "correct" and verdicts(result)["s"] == "correct", result
    _, (result,) = check(each=code.replace("SLOPE", slip))
    assert result["status"] == "wrong", result


def test_a_layer_with_a_target_must_not_forget_its_dout(check):
    code = HEAD + """
def gap_forward(x, target):
    return (x - target) ** 2

def gap_backward(dout, x, target):
    return DOUT 2 * (x - target)
"""
    assert check(gap=code.replace("DOUT", "dout *"))[0] == 0
    assert check(gap=code.replace("DOUT", ""))[0] == 1
