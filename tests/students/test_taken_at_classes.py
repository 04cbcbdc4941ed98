"""Training code that takes 1 off the probabilities at the classes, and other networks whose output
or whose bias is not where it usually is."""
import pytest
from short import first

STEP = """
import numpy as np

def train(X, y, hidden=8, lr=0.1, epochs=100):
    n, d = X.shape
    W1, b1 = np.random.randn(d, hidden) * 0.1, np.zeros((1, hidden))
    W2, b2 = np.random.randn(hidden, 3) * 0.1, np.zeros((1, 3))
    for epoch in range(epochs):
        a1 = np.tanh(X @ W1 + b1)
        scores = a1 @ W2 + b2
        e = np.exp(scores)
        probs = e / e.sum(axis=1, keepdims=True)
        delta = probs.copy()
        delta[ROWS, y] -= 1
        MEAN
        dW2 = a1.T @ delta
        db2 = delta.sum(axis=0, keepdims=True)
        d1 = delta @ W2.T * (1 - a1 ** 2)
        W1 += -lr * X.T @ d1
        b1 += -lr * d1.sum(axis=0)
        W2 += -lr * dW2
        b2 += -lr * db2
    return W1, b1, W2, b2
"""


@pytest.mark.parametrize("mean", ["", "delta /= n"])
@pytest.mark.parametrize("rows", first(1, ["range(n)", "np.arange(n)", "range(len(X))"]))
@pytest.mark.parametrize("slip, status", [("", "correct"), ("np.tanh", "wrong")])
def test_the_target_is_1_where_it_is_taken_off(check, mean, rows, slip, status):
    code = STEP.replace("ROWS", rows).replace("MEAN", mean or "pass")
    code = code.replace(slip, "np.sin") if slip else code
    _, (result,) = check(net=code)
    assert result["status"] == status, result["checks"]


OUTPUT_FIRST = """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def init_parameters(n_x, n_h, n_y):
    return {"W1": np.random.randn(n_h, n_x), "W2": np.random.randn(n_y, n_h)}

def forward(X, params):
    h = np.tanh(params["W1"] @ X)
    y_hat = sigmoid(params["W2"] @ h)
    return y_hat, h

def compute_cost(y_hat, Y):
    return -np.sum(Y * np.log(y_hat) + (1 - Y) * np.log(1 - y_hat)) / Y.shape[1]

def backward(X, Y, y_hat, h, params):
    m = X.shape[1]
    dZ2 = (y_hat - Y) / m
    dZ1 = params["W2"].T @ dZ2 * (1 - h ** 2)
    return {"dW1": dZ1 @ X.T, "dW2": dZ2 @ h.T}
"""


@pytest.mark.parametrize("slip, status", [("", "correct"), ("(1 - h ** 2)", "wrong")])
def test_the_output_is_what_is_called_so(check, slip, status):
    code = OUTPUT_FIRST.replace(slip, "(1 - h)") if slip else OUTPUT_FIRST
    _, (result,) = check(net=code)
    assert result["status"] == status, result["checks"]


BIAS_AMONG_INPUTS = """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def with_ones(X):
    return np.hstack([np.ones((X.shape[0], 1)), X])

def init_weights(n_in, n_hidden, n_out):
    return {"W1": np.random.randn(n_in + 1, n_hidden), "W2": np.random.randn(n_hidden + 1, n_out)}

def forward(X, params):
    h = sigmoid(with_ones(X) @ params["W1"])
    out = sigmoid(with_ones(h) @ params["W2"])
    return out, h

def compute_loss(out, Y):
    return 0.5 * np.sum((out - Y) ** 2)

def backward(X, Y, out, h, params):
    d2 = (out - Y) * out * (1 - out)
    d1 = d2 @ params["W2"][1:].T * h * (1 - h)
    return {"W1": with_ones(X).T @ d1, "W2": with_ones(h).T @ d2}
"""


@pytest.mark.parametrize("slip, status", [("", "correct"), (" * h * (1 - h)", "wrong")])
def test_a_bias_may_be_one_of_the_inputs(check, slip, status):
    code = BIAS_AMONG_INPUTS.replace(slip, " * (1 - h)") if slip else BIAS_AMONG_INPUTS
    _, (result,) = check(net=code)
    assert result["checks"][-1]["status"] == status, result["checks"]


SCRIPT = """
import numpy as np

X, y = np.random.randn(30, 2), np.repeat(np.arange(3), 10)
W, b = 0.01 * np.random.randn(2, 8), np.zeros((1, 8))
W2, b2 = 0.01 * np.random.randn(8, 3), np.zeros((1, 3))
step_size = 1e-0
PENALTY = 1e-3
num_examples = X.shape[0]
for i in range(10000):
    hidden = np.maximum(0, X @ W + b)
    scores = np.exp(hidden @ W2 + b2)
    probs = scores / np.sum(scores, axis=1, keepdims=True)
    if i % 1000 == 0:
        print(-np.log(probs[range(num_examples), y]).mean() + 0.5 * PENALTY * np.sum(W * W))
    dscores = probs
    dscores[range(num_examples), y] -= 1
    dscores /= num_examples
    dW2, db2 = hidden.T @ dscores, np.sum(dscores, axis=0, keepdims=True)
    dhidden = dscores @ W2.T
    dhidden[hidden <= 0] = 0
    dW, db = X.T @ dhidden, np.sum(dhidden, axis=0, keepdims=True)
    dW2 += PENALTY * W2
    dW += PENALTY * W
    W += -step_size * dW
    b += -step_size * db
    W2 += -step_size * dW2
    b2 += -step_size * db2
"""


@pytest.mark.parametrize("penalty", ["reg", *first(1, ["lambd", "weight_decay"])])
@pytest.mark.parametrize("slip, status", [("", "correct"), ("hidden <= 0", "wrong")])
def test_a_penalty_that_is_set_behind_the_weights_is_0(check, penalty, slip, status):
    code = SCRIPT.replace("PENALTY", penalty)
    _, (result,) = check(net=code.replace(slip, "hidden > 0") if slip else code)
    assert result["status"] == status, result["checks"]
