"""Gradients in another order than the inputs, behind a row of ones, of one vector."""
import pytest
from student_files import verdicts

HEAD = "import numpy as np\n"

DENSE = HEAD + """
def dense_forward(x, w, b):
    return x @ w + b, (x, w)

def dense_backward(dout, cache):
    x, w = cache
    dw, db, dx = FACTOR * x.T @ dout, dout.sum(axis=0), dout @ w.T
    return ORDER
"""


@pytest.mark.parametrize("order", ["dw, db, dx", "db, dx, dw",
                                   "FACTOR * x.T @ dout, db, dout @ w.T"])
@pytest.mark.parametrize("factor, verdict", [("1", "correct"), ("2", "off by a constant factor")])
def test_gradients_in_another_order(check, order, factor, verdict):
    _, (result,) = check(dense=DENSE.replace("ORDER", order).replace("FACTOR", factor))
    assert verdicts(result) == {"x": "correct", "w": verdict, "b": "correct"}


TWINS = HEAD + """
def blend_forward(left, right):
    return left * right ** 2, (left, right)

def blend_backward(dout, cache):
    left, right = cache
    dleft, dright = dout * right ** 2, 2 * dout * left * right
    return dright, dleft
"""


def test_of_one_shape_they_are_told_apart_by_their_names(check):
    assert check(twins=TWINS)[0] == 0
    assert check(twins=TWINS.replace("dleft, dright =", "dright, dleft ="))[0] == 1


def test_a_teachers_order_is_kept(check, tmp_path):
    skeleton = tmp_path / "skeleton.py"
    skeleton.write_text(DENSE.replace("ORDER", "dx, dw, db").replace("FACTOR", "1"))
    code = DENSE.replace("FACTOR", "1")
    like = ["--like", str(skeleton)]
    assert check(*like, one=code.replace("ORDER", "dx, dw, db"))[0] == 0
    assert check(*like, one=code.replace("ORDER", "dw, db, dx"))[0] == 1


ONES = HEAD + """
def squash_forward(a):
    return np.tanh(a)

def squash_backward(out, grad_out):
    DROPPED
    return g * (1 - o ** 2)
"""


@pytest.mark.parametrize("dropped", [
    "g, o = np.delete(grad_out, 0), np.delete(out, 0)", "g, o = grad_out[1:], out[1:]",
    "g, o = grad_out[:, 1:], out[:, 1:]",
    "g, o = np.delete(grad_out, 0, axis=1), np.delete(out, 0, axis=1)"])
def test_backward_drops_the_ones_that_were_put_before_the_output(check, dropped):
    code = ONES.replace("DROPPED", dropped)
    assert check(ones=code)[0] == 0
    assert check(ones=code.replace("g * (1 -", "2 * g * (1 -"))[0] == 1


VECTORS = HEAD + """
def share(a):
    return np.exp(a) / np.exp(a).sum()

def share_backward(dout, s):
    return FACTOR * (np.diag(s) - np.outer(s, s)) @ dout

def turn_forward(weights, x):
    return weights @ x

def turn_backward(weights, x, dout):
    return FACTOR * np.outer(dout, x), weights.T @ dout

class Turn:
    def __init__(self, n_in, n_out):
        self.W = np.ones((n_out, n_in))
    def forward(self, x):
        self.x = x
        return self.W @ x
    def backward(self, dout):
        self.dW = FACTOR * np.outer(dout, self.x)
        return self.W.T @ dout
"""


def test_what_is_for_one_vector_is_given_one(check):
    _, (result,) = check(vectors=VECTORS.replace("FACTOR", "1"))
    assert [item["status"] for item in result["checks"]] == ["correct"] * 3
    _, (result,) = check(vectors=VECTORS.replace("FACTOR", "2"))
    assert [item["status"] for item in result["checks"]] == ["wrong"] * 3


NORMS = HEAD + """
def scale_norm_forward(x, weight, bias):
    return (x - x.mean(axis=0)) * weight + bias, (x, weight)

def scale_norm_backward(dout, cache):
    x, weight = cache
    dx = dout * weight
    return dx - dx.mean(axis=0), (dout * (x - x.mean(axis=0))).sum(axis=0), dout.sum(axis=0)

def dense_norm_forward(x, w, b, gamma, beta):
    h = x @ w + b
    return (h - h.mean(axis=0)) * gamma + beta, (x, w, h, gamma)

def dense_norm_backward(dout, cache):
    x, w, h, gamma = cache
    dh = dout * gamma
    dh -= dh.mean(axis=0)
    dgamma = (dout * (h - h.mean(axis=0))).sum(axis=0)
    return x.T @ dh, dh.sum(axis=0), dh @ w.T, dgamma, dout.sum(axis=0)
"""


def test_a_norm_may_call_its_scale_a_weight_or_stand_behind_a_layer(check):
    _, (result,) = check(norms=NORMS)
    assert [item["status"] for item in result["checks"]] == ["correct"] * 2
    _, (result,) = check(norms=NORMS.replace("dout.sum(axis=0)\n", "dout.mean(axis=0)\n"))
    assert [item["status"] for item in result["checks"]] == ["wrong"] * 2


JOIN = {
    "a class": """
    import numpy as np

    class Join:
        def forward(self, a, b):
            self.n = a.shape[1]
            return np.concatenate([a, b], axis=1)
        def backward(self, dout):
            return {order}
    """,
    "functions": """
    import numpy as np

    def join_forward(a, x):
        return np.concatenate([a, x], axis=1), a.shape[1]

    def join_backward(dout, n):
        return {order}
    """}


@pytest.mark.parametrize("form", JOIN)
@pytest.mark.parametrize("order, status", [("dout[:, :N], dout[:, N:]", "correct"),
                                           ("dout[:, N:], dout[:, :N]", "wrong")])
def test_of_inputs_alone_another_order_is_no_convention(check, form, order, status):
    """By their shapes they could be told, were one wider: so forward's order counts."""
    cut = order.replace("N", "self.n" if form == "a class" else "n")
    _, (result,) = check(join=JOIN[form].format(order=cut))
    assert result["status"] == status, verdicts(result)
