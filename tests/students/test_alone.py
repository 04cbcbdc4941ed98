"""A backward alone in its file: compared with the usual forward of its name, in any convention, and
never blamed where none fits."""
import textwrap

import pytest
from short import first
from student_files import verdicts

ALONE = {
    "relu_backward": ["(dA, cache):\n Z = cache\n return {s}dA * (Z > 0)",
                      "(dout, cache):\n return {s}dout * (cache > 0)",
                      "(dy, x):\n dx = dy.copy()\n dx[x <= 0] = 0\n return {s}dx",
                      "(dout, cache):\n x = cache['x']\n return {s}dout * (x > 0)"],
    "sigmoid_backward": ["(dout, y):\n return {s}dout * y * (1 - y)",
                         "(y):\n return {s}y * (1 - y)",
                         "(dA, Z):\n s = 1 / (1 + np.exp(-Z))\n return {s}dA * s * (1 - s)"],
    "tanh_prime": ["(x):\n return {s}(1 - np.tanh(x) ** 2)", "(a):\n return {s}(1 - a ** 2)"],
    "dsigmoid": ["(y):\n return {s}y * (1 - y)"],
    "backward_softmax": ["(dout, p):\n d = dout * p\n"
                         " return {s}(d - p * d.sum(axis=1, keepdims=True))",
                         "(dA, cache):\n A = cache\n return {s}A * (dA - (dA * A).sum(axis=0))"],
    "linear_backward": [
        "(dZ, cache):\n A_prev, W, b = cache\n return W.T @ dZ, {s}dZ @ A_prev.T, "
        "dZ.sum(axis=1, keepdims=True)",
        "(dout, x, w):\n return dout @ w.T, {s}x.T @ dout, dout.sum(axis=0)",
        "(dout, cache):\n x, w = cache\n return {s}dout @ w.T"],
    "dense_backward": ["(dout, x, W, b):\n return {{'dW': {s}dout.T @ x, 'db': dout.sum(axis=0), "
                       "'dx': dout @ W}}",
                       "(dout, inputs, weights):\n dW = {s}inputs.T @ dout\n"
                       " db = dout.sum(axis=0)\n"
                       " dx = dout @ weights.T\n return dW, db, dx"],
    "compute_gradient": ["(x, y, w, b):\n d = x * w + b - y\n return {s}(d * x).mean(), d.mean()",
                         "(current_w, current_b, train_x, train_y):\n d = current_w * train_x + "
                         "current_b - train_y\n return {s}2 * (d * train_x).mean(), 2 * d.mean()",
                         "(X, y, w, b):\n d = 1 / (1 + np.exp(-(X @ w + b))) - y\n"
                         " dj_db = d.mean()\n"
                         " dj_dw = {s}X.T @ d / len(y)\n return dj_db, dj_dw",
                         "(theta, X, y):\n return {s}X.T @ (X @ theta - y) / len(y)",
                         "(X, y, weights):\n e = np.exp(X @ weights.T)\n return {s}(e / e.sum("
                         "axis=1, keepdims=True) - y).T @ X / len(X)"],
    "mse_prime": ["(y_true, y_pred):\n return {s}2 * (y_pred - y_true) / y_true.size"],
    "binary_cross_entropy_prime": ["(y_true, y_pred):\n return {s}((1 - y_true) / (1 - y_pred) "
                                   "- y_true / y_pred) / np.size(y_true)"],
}
CASES = [(name, code) for name, codes in ALONE.items() for code in codes]


@pytest.mark.parametrize("name, code, sign", [
    *first(5, [(*each, "") for each in (*CASES[::2], *CASES[1::2])]),
    *first(1, [(*each, "-") for each in (*CASES[8::3], *CASES[:8], *CASES[9::3], *CASES[10::3])])])
def test_a_backward_alone_is_right_with_a_usual_forward_or_open(check, name, code, sign):
    _, (result,) = check(alone=f"import numpy as np\n\ndef {name}{code.format(s=sign)}\n")
    (one,) = result["checks"]
    if sign:
        assert one["status"] == "error" and "hand in both" in one["error"]["message"], one
    else:
        assert one["status"] == "correct" and "correct" in verdicts(result).values(), one


