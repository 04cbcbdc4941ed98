"""What a constructor takes together: a dictionary, an object, rows; and classes that keep to a form
of their own."""
import pytest

DENSE = """
    import numpy as np
    {before}

    class Dense:
        def __init__(self, {given}):
            {keep}

        def forward(self, x):
            self.x, self.z = x, x @ self.W + self.b
            return np.tanh(self.z)

        def backward(self, grad):
            grad = grad * {slope}
            self.dW, self.db = self.x.T @ grad, grad.sum(axis=0)
            return grad @ self.W.T
"""
MADE = "self.W, self.b = np.random.randn({0}, {1}) * 0.3, np.zeros({1})"
RIGHT, SLIP = "(1 - np.tanh(self.z) ** 2)", "(1 - np.tanh(self.z))"
FIELDS = """
    import dataclasses
    import enum
    import a_module_that_is_nowhere as nowhere

    DATA = np.random.rand(4, 3)

    class Start(enum.Enum):
        SMALL = 0.1

    @dataclasses.dataclass
    class Config:
        n_in: int
        n_out: int
        start: Start
"""
FORMS = {
    "config: Config": (FIELDS, MADE.format("config.n_in", "config.n_out")),
    "config": ("", MADE.format("config.n_in", "config.n_out")),
    "options": ("", MADE.format("options['n_in']", "options['n_out']")),
    "settings": ("settings = dict(wide=4, high=3)",
                 f"self.__dict__.update(settings); {MADE.format('self.wide', 'self.high')}"),
}


def told(check, text):
    """{what was checked: its status}"""
    return {one["checked"]: one["status"] for one in check(layers=text)[1][0]["checks"]}


@pytest.mark.parametrize("given", FORMS)
@pytest.mark.parametrize("slope, status", [(RIGHT, "correct"), (SLIP, "wrong")])
def test_settings_are_drawn_by_what_is_read_of_them(check, given, slope, status):
    before, keep = FORMS[given]
    text = DENSE.format(before=before, given=given, keep=keep, slope=slope)
    assert told(check, text) == {"Dense": status}


SLOTS = """
    import numpy as np

    class Swish:
        __slots__ = ("kept",)

        def forward(self, x):
            s = 1 / (1 + np.exp(-x))
            self.kept = x, s
            return x * s

        def backward(self, dout):
            x, s = self.kept
            return dout * (s + {slope})
"""


@pytest.mark.parametrize("slope, status", [("x * s * (1 - s)", "correct"), ("x * s", "wrong")])
def test_a_class_with_slots_is_checked(check, slope, status):
    assert told(check, SLOTS.format(slope=slope)) == {"Swish": status}


CELL = """
    import numpy as np

    class Cell:
        def __init__(self, nx, nh):
            self.p = dict(Wx=np.random.randn(nx, nh), Wh=np.random.randn(nh, nh), b=np.zeros(nh))

        def step(self, x, h):
            n = np.tanh(x @ self.p["Wx"] + h @ self.p["Wh"] + self.p["b"])
            return n, (x, h, n)

        def step_backward(self, dn, cache):
            x, h, n = cache
            dz = dn * {slope}
            self.grads = dict(Wx=x.T @ dz, Wh=h.T @ dz, b=dz.sum(0))
            return dz @ self.p["Wx"].T, dz @ self.p["Wh"].T
"""


@pytest.mark.parametrize("slope, status", [("(1 - n ** 2)", "correct"), ("(1 - n)", "wrong")])
def test_a_step_and_its_backward_are_a_pair_of_a_class_that_is_made_of_sizes(check, slope, status):
    assert told(check, CELL.format(slope=slope)) == {"Cell.step_backward": status}


BASE = """
    import numpy as np

    class Linear:
        def __init__(self, dim, classes):
            self.W = np.random.randn(dim, classes) * 0.01

        def loss(self, X, y, reg):
            raise NotImplementedError

    class Squared(Linear):
        def loss(self, X, y, reg):
            r = X @ self.W - y
            return (r ** 2).sum() / 2 + reg * (self.W ** 2).sum(), X.T @ r + {two} * reg * self.W
"""


@pytest.mark.parametrize("two, status", [(2, "correct"), (1, "wrong")])
def test_a_loss_that_is_left_to_others_is_not_checked(check, two, status):
    assert told(check, BASE.format(two=two)) == {"Squared.loss": status}


NET = """
    import numpy as np

    class Net:
        def __init__(self, dims=(3, 5, 2)):
            d, h, c = dims
            self.W1, self.W2 = np.random.randn(d, h) * 0.3, np.random.randn(h, c) * 0.3

        def forward(self, X):
            self.a = np.maximum(X @ self.W1, 0)
            return self.a @ self.W2

        def get_gradients(self, X, y):
            s = self.forward(X)
            p = np.exp(s) / np.exp(s).sum(1, keepdims=True)
            p[range(len(y)), y] -= 1
            p /= {count}
            return {{"W1": X.T @ ((p @ self.W2.T) * (self.a > 0)), "W2": self.a.T @ {p}}}
"""


