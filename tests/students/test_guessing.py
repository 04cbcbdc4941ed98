"""A forward and its backward by what they do, where no name says so."""
import random
import textwrap

import dialect_maker
import pytest
from short import first
from student_files import command, verdicts, write

NET = """
    import numpy as np

    class Red:
        def __init__(self):
            self.u, self.v = np.random.randn(5, 6), np.random.randn(6, 3)

        def adelanto(self, X):
            self.h = np.tanh(X @ self.u)
            return self.h @ self.v

        def ajusta(self, X, y):
            delta = self.adelanto(X) - y
            dv = self.h.T @ delta
            du = X.T @ ((delta @ self.v.T) * {slope})
            self.u -= 0.01 * du
            self.v -= 0.01 * dv
"""
LAYER = """
    import numpy as np

    class Capa:
        def __init__(self, n_in, n_out):
            self.p, self.q = np.random.randn(n_in, n_out), np.zeros(n_out)

        def uno(self, datos):
            self.datos = datos
            return datos @ self.p + self.q

        def dos(self, e):
            self.dp = self.datos.T @ e
            self.dq = {bias}
            return e @ self.p.T
"""
FUNCTIONS = """
    import numpy as np

    def hin(x, w, b):
        return x @ w + b, (x, w)

    def zur(dout, kept):
        x, w = kept
        dx, dw, db = dout @ w.T, x.T @ dout, {bias}
        return dx, dw, db
"""


@pytest.mark.parametrize("code, right, wrong", [
    (NET, {"slope": "(1 - self.h ** 2)"}, {"slope": "(1 - self.h)"}),
    (LAYER, {"bias": "e.sum(axis=0)"}, {"bias": "e.mean(axis=0)"}),
    (FUNCTIONS, {"bias": "dout.sum(axis=0)"}, {"bias": "-dout.sum(axis=0)"})])
def test_right_is_right_and_a_slip_is_wrong(check, code, right, wrong):
    _, (good, bad) = check(good=textwrap.dedent(code).format(**right),
                           bad=textwrap.dedent(code).format(**wrong))
    assert good["status"] == "correct" and bad["status"] == "wrong", (good, bad)
    if code is not NET:  # what it changes is a learning rate too small
        assert list(verdicts(bad).values()).count("correct") == 2


def test_the_pair_is_named(tmp_path):
    path = write(tmp_path, "layer", textwrap.dedent(LAYER).format(bias="e.sum(axis=0)"))
    assert "3 of 3 correct (by uno and dos)" in " ".join(command(path).stdout.split())


def test_where_nothing_is_right_nobody_is_blamed(check):
    code = textwrap.dedent(LAYER).format(bias="np.sin(e).sum(axis=0)")
    _, (result,) = check(layer=code.replace("self.datos.T @ e", "self.datos.T @ e ** 3").replace(
        "e @ self.p.T", "np.cos(e) @ self.p.T"))
    (one,) = result["checks"]
    assert one["status"] == "error" and "That is a guess" in one["error"]["message"]


@pytest.mark.parametrize("code", [
    "class Point:\n    def move(self, dx, dy):\n        self.x += dx\n        self.y += dy * 2\n"
    "    def norm(self):\n        return (self.x ** 2 + self.y ** 2) ** 0.5\n",
    "class Data:\n    def read(self, path):\n        self.rows = [path]\n        return self.rows\n"
    "    def scale(self, rows):\n        self.rows = rows * 2\n        return self.rows\n",
    "def mean(values):\n    total = 0\n    for value in values:\n        total += value * 1\n"
    "    return total / len(values)\ndef spread(values):\n    error = mean(values) * 2\n"
    "    return error\n"])
def test_what_has_no_gradients_is_no_layer(check, code):
    _, (result,) = check(other=code)
    assert result["checks"] == [] and result["error"]["kind"] == "nothing to check"


@pytest.mark.parametrize("seed", first(6, range(60)))
def test_layers_in_random_dialects_keep_their_verdicts_without_usual_names(check, monkeypatch,
                                                                           seed):
    """A slip is never called right, and what is right is."""
    generator = random.Random(seed)
    monkeypatch.setattr(dialect_maker, "NAMES", [(x, dout, "zulu", "yankee") for x, dout, *_ in
                                                 dialect_maker.NAMES])
    layer = generator.choice([name for name, formulas in dialect_maker.LAYERS.items()
                              if formulas.parameters])
    right, _ = dialect_maker.source("Layer", layer, generator)
    wrong, expected = dialect_maker.source("Layer", layer, generator, mistake=True)
    _, (good, bad) = check(good=dialect_maker.HEAD + right, bad=dialect_maker.HEAD + wrong)
    assert good["status"] in ("correct", "remarks"), (right, good)
    assert bad["status"] in ("wrong", "error"), (wrong, bad, expected)