LESS = {  # a slip that a single example, one number, positive numbers or an output do not show
    "linear_backward(dZ, cache)": "A_prev, W, b = cache\n m = A_prev.shape[1]\n "
    "return W.T @ dZ, dZ @ A_prev.T / m, dZ.sum(axis=1, keepdims=True)",
    "softmax_backward(dout, probs)": "return probs * (dout - (dout * probs).sum())",
    "relu_backward(dA, cache)": "return (cache > 0) * 1.0",
    "relu_backward(dA, Z)": "dZ = dA.copy()\n dZ[Z < 0] = -1\n return dZ",
    "sigmoid_backward(dA, cache)": "Z = cache\n return dA * Z * (1 - Z)",
    "leaky_relu_backward(dA, Z, alpha=0.1)": "dZ = dA.copy()\n dZ[Z < 0] = alpha\n return dZ",
}


@pytest.mark.parametrize("name", first(2, LESS))
def test_inputs_that_hide_the_slip_are_no_proof(check, name):
    _, (result,) = check(alone=f"import numpy as np\n\ndef {name}:\n {LESS[name]}\n")
    assert [one["status"] for one in result["checks"]] == ["error"], result


@pytest.mark.parametrize("forward", [
    "", "def leaky_relu(x):\n return np.where(x > 0, x, 0.1 * x)",
    "def leaky_relu(x, alpha=0.1):\n return np.where(x > 0, x, alpha * x)"])
def test_the_alpha_of_a_leaky_relu_is_no_step(check, forward):
    _, (result,) = check(slope=f"import numpy as np\n\n{forward}\n\n"
                         "def leaky_relu_backward(dout, x, alpha=0.1):\n"
                         " return dout * np.where(x > 0, 1, alpha)\n")
    assert list(verdicts(result).values()) == ["correct"], result


BOTH = """
import numpy as np

def relu_backward(dA, cache):
    return dA * (cache > 0)

def sigmoid_backward(dA, cache):
    s = 1 / (1 + np.exp(-cache))
    return dA * s * (1 - s)

def linear_backward(dZ, cache):
    A_prev, W, b = cache
    return W.T @ dZ, {slip}dZ @ A_prev.T{m}, dZ.sum(axis=1, keepdims=True){m}

def linear_activation_backward(dA, cache, activation):
    linear_cache, activation_cache = cache
    if activation == "relu":
        dZ = relu_backward(dA, activation_cache)
    elif activation == "sigmoid":
        dZ = sigmoid_backward(dA, activation_cache)
    return linear_backward(dZ, linear_cache)
"""


@pytest.mark.parametrize("m, found", [("", "correct"), (" / A_prev.shape[1]", "undecided")])
@pytest.mark.parametrize("slip", ["", "-"])
def test_a_layer_with_its_activation_has_both_caches(check, m, found, slip):
    _, (result,) = check(alone=BOTH.format(m=m, slip=slip))
    statuses = [one["status"] for one in result["checks"]]
    assert statuses == ["correct", "correct", *[found if not slip else "error"] * 2], result


PICTURES = """
    import numpy as np

    def conv_backward(dZ, {given}):
        {opened}
        x = np.transpose(x, {to})
        pad = {pad}
        wide = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
        dx, dw = np.zeros(wide.shape), np.zeros(w.shape)
        for i in range(dZ.shape[1]):
            for j in range(dZ.shape[2]):
                place = np.s_[:, i * {s}:i * {s} + w.shape[0], j * {s}:j * {s} + w.shape[1]]
                dw += np.tensordot(wide[place], dZ[:, i, j], (0, 0))
                dx[place] {equals} np.tensordot(dZ[:, i, j], w, (1, 3))
        dx = dx[:, pad:dx.shape[1] - pad, pad:dx.shape[2] - pad]
        return dx, dw, dZ.sum(axis=(0, 1, 2), keepdims=True)
"""
PLAIN = {"given": "x, w, b, padding='same', stride=(1, 1)", "opened": "pass", "to": "(0, 1, 2, 3)",
         "pad": "{'same': (w.shape[0] - 1) // 2, 'valid': 0}[padding]", "s": "stride[0]"}
