"""Small hand-ins in further dialects: each is right as it stands, and wrong with one slip."""
import pytest
from short import first
from student_files import verdicts

GERMAN = """
import numpy as np
class Schicht:
    def __init__(self, anzahl_eingaben, anzahl_neuronen):
        self.gewichte = np.zeros((anzahl_eingaben, anzahl_neuronen))
        self.schwellen = np.zeros(anzahl_neuronen)
    def vorwaerts(self, eingabe):
        self.eingabe = eingabe
        return eingabe @ self.gewichte + self.schwellen
    def rueckwaerts(self, d_ausgabe):
        self.d_gewichte = self.eingabe.T @ d_ausgabe
        self.d_schwellen = d_ausgabe.sum(axis=0)
        return d_ausgabe @ self.gewichte.T
"""
FRENCH = """
import numpy as np
class CoucheDense:
    def __init__(self, n_entrees, n_sorties):
        self.poids, self.biais = np.zeros((n_entrees, n_sorties)), np.zeros((1, n_sorties))
    def propagation_avant(self, entree):
        self.entree = entree
        return entree @ self.poids + self.biais
    def retropropagation(self, gradient_sortie, taux_apprentissage):
        gradient_entree = gradient_sortie @ self.poids.T
        self.poids -= taux_apprentissage * self.entree.T @ gradient_sortie
        self.biais -= taux_apprentissage * gradient_sortie.sum(axis=0, keepdims=True)
        return gradient_entree
"""
CURRENT = """
import numpy as np
class LinearLayer:
    def __init__(self, n_in, n_out):
        self._W, self._b = np.zeros((n_in, n_out)), np.zeros((1, n_out))
    def forward(self, x):
        self._cache_current = x
        return x @ self._W + self._b
    def backward(self, grad_z):
        self._grad_W_current = self._cache_current.T @ grad_z
        self._grad_b_current = grad_z.sum(axis=0, keepdims=True)
        return grad_z @ self._W.T
"""
WRT = """
import numpy as np
class AffineLayer:
    def __init__(self, input_dim, output_dim):
        self.weights, self.biases = np.zeros((output_dim, input_dim)), np.zeros(output_dim)
    def fprop(self, inputs):
        return inputs @ self.weights.T + self.biases
    def bprop(self, inputs, outputs, grads_wrt_outputs):
        return grads_wrt_outputs @ self.weights
    def grads_wrt_params(self, inputs, grads_wrt_outputs):
        return [grads_wrt_outputs.T @ inputs, grads_wrt_outputs.sum(axis=0)]
"""
OPTIONAL = """
import numpy as np
class LinearFunction:
    @staticmethod
    def forward(ctx, input, weight, bias=None):
        ctx.save_for_backward(input, weight, bias)
        return input @ weight.T if bias is None else input @ weight.T + bias
    @staticmethod
    def backward(ctx, grad_output):
        input, weight, bias = ctx.saved_tensors
        return grad_output @ weight, grad_output.T @ input, grad_output.sum(0)
class Scale:
    @staticmethod
    def forward(ctx, tensor, constant):
        ctx.constant = constant
        return tensor * constant
    @staticmethod
    def backward(ctx, grad_output):
        return grad_output * ctx.constant, None
"""
TARGET = """
import numpy as np
class CrossEntropyLossLayer:
    def forward(self, inputs, y_target):
        e = np.exp(inputs - inputs.max(axis=1, keepdims=True))
        self.p, self.y_target = e / e.sum(axis=1, keepdims=True), y_target
        return -np.sum(y_target * np.log(self.p)) / len(inputs)
    def backward(self):
        return (self.p - self.y_target) / len(self.p)
"""
FLAT = """
import numpy as np
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
def nnCostFunction(nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lambda_=0.0):
    split = hidden_layer_size * (input_layer_size + 1)
    Theta1 = nn_params[:split].reshape(hidden_layer_size, input_layer_size + 1)
    Theta2 = nn_params[split:].reshape(num_labels, hidden_layer_size + 1)
    m, Y = len(X), np.eye(num_labels)[y]
    a1 = np.hstack([np.ones((m, 1)), X])
    a2 = np.hstack([np.ones((m, 1)), sigmoid(a1 @ Theta1.T)])
    a3 = sigmoid(a2 @ Theta2.T)
    J = -np.sum(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)) / m
    J += lambda_ / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = a3 - Y
    d2 = (d3 @ Theta2 * a2 * (1 - a2))[:, 1:]
    grad1, grad2 = d2.T @ a1 / m, d3.T @ a2 / m
    grad1[:, 1:] += lambda_ / m * Theta1[:, 1:]
    grad2[:, 1:] += lambda_ / m * Theta2[:, 1:]
    grad = np.concatenate([grad1.ravel(), grad2.ravel()])
    return J, grad
"""
SEPARATE = """
import numpy as np
def EvaluateClassifier(X, W, b):
    e = np.exp(W @ X + b)
    return e / e.sum(axis=0)
def ComputeCost(X, Y, W, b, lam):
    return -np.sum(Y * np.log(EvaluateClassifier(X, W, b))) / X.shape[1] + lam * np.sum(W ** 2)
def ComputeGradients(X, Y, P, W, lam):
    G = P - Y
    return G @ X.T / X.shape[1] + 2 * lam * W, G.sum(axis=1, keepdims=True) / X.shape[1]
"""
NO_COST = """
import numpy as np
def init_params():
    return [np.random.rand(*shape) - 0.5 for shape in ((10, 784), (10, 1), (10, 10), (10, 1))]
def forward_prop(W1, b1, W2, b2, X):
    Z1 = W1 @ X + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2 @ A1 + b2
    A2 = np.exp(Z2) / np.exp(Z2).sum(axis=0)
    return Z1, A1, Z2, A2
def backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y):
    m = Y.size
    dZ2 = A2 - np.eye(10)[Y].T
    dZ1 = W2.T @ dZ2 * (Z1 > 0)
    return (dZ1 @ X.T / m, dZ1.sum(1, keepdims=True) / m, dZ2 @ A1.T / m,
            dZ2.sum(1, keepdims=True) / m)
"""
ONE_EXAMPLE = """
import numpy as np
class SoftMaxCrossEntropy:
    def forward(self, z, y):
        y_hat = np.exp(z) / np.exp(z).sum()
        return y_hat, -np.log(y_hat[y])
    def backward(self, y, y_hat):
        g = y_hat.copy()
        g[y] -= 1
        return g
"""
ATTENTION = """
class WeightSum:
    def forward(self, hs, a):
        N, T, H = hs.shape
        self.cache = hs, a.reshape(N, T, 1).repeat(H, axis=2)
        return (hs * self.cache[1]).sum(axis=1)
    def backward(self, dc):
        hs, ar = self.cache
        N, T, H = hs.shape
        dt = dc.reshape(N, 1, H).repeat(T, axis=1)
        return dt * ar, (dt * hs).sum(axis=2)
"""
LOGISTIC = """
import numpy as np
class LogisticRegression:
    def __init__(self, n_features):
        self.w = np.zeros(n_features)
    def forward(self, X):
        return 1 / (1 + np.exp(-X @ self.w))
    def loss(self, X, y):
        p = self.forward(X)
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    def gradients(self, X, y):
        return X.T @ (self.forward(X) - y) / len(y)
"""
LATER_LABELS = """
import numpy as np
class SoftmaxLossLayer:
    def forward(self, input):
        e = np.exp(input - input.max(axis=1, keepdims=True))
        self.prob = e / e.sum(axis=1, keepdims=True)
        return self.prob
    def get_loss(self, label):
        self.onehot = np.eye(self.prob.shape[1])[label]
        return -np.sum(np.log(self.prob) * self.onehot) / len(label)
    def backward(self):
        return (self.prob - self.onehot) / len(self.prob)
"""
LAZY_SHAPE = """
import numpy as np
class Dense:
    def __init__(self, n_units, input_shape=None):
        self.input_shape, self.n_units, self.W, self.w0 = input_shape, n_units, None, None
    def set_input_shape(self, shape):
        self.input_shape = shape
    def initialize(self, optimizer):
        self.W, self.w0 = np.zeros((self.input_shape[0], self.n_units)), np.zeros((1, self.n_units))
        self.opt = optimizer
    def forward_pass(self, X, training=True):
        self.layer_input = X
        return X @ self.W + self.w0
    def backward_pass(self, accum_grad):
        W = self.W
        grad_w = self.layer_input.T @ accum_grad
        self.W = self.opt.update(self.W, grad_w)
        self.w0 = self.opt.update(self.w0, accum_grad.sum(axis=0, keepdims=True))
        return accum_grad @ W.T
"""
SLIPS = [
    (GERMAN, "d_ausgabe.sum(axis=0)", "d_ausgabe.mean(axis=0)"),
    (FRENCH, "self.poids -= taux", "self.poids += taux"),
    (CURRENT, ".T @ grad_z\n", ".T @ grad_z / 2\n"),
    (WRT, "grads_wrt_outputs.sum(axis=0)", "grads_wrt_outputs.mean(axis=0)"),
    (OPTIONAL, "grad_output.sum(0)", "grad_output.mean(0)"),
    (OPTIONAL, "grad_output * ctx.constant, None", "grad_output, None"),
    (TARGET, "y_target) / len(self.p)", "y_target)"),
    (FLAT, " * a2 * (1 - a2)", " * a2"),
    (FLAT, "lambda_ / m * Theta2", "lambda_ * Theta2"),
    (SEPARATE, "2 * lam * W", "lam * W"),
    (ONE_EXAMPLE, "g[y] -= 1", "g[y] -= 2"),
    (ATTENTION, "(dt * hs).sum(axis=2)", "(dt * ar).sum(axis=2)"),
    (LOGISTIC, " / len(y)", ""),
    (LATER_LABELS, "/ len(self.prob)", ""),
    (LAZY_SHAPE, "@ W.T", "@ W.T * 2"),
    (NO_COST, " * (Z1 > 0)", ""),
]