@pytest.mark.parametrize("count, p, status", [("len(y)", "p", "correct"), ("1", "p", "correct"),
                                              ("1", "np.abs(p)", "wrong")])
def test_classes_are_as_many_as_the_outputs_of_a_network(check, count, p, status):
    assert told(check, NET.format(count=count, p=p)) == {"Net": status}


ROWS = """
    import numpy as np

    class Net:
        def __init__(self, rows):
            self.rows, self.params = rows, {{}}
            for i, row in enumerate(rows, 1):
                self.params[f"W{{i}}"] = np.random.randn(row["output_dim"], row["input_dim"])

        def full_forward(self, X):
            kept, A = {{"A0": X}}, X
            for i, row in enumerate(self.rows, 1):
                Z = self.params[f"W{{i}}"] @ A
                A = np.maximum(0, Z) if row["activation"] == "relu" else 1 / (1 + np.exp(-Z))
                kept[f"Z{{i}}"], kept[f"A{{i}}"] = Z, A
            return A, kept

        def full_backward(self, Y_hat, Y, kept):
            grads, dA = {{}}, (1 - Y) / (1 - Y_hat) - Y / Y_hat
            for i in (2, 1):
                A, Z = kept[f"A{{i}}"], kept[f"Z{{i}}"]
                dZ = dA * ((Z > 0) if self.rows[i - 1]["activation"] == "relu" else {slope})
                grads[f"dW{{i}}"] = dZ @ kept[f"A{{i-1}}"].T / Y.shape[1]
                dA = self.params[f"W{{i}}"].T @ dZ
            return grads
"""


@pytest.mark.parametrize("slope, status", [("A * (1 - A)", "correct"), ("A * (1 + A)", "error")])
def test_the_last_of_rows_with_a_size_and_a_word_is_a_sigmoid(check, slope, status):
    assert [*told(check, ROWS.format(slope=slope)).values()] == [status]


OUTER = """
    import numpy as np

    W1, W2 = np.random.randn(3, 4), np.random.randn(4, 2)

    def forward(X):
        global h, out
        h = np.maximum(0, X @ W1)
        e = np.exp(h @ W2)
        out = e / e.sum(axis=1, keepdims=True)
        return out

    def loss(out, y):
        return -np.mean(np.log(out[np.arange(len(y)), y]))

    def backward(X, y):
        d = out.copy()
        d[np.arange(len(y)), y] -= 1
        d = d / len(y)
        dW2 = h.T @ d
        dh = d @ W2.T
        dW1 = X.T @ (dh * {slope})
        return dW1, dW2
"""


@pytest.mark.parametrize("slope, status", [("(h > 0)", "correct"), ("h", "wrong")])
def test_a_network_whose_weights_are_at_the_top_level(check, slope, status):
    assert told(check, OUTER.format(slope=slope)) == {"backward": status}


MEAN = """
    import numpy as np

    def initialize(dims):
        return {{"W1": np.random.randn(dims[1], dims[0]), "W2": np.random.randn(dims[2], dims[1])}}

    def forward(X, params):
        A1 = np.tanh(params["W1"] @ X)
        Z = params["W2"] @ A1
        return {last}, (A1,)

    def cost(A, Y):
        return -np.mean({of})

    def backward(params, cache, A, X, Y):
        A1, dZ = cache[0], A - Y
        dA1 = params["W2"].T @ dZ * (1 - A1 ** 2)
        return {{"dW1": dA1 @ X.T / Y.shape[1], "dW2": dZ @ A1.T / Y.shape[1]}}
"""


@pytest.mark.parametrize("last, of, status", [
    ("1 / (1 + np.exp(-Z))", "Y * np.log(A) + (1 - Y) * np.log(1 - A)", "correct"),
    ("np.exp(Z) / np.exp(Z).sum(0)", "Y * np.log(A)", "undecided")])
def test_the_mean_over_all_is_that_of_one_output_but_for_a_softmax(check, last, of, status):
    assert told(check, MEAN.format(last=last, of=of)) == {"backward": status}


SIZED = """
    import numpy as np

    index = {{"a": 1}}
    _ = {{"b": 2}}

    class Net:
        def __init__(self, x, y):
            self.x, self.y, self.count = x, y, x.size
            self.w = np.random.rand(x.shape[1], 1)

        def feedforward(self):
            self.output = 1 / (1 + np.exp(-self.x @ self.w))
            return self.output

        def backprop(self):
            self.w += self.x.T @ ((self.y - self.output) * {slope})
"""


@pytest.mark.parametrize("slope, status", [("self.output * (1 - self.output)", "correct"),
                                           ("self.output", "wrong")])
def test_data_are_no_settings(check, slope, status):
    assert told(check, SIZED.format(slope=slope)) == {"Net": status}