CACHE = {**PLAIN, "given": "cache", "opened": "x, w, b, hparameters = cache",
         "pad": "hparameters['pad']", "s": "hparameters['stride']"}


@pytest.mark.parametrize("form", first(1, [PLAIN, CACHE]))
@pytest.mark.parametrize("equals", ["+=", "="])
def test_a_convolution_s_backward_alone(check, form, equals):
    _, (result,) = check(alone=textwrap.dedent(PICTURES).format(**form, equals=equals))
    (one,) = result["checks"]
    assert one["status"] == ("correct" if equals == "+=" else "error"), one


POOL = """
import numpy as np

def pool_backward(dA, {given}):
    {opened}
    dx = np.zeros_like(x)
    for i in range(dA.shape[1]):
        for j in range(dA.shape[2]):
            place = np.s_[:, i * stride:i * stride + f, j * stride:j * stride + f]
            window = x[place]
            if mode == "max":
                dx[place] {equals} (window == window.max(axis=(1, 2), keepdims=True)) * \
                    dA[:, i:i + 1, j:j + 1]
            elif mode == "average":
                dx[place] {equals} dA[:, i:i + 1, j:j + 1] / f ** 2
    return dx
"""

OPENED = "x, options = cache\n    f, stride = options['f'], options['stride']"


@pytest.mark.parametrize("given, opened", first(1, [
    ("x, f, stride, mode='max'", "pass"),
    ("cache, mode='max'", OPENED), ("cache, mode='average'", OPENED)]))
@pytest.mark.parametrize("equals", ["+=", "="])
def test_a_pooling_s_backward_alone_is_looked_at_with_overlapping_windows(check, given, opened,
                                                                         equals):
    _, (result,) = check(alone=POOL.format(given=given, opened=opened, equals=equals))
    (one,) = result["checks"]
    assert (one["status"] in ("correct", "remarks")) == (equals == "+="), one


@pytest.mark.parametrize("code", ["def mae_prime(y_true, y_pred):\n return y_pred - y_true",
                                  "def batchnorm_backward(dout, cache):\n a, b = cache\n"
                                  " return dout",
                                  "def lstm_backward(dh, dc, cache):\n return dh, dc"])
def test_what_has_no_usual_forward_is_told(check, code):
    _, (result,) = check(alone=code + "\n")
    assert result["status"] == "error" and result["error"]["kind"] == "nothing to check"


@pytest.mark.parametrize("name, code, said", [
    ("dense_backward", "(dout, x, w, b):\n return dout @ w.T, x.T @ dout, dout.mean(axis=0)",
     "(b: mean where a sum is due)"),
    ("compute_gradient", "(X, y, w, b):\n d = X @ w + b - y\n"
     " return -X.T @ d / len(y), d.sum() / len(y)", "(w: sign flipped)")])
def test_what_is_not_right_with_the_nearest_usual_forward_is_named(check, name, code, said):
    _, (result,) = check(alone=f"def {name}{code}\n")
    assert said in result["checks"][0]["error"]["message"], result


LOSSES = """
class Softmax_Loss_{name}:
    def backward(self, dvalues, y_true):
        n = len(dvalues)
        if len(y_true.shape) == 2:
            y_true = np.argmax(y_true, axis=1)
        self.dinputs = dvalues.copy()
        self.dinputs[range(n), y_true] -= {one}
        self.dinputs = self.dinputs / n


class Sigmoid_BCE_Loss:
    def gradient(self, y_true, y_pred):
        return {sign}(y_pred - y_true)


class Leaky:
    def backward(self, dout):
        return dout
"""


@pytest.mark.parametrize("one, sign, found", [
    ("1", "", ["correct", "correct"]), ("2", "-", ["error", "error"])])
def test_a_class_that_has_nothing_but_a_backward_is_compared_with_the_usual_loss(check, one, sign,
                                                                                 found):
    """It blames nobody: the forward that goes with it may be another."""
    code = LOSSES.format(name="CategoricalCrossentropy", one=one, sign=sign)
    _, (result,) = check(losses="import numpy as np\n" + code)
    *losses, other = result["checks"]
    assert [item["status"] for item in losses] == found, result
    assert "no forward" in other["error"]["message"]
