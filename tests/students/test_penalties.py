"""A penalty that a layer's backward adds to its weights' gradients, which the loss has, not its
forward; and which of what a forward returns is its output."""
import pytest
from student_files import verdicts

LAYER = """
import numpy as np

DECAY = 0.01

class Dense:
    def __init__(self, n_in, n_out, reg=0.05):
        self.W = np.random.randn(n_in, n_out)
        self.b = np.zeros(n_out)
        self.reg = reg
        self.weight_decay = 0.1

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        m = len(self.x)
        self.dW = {W}
        self.db = {b}
        return dout @ self.W.T
"""
PLAIN = "self.x.T @ dout"
SUM = "dout.sum(axis=0)"


@pytest.mark.parametrize("W, b, found", [
    (f"{PLAIN} + self.reg * self.W", SUM, "correct"),
    (f"{PLAIN} + self.weight_decay * self.W", SUM, "correct"),
    (f"{PLAIN} + 2 * DECAY * self.W", SUM, "correct"),
    (f"({PLAIN} + self.reg * self.W) / m", f"{SUM} / m", "mean where a sum is due"),
    (f"{PLAIN} + self.reg * np.sign(self.W)", SUM, "correct"),
    (f"{PLAIN} + self.reg * self.W + 2 * self.reg * np.where(self.W < 0, -1, 1)", SUM, "correct"),
    (f"{PLAIN} + 0.1 * self.W", SUM, "undecided"),
    # these make the weights grow, or are no penalty of the usual kind
    (f"{PLAIN} - self.reg * self.W", SUM, "one term too many"),
    (f"{PLAIN} - self.reg * np.sign(self.W)", SUM, "unknown"),
    (f"{PLAIN} + self.reg * self.W ** 2", SUM, "unknown"),
    (f"-{PLAIN} + self.reg * self.W", SUM, "sign flipped"),
    (f"2 * {PLAIN} + self.reg * self.W", SUM, "off by a constant factor"),
])
def test_a_layers_penalty_is_told_and_hides_no_mistake(check, W, b, found):
    status, (result,) = check(dense=LAYER.format(W=W, b=b))
    (layer,) = result["checks"]
    assert verdicts(result)["W"] == found
    assert layer["status"] == {"correct": "correct", "undecided": "undecided",
                               "mean where a sum is due": "undecided"}.get(found, "wrong")
    assert ("without the penalty" in str(layer)) == (found not in (
        "one term too many", "unknown"))


def test_a_penalty_of_the_bias_or_of_the_input_is_none(check):
    code = LAYER.format(W=PLAIN, b=f"{SUM} + self.reg * self.b")
    assert check(dense=code)[1][0]["status"] == "wrong"
    code = LAYER.format(W=PLAIN, b=SUM).replace("dout @ self.W.T", "dout @ self.W.T + self.reg *"
                                                " self.x")
    assert check(dense=code)[1][0]["status"] == "wrong"


AVERAGED = """
import numpy as np

def {name}_layer({first}):
    Z = X @ W + b
    A = np.maximum(0, Z)
    return Z, A

def {name}_layer_backward(dA, W, Z, A_prev):
    m = len(A_prev)
    dZ = dA * (Z > 0)
    return {dX}, A_prev.T @ dZ / m, np.sum(dZ, axis=0, keepdims=True) / m
"""


def test_an_averaged_bias_may_keep_its_axis(check):
    code = AVERAGED.format(name="dense", first="X, W, b", dX="dZ @ W.T")
    status, (result,) = check(dense=code)
    assert result["status"] == "undecided"
    status, (result,) = check("--mean-over-examples", dense=code)
    assert result["status"] == "remarks" and verdicts(result)["b"] == "shape differs"


OUTPUTS = """
import numpy as np

def forward_layer(X, W, b):
    Z = X @ W + b
    A = np.tanh(Z)
    return {returned}

def backward_layer({dout}, {asked}):
    dZ = {dout} * {slope}
    return dZ @ W.T, A_prev.T @ dZ, dZ.sum(axis=0)
"""


@pytest.mark.parametrize("dout, returned, asked, slope", [
    ("dA", "Z, A", "W, Z, A_prev", "(1 - np.tanh(Z) ** 2)"),
    ("dA", "Z, A", "Z, A, W, A_prev", "(1 - A ** 2)"),
    ("grad_a", "Z, A", "A_prev, W, Z", "(1 - np.tanh(Z) ** 2)"),
    ("dA", "A, Z", "W, Z, A_prev", "(1 - np.tanh(Z) ** 2)"),
    ("grad", "Z, A", "W, Z, A_prev", "(1 - np.tanh(Z) ** 2)"),
])
@pytest.mark.parametrize("sign, status", [("", "correct"), ("-", "wrong")])
def test_the_output_is_what_dout_is_called_after(check, dout, returned, asked, slope, sign, status):
    code = OUTPUTS.format(dout=dout, returned=returned, asked=asked, slope=sign + slope)
    _, (result,) = check(layer=code)
    assert result["status"] == status


@pytest.mark.parametrize("sign, status", [("", "correct"), ("-", "wrong")])
def test_so_it_is_of_a_class(check, sign, status):
    _, (result,) = check(layer=f"""
    import numpy as np

    class Layer:
        def __init__(self, n_in, n_out):
            self.W = np.random.randn(n_in, n_out)
            self.b = np.zeros(n_out)

        def forward(self, X):
            Z = X @ self.W + self.b
            A = np.tanh(Z)
            return Z, A

        def backward(self, dA, Z, A_prev):
            dZ = {sign}dA * (1 - np.tanh(Z) ** 2)
            return dZ @ self.W.T, A_prev.T @ dZ, dZ.sum(axis=0)
    """)
    assert result["status"] == status


@pytest.mark.parametrize("error, status", [("ValueError", "wrong"), ("MemoryError", "error")])
def test_a_backward_that_fails_for_a_dout_of_zeros_has_no_penalty(check, error, status):
    """That there is too little memory is another thing, and told."""
    code = LAYER.format(W=f"2 * {PLAIN}", b=SUM).replace(
        "m = len(self.x)", f"if not dout.any(): raise {error}")
    _, (result,) = check(net=code)
    assert result["checks"][0]["status"] == status, result
