"""W1, b1, W2, b2: each layer takes what the one before gives, in arguments and in dictionaries."""
import pytest
from student_files import verdicts

ARGUMENTS = """
    import numpy as np

    def two_layer_forward(X, W1, b1, W2, b2):
        h = np.tanh(X @ W1 + b1)
        return h @ W2 + b2, (X, W1, W2, h)

    def two_layer_backward(dout, cache):
        X, W1, W2, h = cache
        d = dout @ W2.T * (1 - h ** 2)
        return d @ W1.T, X.T @ d, {slip}d.sum(0), h.T @ dout, dout.sum(0)
    """
COLUMNS = """
    import numpy as np

    def forward_pass(X, parameters):
        W1, b1 = parameters["W1"], parameters["b1"]
        W2, b2 = parameters["W2"], parameters["b2"]
        A1 = np.tanh(np.dot(W1, X) + b1)
        A2 = np.tanh(np.dot(W2, A1) + b2)
        return np.dot(parameters["W3"], A2), {{"A1": A1, "A2": A2, "X": X}}

    def backward_pass(dZ3, cache, parameters):
        dZ2 = np.dot(parameters["W3"].T, dZ3) * (1 - cache["A2"] ** 2)
        dZ1 = np.dot(parameters["W2"].T, dZ2) * (1 - cache["A1"] ** 2)
        return {{"dW3": np.dot(dZ3, cache["A2"].T), "dW2": np.dot(dZ2, cache["A1"].T),
                 "db2": dZ2.sum(axis=1, keepdims=True), "dW1": np.dot(dZ1, cache["X"].T),
                 "db1": {slip}dZ1.sum(axis=1, keepdims=True)}}
    """
LOSS = """
    import numpy as np

    def loss_and_grads(params, X, y):
        h = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
        e = h @ params["W2"] + params["b2"] - y
        d = e / len(X)
        grads = {{"W2": {inside}.T @ d, "b2": d.sum(0)}}
        dz = d @ params["W2"].T * h * (1 - h)
        grads["W1"], grads["b1"] = X.T @ dz, {slip}dz.sum(0)
        return 0.5 * np.sum(e ** 2) / len(X), grads
    """


@pytest.mark.parametrize("code, count", [(ARGUMENTS, 5), (COLUMNS, 5), (LOSS, 4)])
def test_each_layer_takes_what_the_one_before_gives(check, code, count):
    status, (result,) = check(row=code.format(slip="", inside="h"))
    found = list(verdicts(result).values())
    assert status == 0 and found.count("correct") == count, result
    _, (result,) = check(row=code.format(slip="-", inside="h"))
    assert verdicts(result)["b1"] == "sign flipped", result


def test_inputs_of_which_no_gradient_has_the_shape_are_not_meant(check):
    _, (result,) = check(row=LOSS.format(slip="", inside='(X @ params["W1"] + params["b1"])'))
    found = verdicts(result)
    assert found.pop("W2") != "shape differs" and result["status"] == "wrong", result
    assert [found[name] for name in ("W1", "b1", "b2")] == ["correct"] * 3, result


INSIDE = """
    import numpy as np

    def forward(x, W1, b1, W2, b2):
        h = np.maximum(x @ W1 + b1, 0)
        return h @ W2 + b2, (x, h, W2)

    def backward(dout, cache):
        x, h, W2 = cache
        dz = (dout @ W2.T) * (h > 0)
        dW1, db1, dW2, db2 = x.T @ dz, dz.sum(axis=0), {slip}h.T @ dout, dout.sum(axis=0)
        return {returned}
    """


@pytest.mark.parametrize("returned", ["[dW1, db1, dW2, db2]", "dW2, db2, dW1, db1",
                                      "(1 * dW1, 1 * db1, 1 * dW2, 1 * db2)"])
def test_a_networks_own_input_needs_no_gradient(check, returned):
    for slip, found in (("", "correct"), ("-", "sign flipped")):
        _, (result,) = check(inside=INSIDE.format(returned=returned, slip=slip))
        said = verdicts(result)
        assert said.pop("W2") == found and said.pop("x") == "not compared", result
        assert set(said.values()) == {"correct"}
