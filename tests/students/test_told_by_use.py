"""What a constructor's argument is, whatever its name: what the class does with it says it."""
import pytest
from short import first
from student_files import verdicts

HEAD = """
import numpy as np

def squash(z):
    return np.tanh(z)
"""
POOL = """
class Zbior:
    def __init__(self, krok, okno):
        self.k, self.o = krok, okno

    def forward(self, obraz):
        self.obraz = obraz
        n, c, y, x = obraz.shape
        {unpack}
        out = np.zeros((n, c, (y - a) // r + 1, (x - b) // s + 1))
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                out[:, :, i, j] = obraz[:, :, i * r:i * r + a, j * s:j * s + b].mean(axis=(2, 3))
        return out

    def backward(self, dout):
        dx = np.zeros(self.obraz.shape)
        {unpack}
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                dx[:, :, i * r:i * r + a, j * s:j * s + b] {sign} dout[:, :, i:i + 1, j:j + 1] / (
                    a * b)
        return dx
"""
PAIRS = {"unpacked": "(r, s), (a, b) = self.k, self.o",
         "one after the other": "r, s = self.k; a, b = self.o",
         "by their places": "r, s, a, b = self.k[0], self.k[1], self.o[0], self.o[1]"}


@pytest.mark.parametrize("sign, status, how", first(2, [
    ("+=", "correct", "unpacked"), ("-=", "wrong", "unpacked"),
    *(("+=", "correct", how) for how in PAIRS)]))
def test_what_is_taken_apart_in_two_is_a_pair(check, sign, status, how):
    code = HEAD + POOL.replace("{unpack}", PAIRS[how]).replace("{sign}", sign)
    _, (result,) = check(zbior=code)
    assert result["status"] == status and list(verdicts(result)) == ["obraz"], result


NET = """
class Siec:
    def __init__(self, opis, taux):
        self.opis, self.t = opis, taux
        self.make()

    def make(self):
        self.Q, self.W = [], []
        {loop}
            self.W.append(np.random.randn(n, m))

    def forward(self, x):
        self.A = [x]
        for W in self.W:
            self.A.append(squash(W @ self.A[-1]))

    def backward(self, y):
        d = (self.A[-1] - y) * (1 - self.A[-1] ** 2)
        for i in reversed(range(len(self.W))):
            dW = d @ self.A[i].T
            d = ({slip}self.W[i].T @ d) * (1 - self.A[i] ** 2)
            self.W[i] -= self.t * dW
"""
LOOPS = {"by their numbers": """for i in range(len(self.opis) - 1):
            m, n = self.opis[i], self.opis[i + 1]""",
         "beside each other": "for m, n in zip(self.opis[:-1], self.opis[1:]):",
         "counted": """for i, m in enumerate(self.opis[:-1]):
            n = self.opis[i + 1]""",
         "with what each does": """for i in range(1, len(self.opis)):
            (m, _), (n, name) = self.opis[i - 1], self.opis[i]
            assert name in ("tanh", "relu")""",
         "under keys": """for part in self.opis:
            m, n = part["in"], part["salida"]""",
         "both in each": """for m, n, name in self.opis:
            assert name in ("tanh", "relu")"""}


@pytest.mark.parametrize("slip, status, how", first(2, [
    ("", "correct", "under keys"), ("2 * ", "wrong", "counted"),
    *((slip, status, how) for how in LOOPS
      for slip, status in (("", "correct"), ("2 * ", "wrong")))]))
def test_what_is_read_layer_by_layer_is_a_list(check, slip, status, how):
    """Whatever forward returns: what it fills last is its output."""
    code = HEAD + NET.replace("{loop}", LOOPS[how]).replace("{slip}", slip)
    _, (result,) = check(siec=code)
    rows = {name: one for name, one in verdicts(result).items() if name not in "xy"}
    assert result["status"] == status and len(rows) > 1, result


