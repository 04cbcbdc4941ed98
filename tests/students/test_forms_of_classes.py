"""Classes in forms that were passed over, and wrong ones that were right for inputs that say
nothing."""
import pytest
from student_files import verdicts

HEAD = "import numpy as np\n"


@pytest.mark.parametrize("x, y, forward, backward", [
    ("out", "correct_out", "Forward", "Backward"), ("y_pred", "y_true", "forward", "backward"),
    ("predictions", "targets", "loss", "gradient")])
def test_methods_without_self_are_called_on_the_class(check, x, y, forward, backward):
    code = HEAD + f"""
class Squares:
    def {forward}({x}, {y}):
        return np.sum(({x} - {y}) ** 2) / len({x})

    def {backward}({x}, {y}):
        return FACTOR * ({x} - {y}) / len({x})
"""
    _, (result,) = check(loss=code.replace("FACTOR", "2"))
    assert verdicts(result)[x] == "correct", result
    _, (result,) = check(loss=code.replace("FACTOR", "1"))
    assert verdicts(result)[x] == "off by a constant factor", result


@pytest.mark.parametrize("says", ['Exception("not implemented")', 'RuntimeError("TODO")',
                                  'ValueError("Not yet implemented")'])
def test_a_backward_that_only_says_that_it_is_not_there(check, says):
    _, (result,) = check(layer=HEAD + f"""
class Squash:
    def forward(self, x):
        return np.tanh(x)

    def backward(self, dout):
        raise {says}
""")
    assert "has not been written yet" in result["checks"][0]["error"]["message"], result


CELL = HEAD + """
class {name}:
    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(one) for one in self.params]

    def forward(self, x, h_prev):
        Wx, Wh, b = self.params
        h_next = np.tanh(np.dot(h_prev, Wh) + np.dot(x, Wx) + b)
        self.cache = x, h_prev, h_next
        return h_next

    def backward(self, dh_next):
        Wx, Wh, b = self.params
        x, h_prev, h_next = self.cache
        dt = dh_next * (1 - h_next ** 2)
        self.grads[0][...] = np.dot(x.T, dt)
        self.grads[1][...] = np.dot(h_prev.T, dt)
        self.grads[2][...] = np.sum(dt, axis=0)
        return np.dot(dt, Wx.T), np.dot(dt, Wh.T)
"""


@pytest.mark.long
@pytest.mark.parametrize("name", ["Step", "RNN"])
def test_what_needs_a_transpose_is_not_tried_with_vectors_alone(check, name):
    code = CELL.format(name=name)
    _, (result,) = check(cell=code)
    assert result["status"] == "correct" and set(verdicts(result).values()) == {"correct"}
    for right in ("x.T", "h_prev.T", "Wx.T", "Wh.T"):
        _, (result,) = check(cell=code.replace(right, right[:-2]))
        assert result["status"] in ("wrong", "error"), (right, result)


def test_a_loss_of_several_examples_is_no_loss_of_one(check):
    code = HEAD + """
class Surprise:
    def forward(self, y, yhat):
        return np.log(np.exp(yhat).sum(axis=1)) - (y * yhat).sum(axis=1)

    def backward(self, y, yhat):
        return np.exp(yhat) / np.exp(yhat).sum(axis=1).reshape((-1, 1)) - y
"""
    _, (result,) = check(loss=code)
    assert verdicts(result)["yhat"] == "correct"
    _, (result,) = check(loss=code.replace("sum(axis=1).re", "mean(axis=1).re"))
    assert result["status"] == "wrong", result


TIMES = """
from book.layers import *
import numpy as np

class TimeRows:
    def __init__(self, W):
        self.params, self.grads, self.W = [W], [np.zeros_like(W)], W

    def forward(self, xs):
        self.layers = [Embedding(self.W) for _ in range(xs.shape[1])]
        return np.stack([one.forward(xs[:, t]) for t, one in enumerate(self.layers)], axis=1)

    def backward(self, dout):
        grad = 0
        for t, layer in enumerate(self.layers):
            layer.backward(dout[:, t])
            grad += layer.grads[0]
        self.grads[0][...] = grad
"""


def test_the_books_embedding_stands_in(check):
    _, (result,) = check(rows=TIMES)
    assert verdicts(result)["W"] == "correct", result
    _, (result,) = check(rows=TIMES.replace("+=", "="))
    assert result["checks"][0]["error"]["kind"] == "not handed in", result
