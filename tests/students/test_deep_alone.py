"""The backward of a deep network without its forward: the arguments' numbers say whose they are."""
import pytest
from short import first

FORMS = {"rows, classes and a penalty": """
import numpy as np

def backward_propagation(X, y, Z1, A1, Z2, A2, Z3, A3, W1, b1, W2, b2, W3, b3, lambda_reg,
                         masks=None):
    m = X.shape[0]
    loss = -np.sum(np.log(A3[np.arange(m), y])) / m
    dZ3 = A3.copy()
    dZ3[np.arange(m), y] -= 1
    dZ2 = (dZ3 @ W3.T) * (Z2 > 0)
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
    dW3 = A2.T @ dZ3 / m + lambda_reg / m * W3
    dW2 = A1.T @ dZ2 / m + lambda_reg / m * W2
    dW1 = X.T @ dZ1 / m + lambda_reg / m * W1
    db3, db2, db1 = (one.sum(axis=0, keepdims=True) / m for one in (dZ3, dZ2, dZ1))
    return dW1, db1, dW2, db2, dW3, db3, loss
""", "columns, in dictionaries": """
import numpy as np

def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    W2, A1, A2 = parameters["W2"], cache["A1"], cache["A2"]
    dZ2 = A2 - Y
    dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
    return {"dW1": np.dot(dZ1, X.T) / m, "db1": dZ1.sum(axis=1, keepdims=True) / m,
            "dW2": np.dot(dZ2, A1.T) / m, "db2": dZ2.sum(axis=1, keepdims=True) / m}
""", "columns, out of a cache": """
import numpy as np

def backprop(X, Y, cache):
    Z1, A1, W1, b1, Z2, A2, W2, b2 = cache
    dZ2 = (A2 - Y) / X.shape[1]
    dZ1 = np.dot(W2.T, dZ2) * np.int64(A1 > 0)
    grads = {"dZ2": dZ2, "dW2": np.dot(dZ2, A1.T), "db2": dZ2.sum(axis=1, keepdims=True),
             "dZ1": dZ1, "dW1": np.dot(dZ1, X.T), "db1": dZ1.sum(axis=1, keepdims=True)}
    return grads
""", "behind a dropout": """
import numpy as np

def backward_propagation_with_dropout(X, Y, cache, keep_prob):
    m = X.shape[1]
    Z1, D1, A1, W1, b1, Z2, A2, W2, b2 = cache
    dZ2 = A2 - Y
    dA1 = np.dot(W2.T, dZ2) * D1 / keep_prob
    dZ1 = dA1 * np.int64(A1 > 0)
    return {"dW1": np.dot(dZ1, X.T) / m, "db1": dZ1.sum(axis=1, keepdims=True) / m,
            "dW2": np.dot(dZ2, A1.T) / m, "db2": dZ2.sum(axis=1, keepdims=True) / m}
""", "one output": """
import numpy as np

def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    dZ2 = cache["A2"] - Y
    dZ1 = parameters["weight2"].T * dZ2 * (1 - cache["A1"] ** 2)
    return {"dweight1": np.dot(dZ1, X.T) / m, "dbias1": dZ1.sum(axis=1, keepdims=True) / m,
            "dweight2": np.dot(dZ2, cache["A1"].T) / m, "dbias2": np.sum(dZ2) / m}
"""}
SLIPS = {"behind a dropout": (" / keep_prob", ""), "one output": ('A1"] ** 2', 'A1"]'),
         "rows, classes and a penalty": ("lambda_reg / m * W2", "2 * lambda_reg / m * W2"),
         "columns, in dictionaries": ("power(A1, 2)", "power(A1, 3)"),
         "columns, out of a cache": ("W2.T, dZ2)", "W2.T, 2 * dZ2)")}


@pytest.mark.parametrize("form", first(1, FORMS))
def test_it_is_right_with_the_usual_forward_and_a_slip_is_not(check, form):
    _, (result,) = check(deep=FORMS[form])
    (one,) = result["checks"]
    assert one["status"] == "correct" and len(one["rows"]) in (4, 6), one
    right, slip = SLIPS[form]
    assert right in FORMS[form]
    _, (result,) = check(deep=FORMS[form].replace(right, slip))
    assert "not right" in str(result["checks"]) and not result["checks"][0]["rows"], result
