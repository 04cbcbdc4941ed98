"""Right code that was blamed, or not checked; each with a slip, which is still found."""
import pytest
from student_files import verdicts

HEAD = "import numpy as np\n"
COLUMN = HEAD + """
class Column:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_out, n_in), np.zeros((n_out, 1))
    def forward(self, x):
        self.x = x
        return self.W @ x + self.b
    def backward(self, dout):
        self.dW, self.db = dout @ self.x.T, dout
        return self.W.T @ dout
"""


@pytest.mark.parametrize("more, status", [("", "undecided"), ("softmax = lambda z: np.exp(z) / "
                                          "np.exp(z).sum(axis=0)\n", "wrong")])
def test_a_sum_over_columns_is_missed_where_the_file_knows_of_several(check, more, status):
    _, (result,) = check(column=COLUMN + more)
    assert result["status"] == status, result


GATES = HEAD + """
def gru_forward(x, h_prev, params):
    s = lambda a: 1 / (1 + np.exp(-a))
    z = s(x @ params["Wz"] + h_prev @ params["Uz"] + params["bz"])
    g = np.tanh(x @ params["Wh"] + h_prev @ params["Uh"] + params["bh"])
    return (1 - z) * h_prev + z * g, (x, h_prev, z, g, params)

def gru_backward(dh, cache):
    x, h, z, g, params = cache
    da, dz = dh * z * (1 - g ** 2), dh * (g - h) * z * (1 - z)
    grads = {"Wz": x.T @ dz, "Uz": h.T @ dz, "bz": dz.sum(0),
             "Wh": x.T @ da, "Uh": h.T @ da, "bh": da.sum(0)}
    dx = da @ params["Wh"].T + dz @ params["Wz"].T
    return dx, dh * (1 - z) + da @ params["Uh"].T + dz @ params["Uz"].T, grads
"""
CODED = HEAD + """
class Coder:
    def __init__(self, n_in, n_hidden):
        self.W, self.V = np.random.randn(n_in, n_hidden), np.random.randn(n_hidden, n_in)
    def forward(self, x):
        self.h = np.tanh(x @ self.W)
        self.out = self.h @ self.V
        return self.out
    def loss(self, x):
        return 0.5 * np.sum((self.forward(x) - x) ** 2)
    def backward(self, x):
        d = self.out - x
        self.dV = self.h.T @ d
        self.dW = x.T @ ((d @ self.V.T) * (1 - self.h ** 2))
"""
CURVE = HEAD + """
class Curve:
    def __init__(self, degree=3):
        self.degree, self.theta = degree, np.random.randn(degree + 1)
    def predict(self, x):
        return np.vander(x, self.degree + 1) @ self.theta
    def loss(self, x, y):
        return np.mean((self.predict(x) - y) ** 2)
    def gradient(self, x, y):
        A = np.vander(x, self.degree + 1)
        return 2 * A.T @ (A @ self.theta - y) / len(y)
    def fit(self, x, y, n=1000):
        for _ in range(n):
            self.theta -= 0.1 * self.gradient(x, y)
"""
CODES = [(GATES, "h.T @ dz,", "-h.T @ dz,"), (CODED, "self.h.T @ d", "2 * self.h.T @ d"),
         (CURVE, "return 2 * A.T", "return A.T")]