DATA = """
class Mreza:
    def __init__(self, ulaz, izlaz, skriveni, vrsta):
        self.U, self.I, self.n, self.v = ulaz, izlaz, skriveni, vrsta
        self.w1 = np.random.rand(self.U.shape[1], self.n)
        self.w2 = np.random.rand(self.n, izlaz.shape[1])
        if vrsta == "sigmoida":
            self.f, self.df = lambda z: 1 / (1 + np.exp(-z)), lambda y: y * (1 - y)
        elif vrsta == "tanh":
            self.f, self.df = np.tanh, lambda y: 1 - y ** 2

    def forward(self, U):
        self.h = self.f(np.dot(U, self.w1))
        self.y = self.f(np.dot(self.h, self.w2))
        return self.y

    def backward(self):
        d2 = (self.I - self.y) * self.df(self.y)
        d1 = d2.dot(self.w2.T) * self.df({of})
        self.w2 += self.h.T.dot(d2)
        self.w1 += self.U.T.dot(d1)
"""


@pytest.mark.parametrize("of, status", [("self.h", "correct"), ("d2.dot(self.w2.T)", "wrong")])
def test_data_a_count_and_a_word_that_a_constructor_is_given(check, of, status):
    """The data that forward is given are those that the constructor was given."""
    _, (result,) = check(mreza=HEAD + DATA.replace("{of}", of))
    rows = verdicts(result)
    assert result["status"] == status and {"w1", "w2"} < {*rows} and rows["w2"] == "correct", result


CELL = """
class Celija:
    def __init__(self, n_gore, n):
        self.w, self.v = np.random.randn(n_gore, n), np.random.randn(n, n)

    def forward(self, x, y_prev):
        self.y = np.tanh(np.dot(x, self.w) + np.dot(y_prev, self.v))

    def backward(self, x, y, y_prev, grad_y):
        delta = grad_y * (1 - y ** 2)
        self.grad_w += np.dot(x.T, delta)
        self.grad_v += np.dot({of}.T, delta)
        self.grad_x = np.dot(delta, self.w.T)
        self.grad_y_prev = np.dot(delta, self.v{turned})

    def od_nule(self):
        self.grad_w = np.zeros_like(self.w)
        self.grad_v = np.zeros_like(self.v)
"""


@pytest.mark.parametrize("of, turned, wrong", [
    ("y_prev", ".T", set()), ("y", ".T", {"v"}), ("y_prev", "", {"y_prev"})])
def test_sums_of_gradients_begin_at_zero(check, of, turned, wrong):
    """Set by a method of any name; the gradient of the state before is kept, too."""
    _, (result,) = check(celija=HEAD + CELL.replace("{of}", of).replace("{turned}", turned))
    rows = verdicts(result)
    assert {name for name, one in rows.items() if one != "correct"} == wrong, result
    assert len(rows) == 4, result


ROW = """
class Mreza:
    def __init__(self):
        {begin}

    def gubitak_gradijent(self, t):
        cut = self.sloj2 * (self.sloj1 + 1)
        t1 = np.reshape(t[0:cut], (self.sloj2, self.sloj1 + 1))
        t2 = t[cut:].reshape(self.sloj3, self.sloj2 + 1)
        m, n = self.X.shape
        a1 = np.concatenate([np.ones((m, 1)), self.X], axis=1)
        a2 = np.concatenate([np.ones((m, 1)), squash(a1.dot(t1.T))], axis=1)
        h = 1 / (1 + np.exp(-a2.dot(t2.T)))
        y = np.eye(self.sloj3)[self.y.reshape(-1)]
        j = -np.sum(np.log(h) * y + np.log(1 - h) * (1 - y)) / m
        d2 = (h - y).dot(t2)[:, 1:] * (1 - a2[:, 1:] {power})
        grad = np.concatenate([d2.T.dot(a1).flatten(), (h - y).T.dot(a2).flatten()]) / m
        return j, grad

def main():
    net = Mreza()
    net.sloj1 = 400
    net.sloj2 = 25
    net.sloj3 = 10
    net.X = np.load("X.npy")
    net.y = np.load("y.npy")
"""


@pytest.mark.parametrize("begin", [
    "self.X = self.y = self.sloj1 = self.sloj2 = self.sloj3 = None", "pass"])
@pytest.mark.parametrize("power, status", [("** 2", "correct"), ("", "wrong")])
def test_sizes_and_data_that_only_a_caller_sets(check, begin, power, status):
    """And all weights in one row, which is cut."""
    _, (result,) = check(mreza=HEAD + ROW.replace("{begin}", begin).replace("{power}", power))
    assert result["checks"][0]["status"] == status and list(verdicts(result)) == ["t"], result
