"""A recurrent network of vectors whose gates have their weights in one dictionary; the gradients of
these stand before those of the states and of x, each called after its own."""
import pytest
from short import first

CODE = """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def lstm_forward(xs, h0, c0, params):
    h, c, steps = h0, c0, []
    hs = np.zeros((len(xs), len(h0)))
    for t, x in enumerate(xs):
        f = sigmoid(params["W_xf"] @ x + params["W_hf"] @ h + params["b_f"])
        i = sigmoid(params["W_xi"] @ x + params["W_hi"] @ h + params["b_i"])
        g = np.tanh(params["W_xg"] @ x + params["W_hg"] @ h + params["b_g"])
        o = sigmoid(params["W_xo"] @ x + params["W_ho"] @ h + params["b_o"])
        before, c = (h, c), f * c + i * g
        h = hs[t] = o * np.tanh(c)
        steps.append((x, *before, f, i, g, o, c))
    return hs, (steps, params)

def lstm_backward(dhs, cache):
    steps, params = cache
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    dh_next, dc_next = np.zeros(len(dhs[0])), np.zeros(len(dhs[0]))
    dxs = np.zeros((len(steps), len(steps[0][0])))
    for t in reversed(range(len(steps))):
        x, h, c_before, f, i, g, o, c = steps[t]
        dh = dhs[t] + dh_next
        dc = dh * o * (1 - np.tanh(c) ** 2) + dc_next
        inner = {"f": dc * c_before * f * (1 - f), "i": dc * g * i * (1 - i),
                 "g": dc * i * (1 - g ** 2), "o": dh * np.tanh(c) * o * (1 - o)}
        dh_next = np.zeros_like(h)
        for gate, dz in inner.items():
            grads["W_x" + gate] += np.outer(dz, x)
            grads["W_h" + gate] += np.outer(dz, h)
            grads["b_" + gate] += dz
            dxs[t] += params["W_x" + gate].T @ dz
            dh_next += params["W_h" + gate].T @ dz
        dc_next = dc * f
    return grads, dh_next, dc_next, dxs
"""


@pytest.mark.parametrize("slip, wrong", first(0, [
    (("", ""), ""), (("np.outer(dz, h)", "np.outer(h, dz)"), "W_hf W_hi W_hg W_ho"),
    (("dc_next = dc * f", "dc_next = dc"), "c0"), (("return grads, dh_next, dc_next",
                                                  "return grads, dc_next, dh_next"), "h0 c0")]))
def test_each_gate_has_its_sizes_and_each_gradient_its_input(check, slip, wrong):
    assert slip[0] in CODE
    _, (result,) = check(gates=CODE.replace(*slip) if slip[0] else CODE)
    (one,) = result["checks"]
    found = {row["name"] for row in one["rows"] if row["verdict"] != "correct"}
    assert len(one["rows"]) == 15 and found >= {*wrong.split()} and bool(found) == bool(wrong), one
