"""Functions that cannot be run by themselves are checked in one step of the code that trains with
them: dictionaries and lists of layers, and a backward that gives the weights of the next step."""
import pytest
from short import first

START = """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

"""
KEYS = START + """
def crear_pesos(capas):
    return {i: np.random.randn(capas[i], capas[i - 1]) * 0.1 for i in range(1, len(capas))}

def hacia_adelante(X, pesos):
    activaciones, zs = {0: X}, {}
    for i in range(1, len(pesos) + 1):
        zs[i] = activaciones[i - 1] @ pesos[i].T
        activaciones[i] = sigmoid(zs[i])
    return activaciones, zs

def retropropagar(activaciones, zs, pesos, y):
    gradientes, L = {}, len(pesos)
    delta = activaciones[L] - y
    for i in range(L, 0, -1):
        gradientes[i] = delta.T @ activaciones[i - 1] / len(y)
        s = sigmoid(zs.get(i - 1, 0))
        delta = SLIP(delta @ pesos[i]) * s * (1 - s)
    return gradientes

def entrenar(X, y, capas, epocas, tasa):
    pesos = crear_pesos(capas)
    for epoca in range(epocas):
        activaciones, zs = hacia_adelante(X, pesos)
        gradientes = retropropagar(activaciones, zs, pesos, y)
        for i in pesos:
            pesos[i] -= tasa * gradientes[i]
    return pesos

X, y = np.random.rand(6, 3), np.ones((6, 1))
capas = [X.shape[1], 5, 1]
pesos = entrenar(X, y, capas, 9, 0.1)
"""
PAIRS = START + """
def first_parameters(n_in, hidden, n_out):
    sizes = [n_in, *hidden, n_out]
    return [(np.random.randn(m, n), np.zeros((1, n))) for m, n in zip(sizes, sizes[1:])]

def forward_pass(x, parameters):
    outputs = [x]
    for weight, bias in parameters:
        outputs.append(np.maximum(0, outputs[-1] @ weight + bias))
    return outputs

def backward_pass(outputs, parameters, y_true, rate):
    delta = (outputs[-1] - y_true.reshape(-1, 1)) * (outputs[-1] > 0)
    found = []
    for i in reversed(range(len(parameters))):
        weight, bias = parameters[i]
        found.insert(0, (weight - rate * outputs[i].T @ delta, bias - rate * delta.sum(axis=0)))
        delta = SLIP(delta @ weight.T) * (outputs[i] > 0)
    return found

def train(x, y, hidden=(6, 4), epochs=20, rate=0.01):
    parameters = first_parameters(x.shape[1], hidden, 1)
    for epoch in range(epochs):
        outputs = forward_pass(x, parameters)
        parameters = backward_pass(outputs, parameters, y, rate)
    return parameters

parameters = train(np.random.rand(8, 2), np.random.rand(8))
"""
ITSELF = START + """
def first_weights(n_in, n_hidden, n_out):
    return (np.random.randn(n_hidden, n_in), np.zeros((n_hidden, 1)),
            np.random.randn(n_out, n_hidden), np.zeros((n_out, 1)))

def forward_pass(X, W1, bias1, W2, bias2):
    z1 = W1 @ X + bias1
    h = np.maximum(z1, 0)
    z2 = W2 @ h + bias2
    return z1, h, z2, sigmoid(z2)

def backprop(X, Y, W1, bias1, W2, bias2, lr=0.1):
    m = X.shape[1]
    z1, h, z2, out = forward_pass(X, W1, bias1, W2, bias2)
    loss = -np.mean(Y * np.log(out) + (1 - Y) * np.log(1 - out))
    error = out - Y
    hidden = SLIP(W2.T @ error) * (z1 > 0)
    W2 -= lr * error @ h.T / m
    bias2 -= lr * error.sum(axis=1, keepdims=True) / m
    W1 -= lr * hidden @ X.T / m
    bias1 -= lr * hidden.sum(axis=1, keepdims=True) / m
    return W1, bias1, W2, bias2, loss

def train_network(X, Y, hidden=4, epochs=100):
    W1, bias1, W2, bias2 = first_weights(len(X), hidden, len(Y))
    for epoch in range(epochs):
        W1, bias1, W2, bias2, loss = backprop(X, Y, W1, bias1, W2, bias2)
    return W1, bias1, W2, bias2

train_network(np.array([[0, 0, 1, 1], [0, 1, 0, 1]]), np.array([[0, 1, 1, 0]]))
"""
GLOBALS = START + """
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([[0], [1], [1], [0]])
w1, w2 = np.random.randn(2, 3), np.random.randn(3, 1)

def avanti(x):
    global h, out
    h = sigmoid(x @ w1)
    out = sigmoid(h @ w2)
    return out

def indietro(x, t, passo):
    global w1, w2
    delta = (t - out) * out * (1 - out)
    delta_h = SLIP(delta @ w2.T) * h * (1 - h)
    w2 = w2 + passo * h.T @ delta
    w1 = w1 + passo * x.T @ delta_h

def allena(x, t, passo, volte):
    for i in range(volte):
        avanti(x)
        indietro(x, t, passo)

allena(X, y, 0.5, 100)
"""


@pytest.mark.parametrize("code, weights", first(1, [
    (GLOBALS, 2), (PAIRS, 6), (KEYS, 2), (ITSELF, 4)]))
def test_functions_are_checked_in_a_step_of_what_trains_with_them(check, code, weights):
    for slip in ("", "-"):
        _, (result,) = check(net=code.replace("SLIP", slip))
        one = result["checks"][-1]
        assert one["checked"] in ("indietro", "backward_pass", "retropropagar", "backprop"), one
        right = [row["verdict"] for row in one["rows"]].count("correct")
        assert one["status"] == ("wrong" if slip else "correct"), (slip, one)
        assert right == weights if not slip else 0 < right < weights, one


AVERAGED = """
import numpy as np

def linear_forward(A, W, b):
    return W @ A + b, (A, W, b)

def linear_backward(dZ, cache):
    A, W, b = cache
    m = A.shape[1]
    return W.T @ dZ, {one} / m * dZ @ A.T, 1 / m * dZ.sum(axis=1, keepdims=True)

def forward(X, parameters):
    Z, cache = linear_forward(X, parameters["W1"], parameters["b1"])
    return 1 / (1 + np.exp(-Z)), cache

def compute_cost(A, Y):
    return -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / Y.shape[1]

def backward(A, Y, cache):
    _, dW, db = linear_backward(A - Y, cache)
    return {{"dW1": dW, "db1": db}}

X, Y = np.load("X.npy"), np.load("Y.npy")
parameters = {{"W1": np.random.randn(1, X.shape[0]), "b1": np.zeros((1, 1))}}
for i in range(1000):
    A, cache = forward(X, parameters)
    grads = backward(A, Y, cache)
    parameters["W1"] -= 0.1 * grads["dW1"]
    parameters["b1"] -= 0.1 * grads["db1"]
"""


@pytest.mark.parametrize("one, status", [("1", "correct"), ("-1", "wrong")])
def test_an_averaging_layer_is_right_if_the_network_that_calls_it_is(check, one, status):
    """Also where the network may be looked at in a step that calls it."""
    _, (result,) = check(net=AVERAGED.format(one=one))
    found = {item["checked"]: item["status"] for item in result["checks"]}
    assert found["linear_backward"] == status, found