SQUEEZED = HEAD + """
class Mse:
    def __call__(self, pred, targ):
        self.pred, self.targ = pred, targ
        return ((pred.squeeze() - targ) ** 2).mean()
    def backward(self):
        return 2 * (self.pred.squeeze() - self.targ)[:, None] / self.targ.shape[0]
"""
LINE = HEAD + """
def J(theta0, theta1, x, y):
    return sum((theta0 + theta1 * a - b) ** 2 for a, b in zip(x, y)) / (2 * len(x))
def dJ(theta0, theta1, x, y):
    d0, d1 = 0, 0
    for a, b in zip(x, y):
        d0 += theta0 + theta1 * a - b
        d1 += (theta0 + theta1 * a - b) * a
    return d0 / len(x), d1 / len(x)
"""
KEPT = HEAD + """
class Net:
    def __init__(self, sizes):
        self.params = {f"W{i}": np.random.randn(a, b)
                       for i, (a, b) in enumerate(zip(sizes, sizes[1:]))}
    def forward(self, X):
        self.acts = [X]
        for W in self.params.values():
            self.acts.append(np.tanh(self.acts[-1] @ W))
        return self.acts[-1]
    def compute_loss(self, scores, y):
        p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        rows = np.arange(len(y))
        self.dscores = p.copy()
        self.dscores[rows, y] -= 1
        self.dscores /= len(y)
        return -np.log(p[rows, y]).mean()
    def backward(self):
        grads, d = {}, self.dscores
        for i in reversed(range(len(self.params))):
            d = d * (1 - self.acts[i + 1] ** 2)
            grads[f"W{i}"] = self.acts[i].T @ d
            d = d @ self.params[f"W{i}"].T
        return grads
"""
NEGATIVE = HEAD + """
class Rede:
    def __init__(self, n_entradas, n_saidas, taxa_aprendizado=0.1):
        self.pesos = np.random.uniform(-1, 1, (n_entradas, n_saidas))
        self.taxa_aprendizado = taxa_aprendizado
    def propagar(self, entradas):
        self.saida = np.tanh(entradas @ self.pesos)
        return self.saida
    def retropropagar(self, entradas, esperado):
        d = (esperado - self.saida) * (1 - self.saida ** 2)
        self.pesos += self.taxa_aprendizado * entradas.T @ d
"""
CODES += [(SQUEEZED, "2 * (self", "(self"), (LINE, "- b) * a", "- b)"),
          (KEPT, "/= len(y)", "*= len(y)"), (NEGATIVE, "- self.saida ** 2", "- self.saida")]

CHOSEN = HEAD + """
class Choice:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
    def feed_forward(self, X):
        e = np.exp(self.W.T @ X)
        self.y = e / e.sum(axis=0)
        return self.y
    def backpropagate(self, x, t):
        self.W = self.W - 0.1 * x @ (self.y - t).T
"""
PLACES = HEAD + """
class PositionalEmbedding:
    def __init__(self, max_len, d_model):
        self.P = np.random.randn(max_len, d_model)
    def forward(self, x):
        self.T = x.shape[1]
        return x + self.P[:self.T]
    def backward(self, g):
        self.dP = np.zeros_like(self.P)
        self.dP[:self.T] = g.sum(0)
        return g
"""
BOTH = HEAD + """
def propagate(w, b, X, Y):
    A = 1 / (1 + np.exp(-(w.T @ X + b)))
    cost = -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    grads = {"dw": X @ (A - Y).T / X.shape[1], "db": np.mean(A - Y)}
    return grads, np.squeeze(cost)
"""
STEPS = HEAD + """
def init(nx, nh, ny):
    return np.random.randn(nx, nh), np.zeros((1, nh)), np.random.randn(nh, ny), np.zeros((1, ny))
def forward_pass(X, W1, b1, W2, b2):
    A1 = np.tanh(X @ W1 + b1)
    return A1, A1 @ W2 + b2
def mse(Y_pred, Y):
    return np.mean((Y_pred - Y) ** 2)
def backward_pass(X, Y, A1, Z2, W1, W2):
    d = 2 * (Z2 - Y) / Y.size
    d1 = d @ W2.T * (1 - A1 ** 2)
    return X.T @ d1, d1.sum(axis=0, keepdims=True), A1.T @ d, d.sum(axis=0, keepdims=True)
"""
CODES += [(CHOSEN, "(self.y - t)", "(self.y - 2 * t)"), (PLACES, "g.sum(0)", "g.mean(0)"),
          (BOTH, "X @ (A - Y)", "X @ (A + Y)"), (STEPS, "A1.T @ d", "A1.T @ (d * d)")]
