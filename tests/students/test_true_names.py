"""Names that are true: a dout of several that is not used is no window, a factor of 2 no batch of
two, a swapped sign no other number; an engine may be called Node."""
import pytest
from student_files import verdicts

CELL = """
import numpy as np

class Cell:
    def __init__(self, input_size, hidden_size):
        self.Wx = np.random.randn(input_size, hidden_size)

    def forward(self, x, prev_c):
        self.x, self.c = x, prev_c + x @ self.Wx
        return np.tanh(self.c), self.c

    def backward(self, dh, dc):
        dc = DC
        self.dWx = self.x.T @ dc
        return dc @ self.Wx.T, dc
"""
BOTH = "dc + dh * (1 - np.tanh(self.c) ** 2)"


@pytest.mark.parametrize("written, number", [("dh * (1 - np.tanh(self.c) ** 2)", 2), ("dc", 1)])
def test_a_dout_that_is_not_used(check, written, number):
    _, (result,) = check(cell=CELL.replace("DC", BOTH))
    assert result["status"] == "correct", result
    _, (result,) = check(cell=CELL.replace("DC", written))
    for row in result["checks"][0]["rows"]:
        assert row["verdict"] == "one term missing", row
        assert row["detail"] == f"the dout of output {number} of 2 is not used"


POOL = """
import numpy as np

class AveragePool:
    def __init__(self, kernel_size=2):
        self.k = kernel_size

    def forward(self, x):
        n, c, h, w = x.shape
        self.shape = x.shape
        return x.reshape(n, c, h // self.k, self.k, w // self.k, self.k).mean(axis=(3, 5))

    def backward(self, dout):
        k = self.k
        return np.repeat(np.repeat(dout, k, axis=2), k, axis=3) DIVIDED
"""


@pytest.mark.parametrize("divided, detail", [("/ k", "2"), ("/ k ** 3", "0.5 = 1/2")])
def test_a_two_that_is_no_batch_of_two(check, divided, detail):
    _, (result,) = check(pool=POOL.replace("DIVIDED", "/ k ** 2"))
    assert result["status"] == "correct", result
    _, (result,) = check(pool=POOL.replace("DIVIDED", divided))
    (row,) = result["checks"][0]["rows"]
    assert (row["verdict"], row["detail"]) == ("off by a constant factor", detail)


def test_a_batch_is_told_all_the_same(check):
    _, (result,) = check(pool=POOL.replace("DIVIDED", "/ k ** 2 / len(dout)"))
    (row,) = result["checks"][0]["rows"]
    assert row["detail"] in ("0.2 = 1/N, the batch size", "divided by 5 = N"), row


CONV = """
import numpy as np

def conv1d_forward(x, w):
    k = w.shape[2]
    cols = np.stack([x[:, :, t:t + k] for t in range(x.shape[2] - k + 1)], axis=1)
    return np.einsum("nlck,fck->nfl", cols, w), (x, w, cols)

def conv1d_backward(dout, cache):
    x, w, cols = cache
    dx = np.zeros_like(x)
    for t in range(dout.shape[2]):
        dx[:, :, t:t + w.shape[2]] += np.einsum("nf,fck->nck", dout[:, :, t], w)
    return dx, np.einsum("nfl,nlck->fck", dout, cols)
"""


def test_windows_along_one_axis(check):
    _, (result,) = check(conv=CONV)
    assert result["status"] == "correct", result
    _, (result,) = check(conv=CONV.replace("+= np", "= np"))
    assert verdicts(result)["x"] == "only the last of overlapping windows kept", result


ENGINE = """
class Node:
    def __init__(self, val):
        self.val, self.grad, self.prev, self.step = float(val), 0, [], None

    def __add__(self, other):
        z = Node(self.val + other.val)
        z.prev = [self, other]

        def step():
            self.grad += z.grad
            other.grad += z.grad
        z.step = step
        return z

    def __mul__(self, other):
        z = Node(self.val * other.val)
        z.prev = [self, other]

        def step():
            self.grad += z.grad * other.val
            other.grad += z.grad * self.val
        z.step = step
        return z

    def backprop(self):
        order, seen = [], set()

        def build(node):
            if id(node) not in seen:
                seen.add(id(node))
                for one in node.prev:
                    build(one)
                order.append(node)
        build(self)
        self.grad = 1
        for node in order[::-1]:
            if node.step:
                node.step()
"""


def test_an_engine_by_the_name_of_a_base_class(check):
    _, (result,) = check(node=ENGINE)
    assert result["status"] == "correct", result
    _, (result,) = check(node=ENGINE.replace("self.grad += z.grad * other", "self.grad = z.grad"
                                             " * other"))
    assert result["status"] == "wrong", result
