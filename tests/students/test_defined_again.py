"""A class that is defined again, as in a notebook with a section for each way to train: those that
were used are checked, too."""
import pytest
from student_files import verdicts

NET = """
    class Net:
        def __init__(self, n_in, n_out):
            self.W, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)
            self.v = 0 * self.W

        def forward(self, x):
            self.x = x
            return x @ self.W + self.b

        def backward(self, dy):
            self.dW, self.db = SIGN self.x.T @ dy, dy.sum(axis=0)
            return dy @ self.W.T
"""
USED = """
    net = Net(3, 2)
    net.forward(np.zeros((4, 3)))
"""


def written(*parts):
    return "    import numpy as np\n" + "".join(parts)


@pytest.mark.parametrize("first, last", [("-", ""), ("", "-"), ("", "2 *")])
def test_a_class_that_was_used_is_checked_though_another_takes_its_name(check, first, last):
    _, (result,) = check(net=written(NET.replace("SIGN", first), USED, NET.replace("SIGN", last)))
    found = {one["name"]: one["status"] for one in result["checks"]}
    assert found == {"Net (1)": "wrong" if first else "correct",
                     "Net": "wrong" if last else "correct"}, result


@pytest.mark.parametrize("between, last", [
    ("", NET.replace("SIGN", "")),  # mended before it was used
    (USED, NET.replace("SIGN", "-")),  # the cell was run once more
    (USED, NET.replace("class Net:", "class Net(Net):").replace("SIGN", ""))])
def test_what_was_replaced_unused_or_alike_or_is_built_upon_is_left_alone(check, between, last):
    _, (result,) = check(net=written(NET.replace("SIGN", "-"), between, last))
    assert [one["name"] for one in result["checks"]] == ["Net"] and verdicts(result), result
