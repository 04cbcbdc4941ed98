"""What the command line names may be an argument of one function of a file with several."""
import pytest

CODE = """
    import numpy as np

    def linear_forward(x, w, b):
        return x @ w + b, (x, w, b)

    def linear_backward(dout, cache):
        x, w, b = cache
        return dout @ w.T, x.T @ dout, dout.sum(0)

    def softmax_loss(scores, y):
        e = np.exp(scores - scores.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        loss = -np.log(p[np.arange(len(y)), y]).mean()
        p[np.arange(len(y)), y] -= 1
        return loss, p / len(y)

    class Scale:
        def __init__(self, n):
            self.gain = np.ones(n)
        def forward(self, x):
            self.x = x
            return self.gain * x
        def backward(self, dout):
            self.dgain = (dout * self.x).sum(0)
            return dout * self.gain
"""


@pytest.mark.parametrize("options", [("--constant", "b"), ("--shape", "scores=6,4"),
                                     ("--shape", "b=7"), ("--constant", "gain")])
def test_the_others_are_checked_without_it(check, options):
    status, (result,) = check(*options, several=CODE)
    assert status == 0 and result["status"] == "correct", result
    assert len(result["checks"]) == 3


@pytest.mark.parametrize("options", [("--constant", "bb"), ("--shape", "bb=7")])
def test_what_is_named_nowhere_is_told(check, options):
    status, (result,) = check(*options, several=CODE)
    assert status != 0 and result["status"] == "error", result
    assert all("bb" in one["error"]["message"] for one in result["checks"]), result
