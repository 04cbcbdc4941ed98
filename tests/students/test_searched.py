"""Inputs whose names say nothing are found by running: sizes that go with each other, indices,
counts, weights in a row, in a tuple, under keys."""
import textwrap

import pytest
from short import first
from student_files import verdicts

HEAD = "import numpy as np\n"
# {what is to be found: (code, what is written there, the slip in its place)}
CODE = {
    "a column of ones beside the examples": ("""
        def odd_loss(a, b, c):
            e = np.hstack((np.ones((len(b), 1)), b))
            d = e @ a.T - c
            return 0.5 * np.sum(d * d), d.T @ e
        """, "d.T @ e", "d.T @ e / len(b)"),
    "two matrices in one row, and their sizes": ("""
        def odd_loss(a, b, c, d):
            f, g = a[:b * c].reshape(b, c), a[b * c:].reshape(c, 2)
            e = f @ g - d
            return np.sum(e * e), np.concatenate([(2 * e @ g.T).ravel(), (2 * f.T @ e).ravel()])
        """, "(2 * f.T @ e)", "(f.T @ e)"),
    "rows by their numbers": ("""
        def odd_loss(a, b, c):
            e, g = a[b] - c, np.zeros_like(a)
            np.add.at(g, b, 2 * e)
            return np.sum(e * e), g
        """, "np.add.at(g, b, 2 * e)", "np.add.at(g, b, e)"),
    "one row by its number": ("""
        def odd_loss(a, b, c):
            e = np.exp(c @ a)
            g = e / e.sum()
            loss = -np.log(g[b])
            g[b] -= 1
            return loss, c.T @ g
        """, "c.T @ g", "-c.T @ g"),
    "what is unpacked": ("""
        def odd_loss(a, b):
            e, f = a
            g = b @ e @ f
            return 0.5 * np.sum(g * g), (b @ e).T @ g, b.T @ g @ f.T
        """, "(b @ e).T @ g, b.T @ g @ f.T", "(b @ e).T @ g, 2 * b.T @ g @ f.T"),
    "a bias as long as a row, not as all examples": ("""
        def odd_loss(ee, ff):
            e, u = ee
            g = ff @ e + u
            return 0.5 * np.sum(g * g), ff.T @ g, g.sum(axis=0)
        """, "ff.T @ g, g.sum", "ff.T @ g, -g.sum"),
    "a mask of 0 and 1": ("""
        def odd_loss(a, b, c):
            e = a[:b * 3].reshape(b, 3) * c
            return 0.5 * np.sum(e * e), e.ravel()
        """, "e.ravel()", "2 * e.ravel()"),
    "keys that are counted": ("""
        def odd_loss(a, b):
            e = [b]
            for i in range(2):
                e.append(e[-1] @ a[f"U{i}"])
            d, grads = e[-1], {}
            for i in (1, 0):
                grads[f"dU{i}"] = e[i].T @ d
                d = d @ a[f"U{i}"].T
            return 0.5 * np.sum(e[-1] ** 2), grads
        """, "d = d @ a", "d = 2 * d @ a"),
    "a factor of a penalty": ("""
        def logistic_cost(theta, X, y, zeta):
            theta = theta.reshape(len(theta), len(theta[0]))
            p = 1 / (1 + np.exp(-X @ theta))
            loss = -np.sum(y.T @ np.log(p) + (1 - y).T @ np.log(1 - p)) / len(y)
            loss += zeta / (2 * len(y)) * np.sum(theta ** 2)
            return loss, X.T @ (p - y) / len(y) + zeta / len(y) * theta
        """, "+ zeta / len(y)", "- zeta / len(y)"),
    "factors beside the weights of both layers in one row": ("""
        def encoder_cost(theta, visible_size, hidden_size, ro, be, data):
            cut = hidden_size * visible_size
            U = theta[:cut].reshape(hidden_size, visible_size)
            V = theta[cut:2 * cut].reshape(visible_size, hidden_size)
            c, d = theta[2 * cut:2 * cut + hidden_size], theta[2 * cut + hidden_size:]
            h = 1 / (1 + np.exp(-(U @ data + c[:, None])))
            e = V @ h + d[:, None] - data
            r = np.mean(h, axis=1)
            cost = 0.5 * np.sum(e * e) + be * np.sum(
                ro * np.log(ro / r) + (1 - ro) * np.log((1 - ro) / (1 - r)))
            dr = be * (-ro / r + (1 - ro) / (1 - r)) / data.shape[1]
            dz = (V.T @ e + dr[:, None]) * h * (1 - h)
            return cost, np.concatenate([(dz @ data.T).ravel(), (e @ h.T).ravel(),
                                         dz.sum(axis=1), e.sum(axis=1)])
        """, "dr[:, None])", "2 * dr[:, None])"),
    "what stands behind a star, as an optimizer hands it on": ("""
        def objective_cost(params, *args):
            n_inside, n_hidden, X, y, lam = args
            U = params[:n_hidden * n_inside].reshape(n_hidden, n_inside)
            v = params[n_hidden * n_inside:]
            h = np.tanh(X @ U.T)
            e = h @ v - y
            dh = np.outer(e, v) * (1 - h ** 2)
            cost = (e @ e + lam * (params @ params)) / 2
            return cost, np.concatenate([(dh.T @ X).ravel(), h.T @ e]) + lam * params
        """, "+ lam * params", "- lam * params"),
    "an example of so many steps": ("""
        STEPS = 9

        class Odd:
            def __init__(self, a, b):
                self.U = np.random.randn(b, a)

            def forward(self, q):
                self.q = q
                return sum(self.U @ q[i] for i in range(STEPS))

            def backward(self, dout):
                self.dU = sum(np.outer(dout, self.q[i]) for i in range(STEPS))
                return np.stack([self.U.T @ dout] * STEPS)
        """, "np.outer(dout, self.q[i])", "np.outer(dout, self.q[0])"),
}


@pytest.mark.parametrize("what", CODE)
def test_what_no_name_says_is_found_and_told_as_it_would_be_typed(check, what):
    code, *_ = CODE[what]
    status, (result,) = check(odd=HEAD + textwrap.dedent(code))
    assert status == 0, result
    (item,) = result["checks"]
    typed = item["inputs"].pop("found by trying")
    status, (repeated,) = check(*typed.split(), odd=HEAD + textwrap.dedent(code))
    assert status == 0 and repeated["checks"][0]["inputs"] == item["inputs"], (typed, repeated)


@pytest.mark.parametrize("what", first(4, CODE))
def test_a_slip_is_found_with_such_inputs_too(check, what):
    code, right, slip = CODE[what]
    assert right in code
    status, (result,) = check(odd=HEAD + textwrap.dedent(code.replace(right, slip)))
    assert status == 1 and result["status"] == "wrong", (verdicts(result), result["checks"])


def test_a_backward_that_returns_a_number_ends_in_no_error_of_ours(check):
    _, (result,) = check(odd=HEAD + textwrap.dedent("""
        def zork(blip, blop):
            return (blip @ blop).reshape(3, 5)

        def zork_backward(dout, blip, blop):
            return float(np.sum(dout))
        """))
    assert result["status"] == "error" and result["checks"][0]["error"]["kind"] == "no inputs"