ROWS = HEAD + """
ARCHITECTURE = [{"input_dim": 2, "output_dim": 4}, {"input_dim": 4, "output_dim": 3}]
def init_layers(architecture, seed=9):
    return {f"W{i}": np.random.randn(one["output_dim"], one["input_dim"])
            for i, one in enumerate(architecture)}
def full_forward(X, params, architecture):
    memory = {"A0": X}
    for i, one in enumerate(architecture):
        memory[f"A{i + 1}"] = np.tanh(params[f"W{i}"] @ memory[f"A{i}"])
    return memory[f"A{len(architecture)}"], memory
def get_cost(Y_hat, Y):
    return np.mean(np.sum((Y_hat - Y) ** 2, axis=0))
def slope(A):
    return 1 - A ** 2
def full_backward(Y_hat, Y, memory, params, architecture):
    grads, d = {}, 2 * first(Y_hat, Y)
    for i in reversed(range(len(architecture))):
        d = d * slope(memory[f"A{i + 1}"])
        grads[f"dW{i}"] = d @ memory[f"A{i}"].T
        d = params[f"W{i}"].T @ d
    return grads
def first(Y_hat, Y):
    return (Y_hat - Y) / Y.shape[1]
"""
CODES += [(ROWS, "(Y_hat - Y) / Y.shape[1]", "(Y_hat - Y)")]
PICKED = HEAD + """
def initialize(n_in, n_out):
    return {"W": np.random.randn(n_in, n_out)}
def forward(params, x):
    e = np.exp(x @ params["W"])
    probs = e / e.sum(axis=1, keepdims=True)
    return probs, {"x": x, "probs": probs}
def nll(probs, y):
    return -np.log(probs[np.arange(len(y)), y]).mean()
def backward(params, cache, y):
    d = cache["probs"].copy()
    d[np.arange(len(y)), y] -= 1
    return {"W": cache["x"].T @ d / len(y)}
"""
CODES += [(PICKED, "d / len(y)", "d")]


@pytest.mark.parametrize("code, right, slip", CODES)
def test_it_is_right_and_a_slip_is_not(check, code, right, slip):
    status, (result,) = check(layer=code)
    assert status == 0 and {"correct"} <= set(verdicts(result).values()), result
    _, (result,) = check(layer=code.replace(right, slip))
    assert result["status"] in ("wrong", "undecided"), result


@pytest.mark.parametrize("names", ["t, y", "label, y", "expected, y", "y, t", "y_true, y"])
def test_beside_another_target_y_is_the_output(check, names):
    target, = {*names.split(", ")} - {"y"}
    _, (result,) = check(loss=f"""
    import numpy as np

    def mse({names}):
        return np.mean((y - {target}) ** 2)

    def mse_prime({names}):
        return 2 * (y - {target}) / y.size
    """)
    assert verdicts(result)["y"] == result["status"] == "correct"


LABELS = HEAD + """
class Surprise:
    def forward(self, {p}, {t}):
        self.p = {p}
        return -np.sum({t} * np.log({p} + 1e-9))
    def backward(self, {t}):
        return -{t} / {slip}(self.p + 1e-9)
"""


@pytest.mark.parametrize("p, t", [("prediction_tensor", "label_tensor"), ("y_pred", "y_true"),
                                  ("x", "target_classes"), ("input_tensor", "y_one_hot_labels")])
def test_a_loss_whose_backward_asks_for_the_labels_again_gets_them(check, p, t):
    _, (result,) = check(loss=LABELS.format(p=p, t=t, slip=""))
    assert verdicts(result)[p] == "correct", result
    _, (result,) = check(loss=LABELS.format(p=p, t=t, slip="2 / "))
    assert result["status"] == "wrong", result


@pytest.mark.parametrize("name", ["squash", "flatter", "kurve"])
@pytest.mark.parametrize("slope, status", [("1.0 - z ** 2", "correct"), ("1.0 - z", "wrong")])
def test_one_drawn_number_is_not_near_zero(check, name, slope, status):
    """There tanh(x) and x agree within what a 0.001 in the file allows: f' of the output was taken
    for f' of x, and then blamed for whole numbers."""
    _, (result,) = check(numbers=f"""
    import math

    def {name}(x):
        return math.tanh(x)

    def d{name}(z):
        return {slope}

    def is_done(error):
        return error < 0.001
    """)
    assert result["status"] == status, verdicts(result)
