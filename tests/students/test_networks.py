"""Networks in functions: first parameters, forward, cost, backward, with examples in columns or in
rows."""
import pytest
from short import first
from student_files import verdicts

COLUMNS = """
    import numpy as np

    def initialize_parameters(n_x, n_h, n_y):
        return {"W1": np.random.randn(n_h, n_x) * 0.01, "b1": np.zeros((n_h, 1)),
                "W2": np.random.randn(n_y, n_h) * 0.01, "b2": np.zeros((n_y, 1))}

    def forward_propagation(X, parameters):
        A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
        A2 = 1 / (1 + np.exp(-(parameters["W2"] @ A1 + parameters["b2"])))
        return A2, {"A1": A1, "A2": A2}

    def compute_cost(A2, Y):
        return float(-np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / Y.shape[1])

    def backward_propagation(parameters, cache, X, Y):
        m = X.shape[1]
        dZ2 = cache["A2"] - Y
        dZ1 = parameters["W2"].T @ dZ2 * (1 - cache["A1"] ** 2)
        return {"dW1": dZ1 @ X.T / m, "db1": dZ1.sum(axis=1, keepdims=True) / m,
                "dW2": dZ2 @ cache["A1"].T / m, "db2": dZ2.sum(axis=1, keepdims=True) / m}
"""
ROWS = """
    import numpy as np

    def init_params(layer_dims):
        params = {}
        for l in range(1, len(layer_dims)):
            params[f"W{l}"] = np.random.randn(layer_dims[l - 1], layer_dims[l]) * 0.1
            params[f"b{l}"] = np.zeros(layer_dims[l])
        return params

    def forward(params, X):
        A, caches, L = X, [], len(params) // 2
        for l in range(1, L + 1):
            Z = A @ params[f"W{l}"] + params[f"b{l}"]
            caches.append((A, Z))
            A = np.maximum(Z, 0)
        E = np.exp(Z - Z.max(axis=1, keepdims=True))
        return E / E.sum(axis=1, keepdims=True), caches

    def compute_loss(A, y):
        return -np.sum(y * np.log(A)) / len(y)

    def backward(A, Y, caches, params):
        grads, dZ = {}, (A - Y) / len(Y)
        for l in range(len(caches), 0, -1):
            grads[f"dW{l}"], grads[f"db{l}"] = caches[l - 1][0].T @ dZ, dZ.sum(axis=0)
            if l > 1:
                dZ = (dZ @ params[f"W{l}"].T) * (caches[l - 2][1] > 0)
        return grads
"""
THREE = """
    import numpy as np

    def init_parameters(dims):
        return {f"{name}{l}": np.random.randn(*shape) * 0.1 for l in range(1, len(dims))
                for name, shape in (("W", (dims[l], dims[l - 1])), ("b", (dims[l], 1)))}

    def forward_prop(X, parameters):
        W1, b1, W2, b2, W3, b3 = (parameters[key] for key in ("W1", "b1", "W2", "b2", "W3", "b3"))
        A1 = np.maximum(0, W1 @ X + b1)
        A2 = np.maximum(0, W2 @ A1 + b2)
        A3 = 1 / (1 + np.exp(-(W3 @ A2 + b3)))
        return A3, (A1, A2, A3, W2, W3)

    def compute_cost(AL, Y):
        m = Y.shape[1]
        return np.squeeze((-Y @ np.log(AL).T - (1 - Y) @ np.log(1 - AL).T) / m)

    def backward_prop(X, Y, caches):
        A1, A2, A3, W2, W3 = caches
        grads, d, m = {}, A3 - Y, X.shape[1]
        for layer, A, W in ((3, A2, W3), (2, A1, W2), (1, X, None)):
            grads[f"dW{layer}"] = d @ A.T / m
            grads[f"db{layer}"] = d.sum(axis=1, keepdims=True) / m
            d = None if W is None else W.T @ d * (A > 0)
        return grads
"""
OPEN = {"X": "not compared"}


@pytest.mark.parametrize("slip, found", [("", "correct"), ("-", "sign flipped")])
def test_a_cost_may_be_meant_for_one_output_and_a_network_of_three_layers(check, slip, found):
    _, (result,) = check(net=THREE.replace("= d @ A.T", f"= {slip}d @ A.T"))
    rows = verdicts(result)
    assert {rows[f"W{layer}"] for layer in (1, 2, 3)} == {found}, result
    assert {rows[f"b{layer}"] for layer in (1, 2, 3)} == {"correct"}


@pytest.mark.parametrize("code", [COLUMNS, ROWS])
def test_a_right_network_in_functions_is_not_blamed(check, code):
    """Of one output or of several: a softmax of one number would be 1 whatever the weights are."""
    status, (result,) = check(net=code)
    assert status == 0, result
    assert verdicts(result) == {**dict.fromkeys(("W1", "b1", "W2", "b2"), "correct"), **OPEN}


@pytest.mark.parametrize("code, right, wrong, expected",
                         [(COLUMNS, "dZ2.sum(axis=1, keepdims=True) / m",
                           "dZ2.sum(axis=1, keepdims=True)", {"b2": "off by a constant factor"}),
                          (COLUMNS, '"dW2": dZ2', '"dW2": -dZ2', {"W2": "sign flipped"}),
                          (ROWS, "dZ.sum(axis=0)", "dZ.mean(axis=0)",
                           {"b1": "mean where a sum is due", "b2": "mean where a sum is due"})])
