"""Files as they are handed in: notebooks, packages, folders, failing cells, slow code; and what is
no mistake."""

import json

import pytest
from student_files import command, verdicts, write

SQUARE = """
def square_forward(x):
    return x ** 2, x

def square_backward(dout, cache):
    return 3 * cache * dout
"""


def one(path, *options):
    done = command(path, *options, "--json")
    (result,) = map(json.loads, done.stdout.splitlines())
    return done.returncode, result


def test_a_notebook_without_its_magics_and_with_a_cell_that_fails(tmp_path):
    cells = ["%matplotlib inline\nimport numpy as np\n!pip list", "%%bash\nls", "help?\n" + SQUARE,
             "assert square_forward(3)[0] == 8"]
    path = tmp_path / "work.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": cell.splitlines(True)}
                                          for cell in cells]}), "utf-8")
    status, result = one(path)
    assert status == 1 and result["status"] == "wrong" and result["error"][
        "kind"] == "AssertionError"
    assert verdicts(result) == {"x": "off by a constant factor"}


@pytest.mark.parametrize("factor, status", [("2 *", 0), ("3 *", 1)])
def test_a_cell_may_be_indented(tmp_path, factor, status):
    """IPython takes it as if it were not."""
    path, code = tmp_path / "work.ipynb", SQUARE.replace("3 *", factor)
    code = "\n".join(f"  {line}" for line in code.splitlines())
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": [code]}]}), "utf-8")
    assert one(path)[0] == status


def test_a_failing_test_cell_alone_takes_nothing_from_right_code(tmp_path):
    right = SQUARE.replace("3 *", "2 *")
    path = write(tmp_path, "saved",
                 f"get_ipython().run_line_magic('pylab', '')\n{right}\nundefined(1)\n")
    status, result = one(path)
    assert (status, result["status"], result["error"]["kind"]) == (0, "correct", "NameError")


@pytest.mark.parametrize("factor, status", [("2 *", 0), ("3 *", 1)])
def test_what_stands_after_an_exit_is_checked_and_counts(tmp_path, factor, status):
    path = write(tmp_path, "ends", f"import sys\nsys.exit()\n{SQUARE.replace('3 *', factor)}")
    found, result = one(path)
    assert found == status and result["checks"][0]["name"] == "square"
    assert result["error"]["kind"] == "SystemExit" and result["error"]["lines"][0]["line"] == 2
    assert "is checked all the same" in result["error"]["message"]


@pytest.mark.parametrize("code", [
    SQUARE.replace("return 3", "exit()\n    return 3"),  # nothing comes after it
    "import sys\nclass Stop(SystemExit):\n    pass\n" + SQUARE.replace("return 3",
                                                                     "raise Stop\n    return 3"),
    "exit()\nsize = 3\n"], ids=["in a check", "of its own kind", "in a file without layers"])
def test_an_exit_that_ends_a_check_or_the_file_promises_nothing(tmp_path, code):
    _, result = one(write(tmp_path, "ends", code))
    (error,) = filter(None, [one["error"] for one in (result, *result["checks"])])
    assert error["message"] == "the code ends the program here: remove the call of exit()"


def test_a_definition_that_fails_counts(tmp_path):
    path = write(tmp_path, "broken",
                 SQUARE.replace("3 *", "2 *") + "\nclass Layer(Missing):\n    pass\n")
    assert one(path)[1]["status"] == "error"


@pytest.mark.parametrize("line, base", [("from layers.base import Layer", "Layer"),
                                        ("from .base import *", "Layer"),
                                        ("import layers.base as base", "base.Layer")])
@pytest.mark.parametrize("factor, found", [("2", "correct"), ("3", "wrong")])
def test_a_layer_whose_base_class_was_not_handed_in_is_checked(tmp_path, line, base, factor, found):
    path = write(tmp_path, "square", f"""
        {line}

        class Square({base}):
            def __init__(self, name="square"):
                super().__init__(name)
                self.built = True

            def forward(self, x):
                self.x = x
                return np.square(x)

            def backward(self, grad):
                return {factor} * self.x * grad
        """)
    _, result = one(path)
    assert (result["status"], result["checks"][0]["status"]) == (found, found)
    assert found == "wrong" or "Error" in result["error"]["kind"]


@pytest.mark.parametrize("folder", ["code", "test"])
@pytest.mark.parametrize("place, says", [("", "from {}.tools"), ("{}", "from .tools")])
def test_a_folder_may_be_called_like_a_module_of_python(tmp_path, folder, place, says):
    (tmp_path / folder).mkdir()
    write(tmp_path / folder, "tools", "def twice(x):\n    return 2 * x\n")
    code = SQUARE.replace("3 * cache", "twice(cache)")
    path = write(tmp_path / place.format(folder), "mine",
                 f"{says.format(folder)} import twice\n{code}")
    status, result = one(path)
    assert (status, result["status"]) == (0, "correct"), result


@pytest.mark.parametrize("factor, status", [("2 *", "correct"), ("3 *", "wrong")])
def test_a_forward_may_lie_in_a_module_that_is_imported_whole(tmp_path, factor, status):
    forward, backward = SQUARE.split("\n\n")
    write(tmp_path, "ahead", forward)
    path = write(tmp_path, "back", "import ahead as go\n" + backward.replace("3 *", factor))
    _, result = one(path)
    assert result["status"] == status, result


