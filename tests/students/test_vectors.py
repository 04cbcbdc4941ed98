"""A product of two vectors that a method or function is given: right for them, it is not called
wrong; what is right for nothing but them says so where a capital letter means a matrix."""
import pytest

NEURON = """
import numpy as np

class Neuron:
    def forward(self, w, x):
        self.w, self.x = w, x
        return np.dot(x, w)

    def backward(self, dz):
        return dz * self.x, {slope} * self.w
"""
WITH_B = """
import numpy as np

class Neuron:
    def forward(self, x, w, b):
        self.w, self.x = w, x
        return np.dot(x, w) + b

    def backward(self, dz):
        return {slope} * self.w, dz * self.x, dz
"""
PAIR = """
import numpy as np

def dot_forward(w, x):
    return np.dot(w, x), (w, x)

def dot_backward(dout, cache):
    w, x = cache
    dz = dout
    return dz * x, {slope} * w
"""
GATE = """
import numpy as np

class Gate:
    def forward(self, W, X):
        return np.dot(X, W)

    def backward(self, W, X, dZ):
        return np.dot(X.T, dZ), np.dot(dZ, {weights})
"""


@pytest.mark.parametrize("code, right", [(NEURON, "correct"), (WITH_B, "undecided"),
                                         (PAIR, "undecided")])
def test_products_of_vectors_are_not_called_wrong(check, code, right):
    _, (result,) = check(neuron=code.format(slope="dz"))
    assert result["status"] in (right, "correct"), result
    _, (result,) = check(neuron=code.format(slope="2 * dz"))
    assert result["status"] == "wrong", result


@pytest.mark.parametrize("weights, status", [("W.T", "correct"), ("W", "undecided")])
def test_what_is_right_for_vectors_alone_says_so(check, weights, status):
    _, (result,) = check(gate=GATE.format(weights=weights))
    assert result["status"] == status, result


SOFTMAX = """
import numpy as np

class Softmax:
    def forward(self, inputs):
        e = np.exp(inputs - inputs.max(axis=1, keepdims=True))
        self.output = e / e.sum(axis=1, keepdims=True)
        {kept}

    def backward(self, dvalues):
        self.dinputs = np.empty_like(dvalues)
        for n, (out, dv) in enumerate(zip(self.output, dvalues)):
            out = out.reshape(-1, 1)
            self.dinputs[n] = {jacobian} @ dv
        {returned}
"""
RIGHT = "(np.diagflat(out) - out @ out.T)"


@pytest.mark.parametrize("kept, returned", [("", ""),
                                            ("return self.output", "return self.dinputs")])
@pytest.mark.parametrize("jacobian, status", [
    (RIGHT, "correct"), ("-" + RIGHT, "wrong"), ("2 * " + RIGHT, "wrong"),
    ("(np.diagflat(out) + out @ out.T)", "wrong")])
def test_a_softmax_of_one_column_proves_nothing(check, kept, returned, jacobian, status):
    """It is 1, and its gradient 0, whatever a factor is."""
    _, (result,) = check(softmax=SOFTMAX.format(kept=kept, returned=returned, jacobian=jacobian))
    assert result["status"] == status, result
