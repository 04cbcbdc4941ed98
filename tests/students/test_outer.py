"""Weights at the top level, which functions read without being given them; a text that is not
here."""
import pytest
from short import first
from student_files import verdicts

PAIR = """
    import numpy as np

    W1, b1 = np.random.randn(5, 6), np.zeros(6)
    W2, b2 = np.random.randn(6, 3), np.zeros(3)

    def forward(X):
        H = np.tanh(X @ W1 + b1)
        return H @ W2 + b2, (X, H)

    def backward(dout, cache):
        X, H = cache
        dH = dout @ W2.T * (1 - H ** 2)
        dW1, db1, dW2, db2 = X.T @ dH, {db1}, H.T @ dout, dout.sum(0)
        return dW1, db1, dW2, db2
"""
CHARACTERS = """
    import numpy as np

    data = open("a_poem_that_is_nowhere.txt").read()
    chars = sorted(set(data))
    place = {c: i for i, c in enumerate(chars)}
    Wx, Wh = np.random.randn(8, len(chars)) * 0.01, np.random.randn(8, 8) * 0.01
    Wy, bh, by = np.random.randn(len(chars), 8) * 0.01, np.zeros((8, 1)), np.zeros((len(chars), 1))

    def loss_fun(inputs, targets, last):
        xs, hs, ps, loss = {}, {-1: np.copy(last)}, {}, 0
        for t in range(len(inputs)):
            xs[t] = np.zeros((len(chars), 1))
            xs[t][inputs[t]] = 1
            hs[t] = np.tanh(Wx @ xs[t] + Wh @ hs[t - 1] + bh)
            y = Wy @ hs[t] + by
            ps[t] = np.exp(y) / np.sum(np.exp(y))
            loss += -np.log(ps[t][targets[t], 0])
        dWx, dWh, dWy, dbh, dby = map(np.zeros_like, (Wx, Wh, Wy, bh, by))
        below = np.zeros_like(hs[0])
        for t in reversed(range(len(inputs))):
            dy = np.copy(ps[t])
            dy[targets[t]] -= 1
            dWy += dy @ hs[t].T
            dby += dy
            raw = (1 - hs[t] ** 2) * (Wy.T @ dy + {below})
            dbh += raw
            dWx += raw @ xs[t].T
            dWh += raw @ hs[t - 1].T
            below = Wh.T @ raw
        for one in (dWx, dWh, dWy, dbh, dby):
            np.clip(one, -5, 5, out=one)
        return loss, dWx, dWh, dWy, dbh, dby, hs[len(inputs) - 1]

    for p in range(0, len(data) - 6, 5):
        inputs = [place[c] for c in data[p:p + 5]]
        targets = [place[c] for c in data[p + 1:p + 6]]
        loss_fun(inputs, targets, np.zeros((8, 1)))
"""


@pytest.mark.parametrize("db1, verdict", [("dH.sum(0)", "correct"), ("dH.sum(0) / len(X)", "wrong"),
                                          ("dH", "wrong")])
def test_their_gradients_are_compared(check, db1, verdict):
    _, (result,) = check(pair=PAIR.replace("{db1}", db1))
    found = verdicts(result)
    assert {found[name] for name in ("W1", "W2", "b2")} == {"correct"}, found
    assert (found["b1"] == "correct") == (verdict == "correct") == (result["status"] == "correct")


@pytest.mark.parametrize("ending", ["", *first(1, [".txt", ".text", ".md"])])
@pytest.mark.parametrize("below, wrong", [("below", set()), ("0", {"Wx", "Wh", "bh"})])
def test_a_network_of_characters_gets_a_text(check, below, wrong, ending):
    code = CHARACTERS.replace("{below}", below).replace("_nowhere.txt", f"_nowhere{ending}")
    _, (result,) = check(poem=code)
    found = verdicts(result)
    assert {name for name, said in found.items() if said not in ("correct", "not compared")
            } == wrong, found
    assert {"Wx", "Wh", "Wy", "bh", "by"} <= found.keys()