@pytest.mark.parametrize("slip, status", [("", "correct"), (" * 2", "wrong")])
def test_gradients_that_a_loop_adds_up_are_no_training(check, slip, status):
    _, (result,) = check(net=f"""
import numpy as np

class Chars:
    def __init__(self, words, width):
        self.U = np.random.uniform(-0.3, 0.3, (width, words))
        self.V = np.random.uniform(-0.3, 0.3, (words, width))

    def forward_propagation(self, x):
        h, p = np.zeros((len(x), len(self.V[0]))), np.zeros((len(x), len(self.V)))
        for t in range(len(x)):
            h[t] = np.tanh(self.U[:, x[t]])
            e = np.exp(self.V.dot(h[t]))
            p[t] = e / e.sum()
        return p, h

    def bptt(self, x, y):
        p, h = self.forward_propagation(x)
        dU, dV = np.zeros(self.U.shape), np.zeros(self.V.shape)
        p[np.arange(len(y)), y] -= 1
        for t in range(len(y)):
            dV += np.outer(p[t], h[t]){slip}
            dU[:, x[t]] += self.V.T.dot(p[t]) * (1 - h[t] ** 2)
        return dU, dV
""")
    assert result["status"] == status, result


BEFORE_IT = '''
class mreza:
    def __init__(self, dim):
        self.ulazi, self.zbrojevi = [], []
        self.tezine = [np.random.rand(dim[i + 1], n) for i, n in enumerate(dim[:-1])]

    def train(self, x):
        self.ulazi, self.zbrojevi = [], []
        for w in self.tezine:
            self.ulazi.append(x)
            self.zbrojevi.append(np.matmul(w, x))
            x = np.tanh(self.zbrojevi[-1])
        vals = [float(np.exp(i)) for i in self.zbrojevi[-1]]
        self.softmax = [v / sum(vals) for v in vals]
        return self.softmax

    def bProp(self, gt):
        d = np.array(self.softmax) - gt
        for i in reversed(range(len(self.tezine))):
            step = np.outer(d, self.ulazi[i])
            if i:
                d = np.matmul(self.tezine[i].T, d) * (1 - np.tanh(self.zbrojevi[i - 1]){power})
            self.tezine[i] -= step

net = mreza([6, 4, 2])
res = net.train(np.random.rand(6))
net.bProp(np.array([1, 0]))
'''


@pytest.mark.parametrize("power, expected", [
    (" ** 2", ["correct"] * 2), ("", ["unknown", "correct"])])
def test_what_a_file_calls_before_its_backward_is_the_forward(check, power, expected):
    """Of one example, whose output is a list."""
    _, (result,) = check(mreza="import numpy as np" + BEFORE_IT.replace("{power}", power))
    rows = verdicts(result)
    assert [rows["tezine[0]"], rows["tezine[1]"]] == expected, result


@pytest.mark.parametrize("factor, expected", [
    ("", "correct"), ("0.5 * ", "off by a constant factor")])
def test_a_pair_that_keeps_nothing_and_is_given_its_input_again(check, factor, expected):
    _, (result,) = check(sloj=f'''
        class Sloj:
            def __init__(self, w, b):
                self.weight, self.bias = w, b

            def naprijed(self, ulaz):
                return self.bias + self.weight @ ulaz

            def natrag(self, rate, delta, ulaz):
                self.weight += -rate * {factor}delta @ np.transpose(ulaz)
                self.bias += -rate * delta
        ''')
    rows = verdicts(result)
    assert rows["w"] == expected and rows["b"] == "correct", result


@pytest.mark.parametrize("kept", ["", "@staticmethod\n "])
def test_a_derivative_that_is_static_and_has_no_forward_stops_nothing(check, kept):
    code = f"""
import numpy as np

class Tanh:
 {kept}def derivative(z):
  return 1 - np.tanh(z) ** 2

def relu(x):
 return np.maximum(x, 0)

def relu_backward(dout, x):
 return dout * (x > 0)
"""
    _, (result,) = check(static=code)
    assert result["checks"] and result["checks"][-1]["status"] == "correct", result