def test_a_wrong_gradient_of_a_network_is_named(check, code, right, wrong, expected):
    assert code.count(right) == 1
    status, (result,) = check(net=code.replace(right, wrong))
    assert status == 1
    assert verdicts(result) == {**dict.fromkeys(("W1", "b1", "W2", "b2"), "correct"), **OPEN,
                                **expected}


def test_a_network_without_a_cost_is_read_with_a_usual_one(check):
    code = COLUMNS.replace("compute_cost", "performance")
    status, (result,) = check(net=code)
    assert status == 0 and result["status"] == "correct", result
    status, (result,) = check(net=code.replace('"dW2": dZ2', '"dW2": -dZ2'))
    assert status == 1 and verdicts(result)["W2"] == "sign flipped", result


ITS_COST = """
    import numpy as np

    def initialiseParams(inputFeatures, hiddenUnits, outputFeatures):
        W1, W2 = np.random.randn(hiddenUnits, inputFeatures), np.random.randn(
            outputFeatures, hiddenUnits)
        return {"W1": W1, "b1": np.zeros((hiddenUnits, 1)),
                "W2": W2, "b2": np.zeros((outputFeatures, 1))}

    def forwardPropagation(X, Y, parameters):
        W1, b1, W2, b2 = [parameters[key] for key in ("W1", "b1", "W2", "b2")]
        A1 = 1 / (1 + np.exp(-(np.dot(W1, X) + b1)))
        A2 = 1 / (1 + np.exp(-(np.dot(W2, A1) + b2)))
        cache = A1, W2, A2
        cost = -np.sum(np.log(A2) * Y + np.log(1 - A2) * (1 - Y)) / X.shape[1]
        return ORDER

    def backwardPropagation(X, Y, cache):
        A1, W2, A2 = cache
        m = X.shape[1]
        dZ2 = A2 - Y
        dZ1 = np.dot(W2.T, dZ2) * A1 * (1 - A1)
        return {"dZ2": dZ2, "dW2": dZ2 @ A1.T / m, "db2": dZ2.sum(axis=1, keepdims=True)SLIP,
                "dZ1": dZ1, "dW1": dZ1 @ X.T / m, "db1": dZ1.sum(axis=1, keepdims=True) / m}
"""


@pytest.mark.parametrize("order", ["cost, cache", "cost, cache, A2", "A2, cache, cost"])
@pytest.mark.parametrize("slip", [" / m", ""])
def test_a_forward_may_return_the_cost_itself(check, order, slip):
    """As it gets the targets, too."""
    _, (result,) = check(net=ITS_COST.replace("ORDER", order).replace("SLIP", slip))
    (one,) = result["checks"]
    found = verdicts(result)
    wrong = {name for name, verdict in found.items() if verdict not in ("correct", "not compared")}
    assert wrong == (set() if slip else {"b2"}) and {"W1", "b1", "W2"} <= found.keys(), result
    assert one["status"] == ("correct" if slip else "wrong")


CACHE = """
import numpy as np

def softmax(z):
    return np.exp(z - z.max(axis=0)) / np.exp(z - z.max(axis=0)).sum(axis=0)

def initialize(n_x, n_h, n_y):
    return {"W1": np.random.randn(n_h, n_x), "b1": np.zeros((n_h, 1)),
            "W2": np.random.randn(n_y, n_h), "b2": np.zeros((n_y, 1))}

def forward(X, params):
    FORWARD

def backward(cache, Y, params):
    BACKWARD

class Net:
    def __init__(self, n_x, n_h, n_y):
        self.params = initialize(n_x, n_h, n_y)

    def forward(self, X):
        return forward(X, self.params)

    def backward(self, cache, Y):
        return backward(cache, Y, self.params)
"""
BY_NAME = '''h1 = params["W1"] @ X + params["b1"]
    a1 = np.maximum(0, h1)
    a2 = softmax(params["W2"] @ a1 + params["b2"])
    return {"X": X, "h1": h1, "a1": a1, "h2": params["W2"] @ a1, "KEY": a2, "W2": params["W2"]}'''
BY_NUMBER = '''A = {0: X}
    A[1] = np.maximum(0, params["W1"] @ A[0] + params["b1"])
    A[2] = softmax(params["W2"] @ A[1] + params["b2"])
    return A'''
GRADIENTS = '''d2 = (cache[LAST] - Y) / Y.shape[1] FACTOR
    d1 = params["W2"].T @ d2 * (cache[FIRST] > 0)
    return {"dW1": d1 @ cache[ZERO].T, "db1": d1.sum(axis=1, keepdims=True),
            "dW2": d2 @ cache[FIRST].T, "db2": d2.sum(axis=1, keepdims=True)}'''
CACHES = [(BY_NAME.replace("KEY", "a2"), '"a2"', '"a1"', '"X"'), (BY_NUMBER, "2", "1", "0"),
          (BY_NAME.replace("KEY", "y_hat"), '"y_hat"', '"a1"', '"X"')]


@pytest.mark.parametrize("forward, last, one, zero", first(2, CACHES))
def test_a_forward_may_return_its_cache_alone(check, forward, last, one, zero):
    """The output is what is called so there, or stands for the last layer."""
    code = CACHE.replace("FORWARD", forward).replace("BACKWARD", GRADIENTS).replace(
        "LAST", last).replace("FIRST", one).replace("ZERO", zero)
    for factor, found in (("", "correct"), ("* 1.5", "wrong")):
        _, (result,) = check(net=code.replace("FACTOR", factor))
        assert [one["status"] for one in result["checks"]] == [found] * 2, result
