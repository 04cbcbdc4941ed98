"""A network's backward that takes the gradients off the weights itself and gives those back: what
it took off them is the gradient, whatever its rate is called, or where it is a number."""
import pytest
from short import first
from student_files import verdicts

NET = """
import numpy as np

def init_params(n_x, n_h, n_y):
    return {"W1": np.random.randn(n_h, n_x), "b1": np.zeros((n_h, 1)),
            "W2": np.random.randn(n_y, n_h), "b2": np.zeros((n_y, 1))}

def forward_propagation(X, params):
    A1 = np.tanh(params["W1"] @ X + params["b1"])
    A2 = 1 / (1 + np.exp(-(params["W2"] @ A1 + params["b2"])))
    return A2, {"A1": A1, "A2": A2}

def compute_cost(A2, Y):
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / Y.shape[1]

def backward_propagation(X, Y, params, cache, RATE):
    m = X.shape[1]
    dZ2 = cache["A2"] - Y
    dZ1 = SLIP(params["W2"].T @ dZ2) * (1 - cache["A1"] ** 2)
    grads = {"W2": dZ2 @ cache["A1"].T / m, "b2": dZ2.sum(axis=1, keepdims=True) / m,
             "W1": dZ1 @ X.T / m, "b1": dZ1.sum(axis=1, keepdims=True) / m}
"""
IN_PLACE = "    for k in params:\n        params[k] -= {} * grads[k]\n    return params{}\n"
ANEW = "    params = {k: params[k] - RATE * grads[k] for k in params}\n    return params\n"
ENDS = [("learning_rate=0.5", IN_PLACE.format("learning_rate", "")),
        ("alpha", IN_PLACE.format("alpha", ", grads")), ("lr", ANEW.replace("RATE", "lr")),
        ("verbose=False", IN_PLACE.format("0.3", "")),
        ("l_rate=0.1", IN_PLACE.format("l_rate", ", compute_cost(cache['A2'], Y)"))]


@pytest.mark.parametrize("rate, end", first(1, ENDS))
def test_what_a_step_takes_off_the_weights_is_their_gradient(check, rate, end):
    for slip, status in (("", "correct"), ("-", "wrong")):
        _, (result,) = check(net=NET.replace("SLIP", slip).replace("RATE", rate) + end)
        assert result["status"] == status and len(verdicts(result)) >= 4, result