def test_a_package_is_found_and_own_code_comes_first(tmp_path):
    package = tmp_path / "course" / "layers"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").write_text("", "utf-8")
    helper = ("def helper_forward(x):\n    return x, x\ndef helper_backward(dout, "
              "cache):\n    return -dout\n")
    write(package.parent, "helpers", helper)
    path = write(package, "mine", "from ..helpers import *\n" + SQUARE)
    _, result = one(path)
    assert [check["name"] for check in result["checks"]] == ["square"]


def test_a_folder_shows_the_part_of_the_path_that_differs(tmp_path):
    for who, factor in (("anna", 2), ("ben", 3)):
        (tmp_path / who).mkdir()
        write(tmp_path / who, "layers", SQUARE.replace("3 *", f"{factor} *"))
    done = command(tmp_path)
    lines = [line.split()[0] for line in done.stdout.splitlines() if line[:1].isalpha()]
    assert done.returncode == 1 and lines[1:3] == ["anna", "ben"]


def test_nothing_is_passed_over_in_silence(tmp_path):
    path = write(tmp_path, "half", SQUARE.replace("3 *", "2 *") + """
def lonely_backward(dout, cache):
    return dout

class Strange:
    def backward(self, dout):
        return dout
""")
    _, result = one(path)
    reasons = [check["error"]["message"] for check in result["checks"] if check["error"]]
    assert result["status"] == "error" and len(reasons) == 2 and all("no forward" in reason
                                                                     for reason in reasons)


def test_a_step_of_a_recurrent_network_has_several_outputs(tmp_path):
    path = write(tmp_path, "recurrent", """
    import numpy as np
    def cell_step_forward(x, prev_h, prev_c, Wx, Wh, b):
        next_c = np.tanh(x @ Wx + prev_h @ Wh + b) + 0.5 * prev_c
        return np.sin(next_c), next_c, (x, prev_h, Wx, Wh, next_c, prev_c)
    def cell_step_backward(dnext_h, dnext_c, cache):
        x, prev_h, Wx, Wh, next_c, prev_c = cache
        dc = dnext_c + dnext_h * np.cos(next_c)
        d = dc * (1 - (next_c - 0.5 * prev_c) ** 2)
        return d @ Wx.T, d @ Wh.T, 0.5 * dc, x.T @ d, prev_h.T @ d, d.mean(axis=0)
    """)
    assert verdicts(one(path)[1]) == {"x": "correct", "prev_h": "correct", "prev_c": "correct",
                                      "Wx": "correct", "Wh": "correct",
                                      "b": "mean where a sum is due"}


def test_the_average_over_examples_is_named_and_accepted(tmp_path):
    path = write(tmp_path, "course", """
    def linear_forward(A, W, b):
        return W @ A + b, (A, W)
    def linear_backward(dZ, cache):
        A, W = cache
        return W.T @ dZ, dZ @ A.T / A.shape[1], dZ.sum(axis=1, keepdims=True) / A.shape[1]
    """)
    status, result = one(path)
    assert status == 1 and result["status"] == "undecided"
    assert verdicts(result)["W"] == "mean where a sum is due"
    assert "m, the number of examples (columns)" in result["checks"][0]["rows"][1]["detail"]
    assert one(path, "--mean-over-examples")[0] == 0


def test_a_constant_is_not_moved(tmp_path):
    path = write(tmp_path, "scaled", """
    def scaled_forward(x, w):
        return x * w, (x, w)
    def scaled_backward(dout, cache):
        x, w = cache
        return dout * w, dout * 0
    """)
    assert verdicts(one(path)[1])["w"] == "zero"
    assert one(path, "--constant", "w")[0] == 0


def test_remarks_are_no_mistakes(tmp_path):
    path = write(tmp_path, "remarks", """
    import numpy as np
    def relu_forward(x):
        return np.maximum(0, x), x
    def relu_backward(dout, cache):
        dout[cache <= 0] = 0
        return dout
    def affine_forward(x, w, b):
        return x @ w + b, (x, w)
    def affine_backward(dout, cache):
        x, w = cache
        return dout @ w.T, x.T @ dout, dout.sum(axis=0, keepdims=True)
    """)
    status, result = one(path)
    assert status == 0 and result["status"] == "remarks"
    assert verdicts(result)["x"] == "correct" and verdicts(result)["b"] == "shape differs"


@pytest.mark.long
def test_slow_right_code_is_checked_or_says_what_time_it_needs(tmp_path):
    code = """
    import numpy as np
    def conv_forward(x, w):
        out = np.zeros((len(x), len(w), x.shape[2] - 2, x.shape[3] - 2))
        for place in np.ndindex(out.shape):
            n, f, i, j = place
            for c, k, m in np.ndindex(w.shape[1:]):
                out[place] += x[n, c, i + k, j + m] * w[f, c, k, m]
                sum(range(WORK))
        return out, (x, w)
    def conv_backward(dout, cache):
        x, w = cache
        dx, dw = np.zeros_like(x), np.zeros_like(w)
        for n, f, i, j in np.ndindex(dout.shape):
            dx[n, :, i:i + 3, j:j + 3] += w[f] * dout[n, f, i, j]
            dw[f] += x[n, :, i:i + 3, j:j + 3] * dout[n, f, i, j]
        return dx, dw
    """
    path = write(tmp_path, "slow", code.replace("WORK", "1"))
    status, result = one(path)
    assert status == 0, result
    path = write(tmp_path, "slower", code.replace("WORK", "9000"))
    status, result = one(path)
    said = str(result["checks"][0]["error"])
    assert status == 0 or "--timeout" in said and "never end" not in said, result
