"""Where names say nothing, how the file itself calls what it defines says it, also where that is
never run."""
import ast
import types

import numpy as np
import pytest
from student_files import verdicts

from minialex.students.reading import usage

KERNEL = """
    import numpy as np

    class Kern:
        def __init__(self, alef, bet, gimel=None):
            self.k, self.m, self.g = np.random.randn(alef, bet), np.zeros(bet), gimel
        def forward(self, zain):
            self.zain, self.out = zain, self.g(zain @ self.k + self.m)
            return self.out
        def backward(self, dout):
            dout = dout * self.out * (1 - self.out)
            self.dk, self.dm = self.zain.T @ dout, {dm}
            return dout @ self.k.T

    def squash(z):
        return 1 / (1 + np.exp(-z))
"""
CALLED = {
    "in a function that is not run": """
    def main():
        net = Kern(2, 4, squash)
        print(net.forward(np.random.rand(6, 2)))
    """,
    "behind the usual if": """
    if __name__ == "__main__":
        sizes = 3, 5
        net = Kern(sizes[0], sizes[1], gimel=squash)
    """,
    "at the top level": """
    rows = np.random.rand(6, 3)
    net = Kern(rows.shape[1], 4, squash)
    """}


@pytest.mark.parametrize("where", CALLED)
@pytest.mark.parametrize("dm, status", [("dout.sum(0)", "correct"), ("dout[0]", "wrong")])
def test_a_constructor_gets_what_the_file_gives_it(check, where, dm, status):
    _, (result,) = check(kern=KERNEL.format(dm=dm) + CALLED[where])
    assert result["checks"][0]["status"] == status, result["checks"][0]
    assert {"zain", "k", "m"} == {*verdicts(result)}
    told = result["checks"][0]["inputs"]["found by trying"]
    assert "gimel as the file gives it" in told


MODULE = """
def cost(a, b, c=1): pass
class Net:
    def __init__(self, sizes): pass
    def go(self, x, y): pass
def helper(n):
    while True: pass
net = Net([2, 3])
net.go(np.zeros((4, 2)), y=list(range(4)))
cost(helper(3), np.ones(2))
cost(*[1, 2])
def later(unknown):
    size = 5
    cost(size, unknown, c="word")
"""


@pytest.mark.parametrize("name, method, expected", [
    ("cost", "", [{"b": [1.0, 1.0]}, {"a": 5, "c": "word"}]), ("Net", "", [{"sizes": [2, 3]}]),
    ("Net", "go", [{"x": [[0.0, 0.0]] * 4, "y": [0, 1, 2, 3]}])])
def test_what_can_be_told_without_running_the_files_own_code(name, method, expected):
    module = types.ModuleType("student")
    module.np, module.__statements__ = np, ast.parse(MODULE).body
    for node in module.__statements__[:3]:
        exec(compile(ast.Module([node], []), "", "exec"), vars(module))
    found = list(usage.calls(module, getattr(module, name), method))
    assert [{key: np.asarray(value).tolist() for key, value in one.items()}
            for one in found] == expected
