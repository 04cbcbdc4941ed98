"""Layers of several inputs in a list, and layers that take another layer; and where a class's files
run."""
import json

import pytest
from student_files import command, verdicts, write

from minialex.grader import sandbox

JOINING = """
import numpy as np

class Product:
    def forward(self, tensors):
        out = tensors[0].copy()
        for other in range(1, len(tensors)):
            out = out * tensors[other]
        self.tensors = tensors
        return out

    def backward(self, dout):
        rests = []
        for i in range(len(self.tensors)):
            rest = dout
            for j in range(len(self.tensors)):
                if i != j:
                    rest = rest * self.tensors[j]
            rests.append(rest)
        return rests

class Mean:
    def forward(self, tensors: list):
        self.count = len(tensors)
        return sum(tensors) / self.count

    def backward(self, dout):
        return [dout / self.count for _ in range(self.count)]
"""
WRAPPED = """
import numpy as np

class Gate:
    def __init__(self, layer):
        self.layer = layer

    def forward(self, x):
        self.x = x
        return self.layer.forward(np.tanh(x))

    def backward(self, dout):
        return self.layer.backward(dout) * (1 - np.tanh(self.x) ** 2)
"""
SCALE = """
class Scale:
    def __init__(self, n_in):
        self.gamma = np.ones(n_in)

    def forward(self, x):
        self.x = x
        return x * self.gamma

    def backward(self, dout):
        self.dgamma = (dout * self.x).sum(axis=0)
        return dout * self.gamma
"""


def test_a_list_of_inputs_is_checked_element_by_element(check):
    status, (result,) = check(right=JOINING)
    assert status == 0, result
    assert verdicts(result) == {f"tensors[{i}]": "correct" for i in range(2)}
    status, (result,) = check(wrong=JOINING.replace("dout / self.count", "dout"))
    assert status == 1 and verdicts(result)["tensors[1]"] == "off by a constant factor"
    assert [item["status"] for item in result["checks"]] == ["correct", "wrong"]


def test_a_loop_over_the_examples_is_no_list(check):
    status, (result,) = check(loop="""
    import numpy as np
    def double_forward(x):
        out = np.zeros((len(x), x[0].size))
        for i in range(len(x)):
            out[i] = 2 * x[i].reshape(-1)
        return out, x.shape
    def double_backward(dout, cache):
        return 2 * dout.reshape(cache)
    """)
    assert status == 0 and verdicts(result) == {"x": "correct"}


def test_a_layer_in_a_layer_is_taken_from_the_file(check):
    status, (result,) = check(both=WRAPPED + SCALE)
    gate = result["checks"][0]
    assert status == 0 and {row["name"]: row["verdict"]
                            for row in gate["rows"]} == {"x": "correct", "layer.gamma": "correct"}
    _, (result,) = check(wrong=WRAPPED.replace("** 2)", "** 2 * 0.5)") + SCALE)
    assert result["checks"][0]["status"] == "wrong" and result["checks"][1]["status"] == "correct"


def test_without_one_the_reason_is_said(check):
    status, (result,) = check(alone=WRAPPED)
    error = result["checks"][0]["error"]
    assert status == 1 and error["kind"] == "not checked" and "takes another layer, layer" in error[
        "message"]
    status, (result,) = check(given=WRAPPED + """
class Twice:
    def forward(self, x):
        return 2 * x

    def backward(self, dout):
        return 2 * dout

def Gate_inputs(generator):
    return {"layer": Twice(), "x": generator.standard_normal((3, 7))}
""")
    assert status == 0 and result["checks"][0]["rows"][0]["shape"] == [3, 7], result


@pytest.mark.skipif(sandbox.best_level() == "process",
                    reason="this system can keep a process from no file")
def test_a_class_runs_confined_and_one_file_as_ones_own(tmp_path):
    secret, folder = tmp_path / "secret.txt", tmp_path / "in"
    secret.write_text("mine", "utf-8")
    folder.mkdir()
    nosy = (f"open({str(secret)!r}).read()\nopen({str(tmp_path / 'left.txt')!r}, "
            "'w').write('here')\n")
    square = ("def square(x):\n    return x ** 2\ndef square_backward(dout, "
              "x):\n    return 2 * x * dout\n")
    for name in ("anna", "ben"):
        write(folder, name, square + nosy)
    results = [json.loads(line) for line in command(folder, "--json").stdout.splitlines()]
    assert [result["checks"][0]["status"] for result in results] == ["correct"] * 2
    assert all(result["error"]["kind"] in ("FileNotFoundError", "PermissionError")
               for result in results)
    assert not (tmp_path / "left.txt").exists()
    assert command(folder, "--trust").returncode == 0 and (tmp_path / "left.txt").exists()
    assert command(folder / "anna.py").returncode == 0


@pytest.mark.parametrize("step, status", [
    ("v = 0.1 * g * g\n        self.W -= 0.01 * g / (np.sqrt(v) + 1e-8)", "undecided"),
    ("self.W -= 0.01 * np.sign(g)", "undecided"),
    ("self.W -= 0.01 * g", "correct"), ("self.W -= 0.01 * g * g", "wrong")])
def test_an_optimizer_inside_backward_is_no_wrong_gradient(check, step, status):
    """Adam's first step is the gradient's sign: nothing can be said of its size; x is compared."""
    _, (result,) = check(layer=f"""
import numpy as np

class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        dx, g = dout @ self.W.T, self.x.T @ dout
        {step}
        return dx
""")
    (one,) = result["checks"]
    assert one["status"] == status
    assert one["rows"][0]["verdict"] == "correct"
    assert status != "undecided" or "as Adam does" in one["rows"][-1]["evidence"]