@pytest.mark.parametrize("code, right, wrong", first(4, SLIPS))
def test_right_is_right_and_a_slip_is_found(check, code, right, wrong):
    assert code.count(right) == 1
    status, results = check(right=code, wrong=code.replace(right, wrong))
    assert [result["status"] for result in results] == ["correct", "wrong"], results


ONE_ENTRY = """
import numpy as np
class Softmax:
    def forward(self, x):
        self.y = np.exp(x) / np.exp(x).sum()
        return self.y.ravel()
    def backward(self, dout):
        for i, gradient in enumerate(dout):
            if gradient == 0:
                continue
            dx = -self.y.ravel()[i] * self.y
            dx.ravel()[i] += self.y.ravel()[i]
            return dx * gradient
"""


def test_what_serves_one_entry_of_dout_is_not_blamed(check):
    """A tutorial returns at the first entry that is not 0: enough after a cross entropy."""
    status, (result,) = check(softmax=ONE_ENTRY)
    (row,) = result["checks"][0]["rows"]
    assert status == 1 and (row["verdict"], result["status"]) == ("undecided", "undecided"), result
    assert "one entry" in row["detail"]
    status, (result,) = check(softmax=ONE_ENTRY.replace("dx * gradient", "2 * dx * gradient"))
    assert status == 1 and result["status"] == "wrong"


