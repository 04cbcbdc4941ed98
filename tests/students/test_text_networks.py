"""Scripts that learn to write a text: the text is not here, the loop never ends, lists say which
gradient belongs to which weight, and an optimizer hides it. Each with the slip behind the bar."""
import ast
import re

import pytest
from short import first
from student_files import verdicts

from minialex.students.reading import changes

HEAD = """
    import numpy as np
    text = open("a_text_that_is_nowhere.txt").read()
    letters = sorted(set(text))
    number = {c: i for i, c in enumerate(letters)}
    size, units, length, learning_rate = len(letters), 8, 4, 0.1
    U = np.random.randn(units, size) * 0.01
    R = np.random.randn(units, units) * 0.01
    O = np.random.randn(size, units) * 0.01
    p, q = np.zeros((units, 1)), np.zeros((size, 1))
"""
GOING = """
    place = turn = 0
    mU, mR, mO = np.zeros_like(U), np.zeros_like(R), np.zeros_like(O)
    mp, mq = np.zeros_like(p), np.zeros_like(q)
    smooth = np.log(size) * length
    while True:
        if place + length + 1 >= len(text) or turn == 0:
            before, place = np.zeros((units, 1)), 0
        ones = [number[c] for c in text[place:place + length]]
        nexts = [number[c] for c in text[place + 1:place + length + 1]]
"""
UPDATE = """
        smooth = 0.999 * smooth + 0.001 * loss
        for w, d, m in zip([U, R, O, p, q], [dU, dR, dO, dp, dq], [mU, mR, mO, mp, mq]):
            m += d * d
            w += -learning_rate * d / np.sqrt(m + 1e-8)
        place += length
        turn += 1
"""
FORWARD = """
x, h, prob, loss = {}, {-1: np.copy(before)}, {}, 0
for t in range(len(ones)):
    x[t] = np.zeros((size, 1))
    x[t][ones[t]] = 1
    h[t] = np.tanh(U @ x[t] + R @ h[t - 1] + p)
    scores = O @ h[t] + q
    prob[t] = np.exp(scores) / np.sum(np.exp(scores))
    loss += -np.log(prob[t][nexts[t], 0])
"""
BACKWARD = """
dU, dR, dO, dp, dq = (np.zeros_like(one) for one in (U, R, O, p, q))
later = np.zeros_like(h[0])
for t in reversed(range(len(ones))):
    d = np.copy(prob[t])
    d[nexts[t]] -= 1
    dO += d @ h[t].T
    dq += d
    below = (O.T @ d + later) * (1 - h[t]{ * h[t]|})
    dp += below
    dU += below @ x[t].T
    dR += below @ h[t - 1].T
    later = R.T @ below
for one in [dU, dR, dO, dp, dq]:
    np.clip(one, -5, 5, out=one)
"""


def variant(code, is_wrong):
    return re.sub(r"\{([^{}|]*)\|([^{}|]*)\}", rf"\{1 + is_wrong}", code)


def indented(code, by):
    return "".join(f"{' ' * by}{line}\n" for line in code.strip("\n").split("\n"))


SCRIPTS = {
    "all in the loop": HEAD + GOING + indented(FORWARD + BACKWARD, 8) + UPDATE,
    "one function": HEAD + "    def passes(ones, nexts, before):\n"
    + indented(FORWARD + BACKWARD, 8) + """
        return loss, dU, dR, dO, dp, dq, h[len(ones) - 1]
""" + GOING + """
        loss, dU, dR, dO, dp, dq, before = passes(ones, nexts, before)
""" + UPDATE,
    # of which neither runs with anything that is drawn
    "two functions": HEAD + "    def onward(ones, nexts, before):\n" + indented(FORWARD, 8) + """
        return x, h, prob, loss

    def backward(x, h, prob, ones, nexts):
""" + indented(BACKWARD, 8) + """
        return dU, dR, dO, dp, dq
""" + GOING + """
        x, h, prob, loss = onward(ones, nexts, before)
        dU, dR, dO, dp, dq = backward(x, h, prob, ones, nexts)
""" + UPDATE}


def test_a_slip_in_one_of_a_list_is_found(check):
    code = SCRIPTS["all in the loop"].replace("while True", "while turn < 2")
    _, (result,) = check(wrong=variant(code, True))
    found = {name for name, one in verdicts(result).items() if one == "correct"}
    assert [one["status"] for one in result["checks"]] == ["wrong"] and found == {"O", "q"}, result


@pytest.mark.long
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_gradients_of_a_text_network_are_compared(check, name):
    _, (result,) = check(right=variant(SCRIPTS[name], False))
    assert [one["status"] for one in result["checks"]] == ["correct"], result
    found = verdicts(result)
    assert [found[one] for one in ("U", "R", "O", "p", "q")] == ["correct"] * 5, result
    _, (result,) = check(wrong=variant(SCRIPTS[name], True))
    assert [one["status"] for one in result["checks"]] == ["wrong"], result
    assert verdicts(result)["O"] == "correct" and verdicts(result)["R"] != "correct", result


def test_a_state_that_is_handed_on_is_no_weight():
    code = ast.parse("params, H = onward(X, H, params)\nh_prev = onward(X, h_prev)")
    assert changes.handed(code.body, {"onward": print}) == {"onward": ["params"]}


OPTIMIZERS = {
    "clipped": """
                grads[k] = np.clip(grads[k], -0.01, 0.01)
                params[k] -= lr * grads[k]""",
    "Adam": """
                m[k] = 0.9 * m[k] + (1 - 0.9) * grads[k]
                v[k] = 0.999 * v[k] + (1 - 0.999) * grads[k] ** 2
                m_hat, v_hat = m[k] / (1 - 0.9 ** (e + 1)), v[k] / (1 - 0.999 ** (e + 1))
                params[k] -= lr * m_hat / (np.sqrt(v_hat) + 1e-8)""",
    "RMSProp": """
                v[k] = 0.9 * v[k] + 0.1 * np.square(grads[k])
                params[k] = params[k] - lr * grads[k] / (v[k] + 1e-8) ** 0.5""",
}


@pytest.mark.parametrize("name", first(1, OPTIMIZERS))
def test_an_optimizer_hides_no_gradient(check, name):
    code = f"""
        import numpy as np

        def fit(X, y, hidden=6, epochs=100, lr=0.01):
            params = {{"W1": np.random.randn(X.shape[1], hidden), "b1": np.zeros(hidden),
                      "W2": np.random.randn(hidden, y.shape[1]), "b2": np.zeros(y.shape[1])}}
            m = {{k: np.zeros_like(one) for k, one in params.items()}}
            v = {{k: np.zeros_like(one) for k, one in params.items()}}
            for e in range(epochs):
                h = np.tanh(X @ params["W1"] + params["b1"])
                out = h @ params["W2"] + params["b2"]
                d = (out - y) / len(X)
                below = d @ params["W2"].T * (1 - h{{ ** 2|}})
                grads = {{"W1": X.T @ below, "b1": below.sum(axis=0),
                         "W2": h.T @ d, "b2": d.sum(axis=0)}}
                for k in params:{OPTIMIZERS[name].replace(chr(10), chr(10) + "    ")}
            return params
        """
    for is_wrong, status in enumerate(("correct", "wrong")):
        _, (result,) = check(net=variant(code, is_wrong))
        assert [one["status"] for one in result["checks"]] == [status], result
