"""Names that are true: a dout of several that is not used is no window, a factor of 2 no batch of
two, a swapped sign no other number; an engine may be called Node."""
import pytest
from student_files import verdicts

CELL = """
import numpy as np

class Cell:
    def __init__(self, input_size, hidden_size):
        self.Wx = np.random.randn(input_size, hidden_size)

    def forward(self, x, prev_c):
        self.x, self.c = x, prev_c + x @ self.Wx
        return np.tanh(self.c), self.c

    def backward(self, dh, dc):
        dc = DC
        self.dWx = self.x.T @ dc
        return dc @ self.Wx.T, dc
"""
BOTH = "dc + dh * (1 - np.tanh(self.c) ** 2)"


@pytest.mark.parametrize("written, number", [("dh * (1 - np.tanh(self.c) ** 2)", 2), ("dc", 1)])
def test_a_dout_that_is_not_used(check, written, number):
    _, (result,) = check(cell=CELL.replace("DC", BOTH))
    assert result["status"] == "correct", result
    _, (result,) = check(cell=CELL.replace("DC", written))
    for row in result["checks"][0]["rows"]:
        assert row["verdict"] == "one term missing", row
        assert row["detail"] == f"the dout of output {number} of 2 is not used"


POOL = """
import numpy as np

class AveragePool:
    def __init__(self, kernel_size=2):
        self.k = kernel_size

    def forward(self, x):
        n, c, h, w = x.shape
        self.shape = x.shape
        return x.reshape(n, c, h // self.k, self.k, w // self.k, self.k).mean(axis=(3, 5))

    def backward(self, dout):
        k = self.k
        return np.repeat(np.repeat(dout, k, axis=2), k, axis=3) DIVIDED
"""


@pytest.mark.parametrize("divided, detail", [("/ k", "2"), ("/ k ** 3", "0.5 = 1/2")])
def test_a_two_that_is_no_batch_of_two(check, divided, detail):
    _, (result,) = check(pool=POOL.replace("DIVIDED", "/ k ** 2"))
    assert result["status"] == "correct", result
    _, (result,) = check(pool=POOL.replace("DIVIDED", divided))
    (row,) = result["checks"][0]["rows"]
    assert (row["verdict"], row["detail"]) == ("off by a constant factor", detail)


def test_a_batch_is_told_all_the_same(check):
    _, (result,) = check(pool=POOL.replace("DIVIDED", "/ k ** 2 / len(dout)"))
    (row,) = result["checks"][0]["rows"]
    assert row["detail"] in ("0.2 = 1/N, the batch size", "divided by 5 = N"), row


CONV = """
import numpy as np

def conv1d_forward(x, w):
    k = w.shape[2]
    cols = np.stack([x[:, :, t:t + k] for t in range(x.shape[2] - k + 1)], axis=1)
    return np.einsum("nlck,fck->nfl", cols, w), (x, w, cols)

def conv1d_backward(dout, cache):
    x, w, cols = cache
    dx = np.zeros_like(x)
    for t in range(dout.shape[2]):
        dx[:, :, t:t + w.shape[2]] += np.einsum("nf,fck->nck", dout[:, :, t], w)
    return dx, np.einsum("nfl,nlck->fck", dout, cols)
"""


def test_windows_along_one_axis(check):
    _, (result,) = check(conv=CONV)
    assert result["status"] == "correct", result
    _, (result,) = check(conv=CONV.replace("+= np", "= np"))
    assert verdicts(result)["x"] == "only the last of overlapping windows kept", result


ENGINE = """
class Node:
    def __init__(self, val):
        self.val, self.grad, self.prev, self.step = float(val), 0, [], None

    def __add__(self, other):
        z = Node(self.val + other.val)
        z.prev = [self, other]

        def step():
            self.grad += z.grad
            other.grad += z.grad
        z.step = step
        return z

    def __mul__(self, other):
        z = Node(self.val * other.val)
        z.prev = [self, other]

        def step():
            self.grad += z.grad * other.val
            other.grad += z.grad * self.val
        z.step = step
        return z

    def backprop(self):
        order, seen = [], set()

        def build(node):
            if id(node) not in seen:
                seen.add(id(node))
                for one in node.prev:
                    build(one)
                order.append(node)
        build(self)
        self.grad = 1
        for node in order[::-1]:
            if node.step:
                node.step()
"""


def test_an_engine_by_the_name_of_a_base_class(check):
    _, (result,) = check(node=ENGINE)
    assert result["status"] == "correct", result
    _, (result,) = check(node=ENGINE.replace("self.grad += z.grad * other", "self.grad = z.grad"
                                             " * other"))
    assert result["status"] == "wrong", result


GATE = """
import numpy as np

class Gated:
    def __init__(self, n_in, n_out):
        self.Wz = np.random.randn(n_in, n_out)
        self.Wn = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        self.z = 1 / (1 + np.exp(-x @ self.Wz))
        self.n = np.tanh(x @ self.Wn)
        return (1 - self.z) * self.n

    def backward(self, dout):
        dz = -dout * self.n * self.z * (1 - self.z)
        dn = dout * (1 - self.z) * (1 - self.n ** 2)
        self.dWz, self.dWn = self.x.T @ dz, self.x.T @ dn
        return dz @ self.Wz.T + dn @ self.Wn.T
"""
MASKED = """
import numpy as np

class Dropout:
    def __init__(self, p=0.5):
        self.p = p

    def forward(self, x, train=True):
        self.mask = (np.random.rand(*x.shape) > self.p) / (1 - self.p)
        return x * self.mask

    def backward(self, dout):
        return RETURNED
"""


