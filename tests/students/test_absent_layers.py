"""Layers, functions and base classes of files that were not handed in: stood in for, and never to
blame."""
import numpy as np
import pytest
from student_files import verdicts

from minialex.students.reading.usual import USUAL


def outcome(result):
    """(status, error) of each check."""
    return [(one["status"], (one["error"] or {}).get("kind")) for one in result["checks"]]


NET = """
    from book.layers import *

    class Net:
        def __init__(self, input_size, hidden_size, output_size):
            made = [np.random.randn(input_size, hidden_size), np.zeros(hidden_size),
                    np.random.randn(hidden_size, output_size), np.zeros(output_size)]
            self.params = dict(zip(["W1", "b1", "W2", "b2"], made))
            self.layers = [Affine(made[0], made[1]), {squash}(), Affine(made[2], made[3])]
            self.last = SoftmaxWithLoss()

        def loss(self, x, t):
            for layer in self.layers:
                x = layer.forward(x)
            return self.last.forward(x, t)

        def gradient(self, x, t):
            self.loss(x, t)
            dout = self.last.backward(1)
            for layer in self.layers[::-1]:
                dout = layer.backward(dout)
            first, _, last = self.layers
            return {{"W1": first.dW, "b1": first.db, "W2": last.dW, "b2": last.db{slip}}}
    """


@pytest.mark.parametrize("squash", ["Relu", "Sigmoid"])
def test_a_network_of_the_books_layers(check, squash):
    status, (result,) = check(net=NET.format(squash=squash, slip=""))
    found = verdicts(result)
    assert [found[name] for name in ("W1", "b1", "W2", "b2")] == ["correct"] * 4, result
    status, (result,) = check(net=NET.format(squash=squash, slip=" * 2"))
    assert (status, outcome(result)) == (1, [("error", "not handed in")]), result
    assert f"with the usual Affine, {squash}, SoftmaxWithLoss of book.layers this is not right" in \
        result["checks"][0]["error"]["message"]


HELPERS = """
    from .tools import {names}

    class Attend:
        def forward(self, x):
            self.x, self.p = x, softmax(x)
            return self.p * x

        def backward(self, dout):
            return dout * self.p + softmax_backward(dout * self.x{slip}, self.p)

    class Gate:
        def forward(self, z):
            self.z = z
            return z * sigmoid(z)

        def backward(self, dout):
            return dout * sigmoid(self.z){slip} + sigmoid_backward(dout * self.z, self.z)

    def bent_forward(w, x):
        a, cache = tanh(x @ w)
        return a, (w, x, cache)

    def bent_backward(dout, all_of_it):
        w, x, cache = all_of_it
        dz = tanh_backward(dout, cache){slip}
        return x.T @ dz, dz @ w.T

    def scaled(x):
        return relu(x) * 3

    def scaled_prime(x):
        return relu_derivative(x) * 3{slip}
    """
NAMES = ("softmax, softmax_backward, sigmoid, sigmoid_backward, tanh, tanh_backward, relu, "
         "relu_derivative")


@pytest.mark.parametrize("names", [NAMES, "*"])
def test_usual_functions_with_their_backward(check, names):
    status, (result,) = check(helpers=HELPERS.format(names=names, slip=""))
    assert outcome(result) == [("correct", None)] * 4, result
    status, (result,) = check(helpers=HELPERS.format(names=names, slip=" * 2"))
    assert outcome(result) == [("error", "not handed in")] * 4, result


def test_columns_of_windows_as_another_course_orders_them():
    rng = np.random.default_rng(0)
    pictures = rng.standard_normal((2, 3, 5, 4))
    columns = USUAL["im2colindices"](pictures, 3, 2, padding=1, stride=2)
    assert columns.shape == (3 * 3 * 2, 3 * 3 * 2)  # the example is the last to change, fastest
    assert np.array_equal(columns[:, -1].reshape(3, 3, 2), np.pad(
        pictures[1], ((0, 0), (1, 1), (1, 1)))[:, 4:7, 4:6])
    assert np.array_equal(columns[:, 0].reshape(3, 3, 2), np.pad(
        pictures[0], ((0, 0), (1, 1), (1, 1)))[:, :3, :2])
    other = rng.standard_normal(columns.shape)
    back = USUAL["col2imindices"](other, pictures.shape, 3, 2, padding=1, stride=2)
    assert np.isclose((back * pictures).sum(), (columns * other).sum())


HEIRS = """
    from framework.layers import Block, Normal

    class Rectify(Block):
        def __init__(self, below):
            super().__init__(below)
            self.register(below)

        def forward(self, x):
            self.x = x
            return np.maximum(x, 0)

        def backward(self, dout):
            return dout * (self.x > 0){slip}

    class Standard(Normal):
        def forward(self, x):
            middle = x - x.mean(self.axis, keepdims=True)
            self.std = np.sqrt((middle ** 2).mean(self.axis, keepdims=True) + self.epsilon)
            self.z = middle / self.std
            return self.gamma * self.z + self.beta

        def backward(self, dout):
            self.dgamma, self.dbeta = (dout * self.z).sum(axis=0), dout.sum(axis=0){slip}
            dz = dout * self.gamma
            dz = dz - dz.mean(self.axis, keepdims=True) - self.z * (dz * self.z).mean(
                self.axis, keepdims=True)
            return dz / self.std
    """