POOLS = """
import numpy as np
def pool_forward(A_prev, hparameters, mode="max"):
    f, s = hparameters["f"], hparameters["stride"]
    m, H, W, C = A_prev.shape
    A = np.zeros((m, (H - f) // s + 1, (W - f) // s + 1, C))
    for h, w in np.ndindex(A.shape[1:3]):
        window = A_prev[:, h * s:h * s + f, w * s:w * s + f]
        A[:, h, w] = (np.max if mode == "max" else np.mean)(window, axis=(1, 2))
    return A, (A_prev, hparameters, mode)
def pool_backward(dA, cache):
    A_prev, hparameters, mode = cache
    f, s, dA_prev = hparameters["f"], hparameters["stride"], np.zeros_like(A_prev)
    for h, w in np.ndindex(dA.shape[1:3]):
        at = slice(None), slice(h * s, h * s + f), slice(w * s, w * s + f)
        dout = dA[:, h:h + 1, w:w + 1]
        if mode == "max":
            dA_prev[at] += dout * (A_prev[at] == A_prev[at].max(axis=(1, 2), keepdims=True))
        else:
            dA_prev[at] += dout / f ** 2
    return dA_prev
"""


@pytest.mark.parametrize("right", ["dA_prev[at] += dout * (", "dA_prev[at] += dout / f"])
def test_windows_overlap_in_the_usual_mode_and_in_the_other(check, right):
    """The word for the mode has a default: each of its branches is tried with windows that do."""
    assert POOLS.count(right) == 1
    status, (_, wrong) = check(right=POOLS, wrong=POOLS.replace(right, right.replace("+=", "=")))
    assert wrong["checks"][0]["rows"][0]["verdict"] == "only the last of overlapping windows kept"