def test_a_slip_is_in_the_derivative_of_what_the_weights_make(check):
    _, (result,) = check(gate=GATE)
    assert result["status"] == "correct", result
    _, (result,) = check(gate=GATE.replace("self.z * (1 - self.z)", "self.z"))
    assert verdicts(result)["Wz"] == "slip in the derivative", result
    _, (result,) = check(gate=GATE.replace("dout * (1 - self.z) * (1", "dout * (1"))
    assert verdicts(result)["Wn"] == "unknown", result  # z is no activation behind Wn


@pytest.mark.parametrize("returned, said", [
    ("dout * self.mask", "correct"), ("dout", "unknown"), ("dout / (1 - self.p)", "unknown"),
    ("dout * (self.mask > 0)", "off by a constant factor")])
def test_a_mask_is_no_activation(check, returned, said):
    _, (result,) = check(dropout=MASKED.replace("RETURNED", returned))
    assert verdicts(result)["x"] == said, result


COLUMNS = """
import numpy as np

def batchnorm_forward(Z, gamma, beta):
    std = np.sqrt(np.var(Z, axis=1, keepdims=True) + 1e-8)
    Zn = (Z - np.mean(Z, axis=1, keepdims=True)) / std
    return gamma * Zn + beta, (Zn, std, gamma)

def batchnorm_backward(dout, cache):
    Zn, std, gamma = cache
    d = dout * gamma
    dZ = d - d.mean(axis=1, keepdims=True) - Zn * (d * Zn).mean(axis=1, keepdims=True)
    return dZ / std, np.sum(dout * Zn, axis=1, keepdims=True), dout.sum(axis=1, keepdims=True)
"""


def test_a_normalisation_of_columns(check):
    _, (result,) = check(norm=COLUMNS)
    assert result["status"] == "correct", result
    _, (result,) = check(norm=COLUMNS.replace("dout.sum(axis=1", "dout.mean(axis=1"))
    assert verdicts(result) == {"Z": "correct", "gamma": "correct",
                                "beta": "mean where a sum is due"}, result


POOLS = """
import numpy as np

class MaxPool2D:
    def __init__(self, pool_size=(2, 2), strides=(2, 2)):
        self.pool_size, self.strides = pool_size, strides

    def windows(self, n_rows, n_columns):
        for i in range(n_rows):
            for j in range(n_columns):
                top, left = i * self.strides[0], j * self.strides[1]
                yield i, j, (slice(None), slice(top, top + self.pool_size[0]),
                             slice(left, left + self.pool_size[1]))

    def forward(self, inputs):
        self.inputs = inputs
        n, h, w, c = inputs.shape
        (ph, pw), (sh, sw) = self.pool_size, self.strides
        out = np.zeros((n, 1 + (h - ph) // sh, 1 + (w - pw) // sw, c))
        for i, j, at in self.windows(*out.shape[1:3]):
            out[:, i, j] = inputs[at].max(axis=(1, 2))
        return out

    def backward(self, d_out):
        d_in = np.zeros_like(self.inputs)
        for i, j, at in self.windows(*d_out.shape[1:3]):
            mask = self.inputs[at] == self.inputs[at].max(axis=(1, 2), keepdims=True)
            d_in[at] += mask * d_out[:, i:i + 1, j:j + 1]
        return d_in
"""


def test_windows_that_are_pairs_overlap_too(check):
    _, (result,) = check(pool=POOLS)
    assert result["status"] in ("correct", "remarks"), result
    _, (result,) = check(pool=POOLS.replace("+= mask", "= mask"))
    assert verdicts(result)["inputs"] == "only the last of overlapping windows kept", result


SIGNS = """
import numpy as np

def logistic_loss(w, X, y):
    margin = y * (X @ w)
    return np.log1p(np.exp(-margin)).mean(), -X.T @ (y / (1 + np.exp(margin))) / len(y)
"""


def test_a_sign_is_told_with_the_inputs_that_are_meant(check):
    _, (result,) = check(logistic=SIGNS)
    assert result["status"] == "correct", result
    _, (result,) = check(logistic=SIGNS.replace("-X.T", "X.T"))
    assert verdicts(result)["w"] == "sign flipped", result


PICTURE = """
import numpy as np

def conv2d_forward(X, K):
    kh, kw = K.shape
    H, W = X.shape
    out = np.zeros((H - kh + 1, W - kw + 1))
    for i, j in np.ndindex(out.shape):
        out[i, j] = np.sum(X[i:i + kh, j:j + kw] * K)
    return out, (X, K)

def conv2d_backward(dout, cache):
    X, K = cache
    dX, dK = np.zeros_like(X), np.zeros_like(K)
    for i, j in np.ndindex(dout.shape):
        at = slice(i, i + K.shape[0]), slice(j, j + K.shape[1])
        dX[at] += dout[i, j] * K
        dK += dout[i, j] * X[at]
    return dX, dK
"""


@pytest.mark.parametrize("right, slip", [("dX[at] +=", "dX[at] ="), ("dK +=", "dK =")])
def test_a_kernel_that_is_called_k_is_smaller_than_its_picture(check, right, slip):
    _, (result,) = check(conv=PICTURE)
    assert result["status"] == "correct", result
    _, (result,) = check(conv=PICTURE.replace(right, slip))
    assert "only the last of overlapping windows kept" in verdicts(result).values(), result
