"""Gradients that are clipped on purpose are no mistake, and hide none; a recurrent network over
columns is checked with several steps in time."""
import pytest
from short import first
from student_files import verdicts

CLIPS = {"in place": "for d in (dA, dB, dC, dp, dq): np.clip(d, -1, 1, out=d)",
         "anew": "dA, dB, dC, dp, dq = (np.clip(d, -1.0, 1.0) for d in (dA, dB, dC, dp, dq))",
         "by a method": "dA, dB, dC, dp, dq = [d.clip(-1, 1) for d in (dA, dB, dC, dp, dq)]",
         "by two": "dA, dB, dC = [np.minimum(np.maximum(d, -1), 1) for d in (dA, dB, dC)]",
         "by the norm of all": """n = np.sqrt(sum(np.linalg.norm(d) ** 2 for d in (dA, dB, dC)))
        if n > 1: dA, dB, dC = dA / n, dB / n, dC / n""",
         "not at all": "pass"}
ENDS = {"updates": "self.A -= lr * dA; self.B -= lr * dB; self.C -= lr * dC; "
                   "self.p -= lr * dp; self.q -= lr * dq",
        "attributes": "self.dA, self.dB, self.dC, self.dp, self.dq = dA, dB, dC, dp, dq"}
RIGHT = "d = self.A.T @ e"
SLIPS = {"d = self.A @ e": {"A", "B", "p"}, RIGHT: set()}


def cell(clip, end, step):
    return f"""
import numpy as np

class RNN:
    def __init__(self, n_in, n_out, n_hidden=32):
        self.A = np.random.randn(n_hidden, n_hidden)
        self.B = np.random.randn(n_hidden, n_in)
        self.C = np.random.randn(n_out, n_hidden)
        self.p, self.q = np.zeros((n_hidden, 1)), np.zeros((n_out, 1))

    def forward(self, xs):
        self.xs, self.hs = xs, [np.zeros_like(self.p)]
        for x in xs:
            self.hs.append(np.tanh(self.A @ self.hs[-1] + self.B @ x + self.p))
        return self.C @ self.hs[-1] + self.q

    def backward(self, dy, lr=0.01):
        dC, dq = dy @ self.hs[-1].T, dy.copy()
        dA, dB, dp, d = 0 * self.A, 0 * self.B, 0 * self.p, self.C.T @ dy
        for t in reversed(range(len(self.xs))):
            e = (1 - self.hs[t + 1] ** 2) * d
            dA += e @ self.hs[t].T
            dB += e @ self.xs[t].T
            dp += e
            {step}
        {clip}
        {end}
"""


@pytest.mark.parametrize("clip, end, step", first(4, [
    ("in place", "updates", "d = self.A @ e"), ("by the norm of all", "attributes", RIGHT),
    ("not at all", "attributes", "d = self.A @ e"),
    *((clip, "updates", RIGHT) for clip in CLIPS),
    ("anew", "attributes", RIGHT), ("by the norm of all", "attributes", "d = self.A @ e")]))
def test_what_is_clipped_is_neither_wrong_nor_an_excuse(check, clip, end, step):
    _, (result,) = check(rnn=cell(CLIPS[clip], ENDS[end], step))
    found = {name: one for name, one in verdicts(result).items() if name in "ABCpq"}
    wrong = {name for name, one in found.items() if one not in ("correct", "undecided")}
    assert len(found) == 5 and wrong == SLIPS[step], result["checks"]
    clipped = [row["name"] for one in result["checks"] for row in one["rows"]
               if "clipped" in row["detail"]]
    assert result["checks"][0]["inputs"]["xs"] == "4×5×1"
    assert bool(clipped) == (clip != "not at all"), found


def test_a_layer_that_cuts_its_dout_off_by_mistake_is_wrong_for_small_ones_too(check):
    _, (result,) = check(cut="""
import numpy as np

class Relu:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dout):
        return np.maximum(dout, 0) * (self.x > 0)
""")
    assert result["status"] == "wrong", result