def test_what_a_missing_base_class_was_to_set_is_drawn(check):
    status, (result,) = check(heirs=HEIRS.format(slip=""))
    assert set(verdicts(result)) == {"x", "gamma", "beta"}, result
    assert outcome(result) == [("correct", None)] * 2 and status == 0
    _, (result,) = check(heirs=HEIRS.format(slip=" * 2"))
    assert outcome(result) == [("wrong", None), ("error", "not handed in")], result


@pytest.mark.parametrize("use", ["self.prepare(x)", "self.widths"])
def test_what_nobody_can_draw_is_named(check, use):
    _, (result,) = check(heir=f"""
        from framework.layers import Block

        class Bend(Block):
            def forward(self, x):
                return {use} * x

            def backward(self, dout):
                return dout
        """)
    name = use.removeprefix("self.").partition("(")[0]
    assert result["checks"][0]["error"]["message"].startswith(f"Bend has no {name}; its base class")


def test_an_error_is_told_of_the_inputs_that_came_furthest(check):
    _, (result,) = check(steps="""
        class Step:
            def forward(self, x, h):
                return x @ np.ones((5, 6)) + h @ self.nowhere

            def backward(self, dout):
                return dout, dout

        class TimeStep:
            def forward(self, xs):
                N, T, D = xs.shape
                return Step().forward(xs[:, 0], np.zeros((N, 6)))

            def backward(self, dout):
                return dout
        """)
    assert "nowhere" in result["checks"][1]["error"]["message"], result


PARTS = """
    from .parts import {names}

    class Net:
        def __init__(self, input_dim=3072, hidden_dim=100, num_classes=10):
            self.params = {{"W1": np.random.randn(input_dim, hidden_dim),
                           "b1": np.zeros(hidden_dim),
                           "W2": np.random.randn(hidden_dim, num_classes),
                           "b2": np.zeros(num_classes)}}

        def loss(self, X, y=None):
            W1, b1, W2, b2 = self.params.values()
            h, below = affine_relu_forward(X, W1, b1)
            scores, above = affine_forward(h, W2, b2)
            if y is None:
                return scores
            loss, dscores = {loss}(scores, y)
            grads = {{}}
            dh, grads["W2"], grads["b2"] = affine_backward(dscores{slip}, above)
            _, grads["W1"], grads["b1"] = affine_relu_backward(dh, below)
            return loss, grads
    """


@pytest.mark.parametrize("loss", ["softmax_loss", "svm_loss"])
def test_a_network_of_another_courses_functions(check, loss):
    names = f"affine_forward, affine_backward, affine_relu_forward, affine_relu_backward, {loss}"
    _, (result,) = check(net=PARTS.format(names=names, loss=loss, slip=""))
    assert outcome(result) == [("correct", None)] and len(verdicts(result)) == 5, result
    _, (result,) = check(net=PARTS.format(names="*", loss=loss, slip=" * 2"))
    assert outcome(result) == [("error", "not handed in")], result


def test_with_the_usual_ones_what_is_undecided_stays_so(check):
    _, (result,) = check(columns="""
        from helpers import relu, relu_backward, cross_entropy_error

        def step_forward(A, W, b):
            Z = W @ A + b
            H, kept = relu(Z)
            return H, (A, W, kept)

        def step_backward(dH, cache):
            A, W, kept = cache
            dZ = relu_backward(dH, kept)
            m = A.shape[1]
            return W.T @ dZ, dZ @ A.T / m, dZ.sum(axis=1, keepdims=True) / m

        class OneScore:
            def forward(self, x, t):
                self.t, self.y = t, 1 / (1 + np.exp(-x))
                return cross_entropy_error(np.c_[1 - self.y, self.y], t)

            def backward(self, dout=1):
                return dout * (self.y - self.t) / len(self.t)
        """)
    assert outcome(result) == [("undecided", None), ("correct", None)], result


@pytest.mark.parametrize("called, status", [("softmax(scores, axis=1)", "correct"),
                                            ("softmax(scores)", "wrong"),
                                            ("np.exp(log_softmax(scores, axis=1))", "correct"),
                                            ("np.exp(log_softmax(scores))", "wrong"), (
    "np.exp(scores - logsumexp(scores, axis=1, keepdims=True))", "correct"), (
    "np.exp(scores - logsumexp(scores))", "wrong")])
def test_scipys_softmax_goes_over_all_where_no_axis_is_given(check, called, status):
    _, (result,) = check(loss=f"""
    import numpy as np
    from scipy.special import log_softmax, logsumexp, softmax

    def softmax_loss(scores, y):
        p = {called}
        n = np.arange(len(y))
        loss = -np.log(p[n, y]).mean()
        d = p.copy()
        d[n, y] -= 1
        return loss, d / len(y)
    """)
    assert result["status"] == status, result