SEQUENCE = """
import numpy as np


class RNN:
    def __init__(self, vocab_size, hidden_size, bptt_truncate=4):
        self.U, self.V = np.random.randn(hidden_size, vocab_size), np.random.randn(vocab_size, hidden_size)
        self.W, self.bptt_truncate = np.random.randn(hidden_size, hidden_size), bptt_truncate
    def forward(self, x):
        self.x, self.s = x, np.zeros((len(x) + 1, len(self.W)))
        for t in range(len(x)):
            self.s[t] = np.tanh(self.U @ x[t] + self.W @ self.s[t - 1])
        return self.s[:-1] @ self.V.T
    def backward(self, dout):
        self.dU, self.dV, self.dW = np.zeros_like(self.U), dout.T @ self.s[:-1], np.zeros_like(self.W)
        for t in range(len(dout)):
            d = self.V.T @ dout[t] * (1 - self.s[t] ** 2)
            for step in range(max(0, t - self.bptt_truncate), t + 1)[::-1]:
                self.dW += np.outer(d, self.s[step - 1])
                self.dU += np.outer(d, self.x[step])
                d = self.W.T @ d * (1 - self.s[step - 1] ** 2)
"""  # noqa: E501


def test_a_recurrent_net_over_one_sequence_of_words(check):
    status, (result,) = check(sequence=SEQUENCE)
    assert status == 0 and verdicts(result) == {**dict.fromkeys("UVW", "correct"),
                                                "x": "not compared"}
    assert verdicts(check(wrong=SEQUENCE.replace("dout.T @ self.s[:-1]",
                                                 "dout.T @ self.s[1:]"))[1][0])["V"] == "unknown"


@pytest.mark.parametrize("channels, filters", [
    ("canales_entrada", "filtros_salida"), ("canais_entrada", "filtros_saida"),
    ("canaux_entree", "filtres_sortie"), ("canali_ingresso", "filtri_uscita")])
def test_a_convolution_in_another_language_gets_several_channels(check, channels, filters):
    _, (result,) = check(conv=f"""
    import numpy as np

    class Conv:
        def __init__(self, {channels}, {filters}, k=3):
            self.k = k
            self.pesos = np.random.randn({filters}, {channels}, k, k)

        def windows(self, x):
            return np.lib.stride_tricks.sliding_window_view(x, (self.k, self.k), axis=(2, 3))

        def forward(self, x):
            self.x = x
            return np.einsum("nchwij,fcij->nfhw", self.windows(x), self.pesos)

        def backward(self, dout):
            self.dpesos = np.einsum("nchwij,nfhw->fcij", self.windows(self.x), dout)
            wide = np.pad(dout, ((0, 0), (0, 0), (self.k - 1,) * 2, (self.k - 1,) * 2))
            return np.einsum("nfhwij,fcij->nchw", self.windows(wide), self.pesos[..., ::-1, ::-1])
    """)
    one, = result["checks"]
    assert one["status"] == "correct" and one["inputs"]["pesos"].split("×")[1] == "3", one
    assert "found by trying" not in one["inputs"]


@pytest.mark.parametrize("forward, backward", [
    ("foward", "bacward"), ("forward_propogation", "back_propogation"), ("propogate", "bacprop")])
@pytest.mark.parametrize("slip, found", [("", "correct"), ("2 * ", "wrong")])
def test_names_that_are_often_misspelt(check, forward, backward, slip, found):
    _, (result,) = check(layer=f"""
        import numpy as np

        class Dense:
            def __init__(self, n_in, n_out):
                self.W = np.random.randn(n_in, n_out)

            def {forward}(self, x):
                self.x = x
                return x @ self.W

            def {backward}(self, dout):
                self.dW = {slip}self.x.T @ dout
                return dout @ self.W.T
        """)
    assert result["status"] == found, result
