"""Files as they are found: of Python 2, with tabs, without the modules that they import."""
import textwrap

import pytest
from student_files import command, verdicts, write

AFFINE = """
import numpy as np
{imports}
def affine_forward(x, w, b):
    out = {product} + b
    return out, (x, w)

def affine_backward(dout, cache):
    x, w = cache
{tab}dw = np.zeros_like(w)
    for i in {numbers}(len(x)):
        dw += {factor} * np.outer(x[i], dout[i])
    try:
        dx = dout.dot(w.T)
    except ValueError{as_}error:
        raise ValueError{with_}error
    return dx, dw, dout.sum(axis=0)

def debug(level):
    if level: print{said}
"""
THREE = {"imports": "", "product": "x.dot(w)", "tab": "    ", "numbers": "range", "factor": 1,
         "as_": " as ", "with_": " from ", "said": " (1)"}
TWO = {**THREE, "numbers": "xrange", "as_": ", ", "with_": ", ", "said": ' "level", level'}


@pytest.mark.parametrize("tab", ["    ", "\t"])
@pytest.mark.parametrize("factor, found", [(1, "correct"), (-1, "sign flipped")])
def test_python_2_is_checked(check, tab, factor, found):
    _, (result,) = check(old=AFFINE.format(**{**TWO, "factor": factor, "tab": tab}))
    assert verdicts(result) == {"x": "correct", "w": found, "b": "correct"}


@pytest.mark.parametrize("caught", ["ValueError", "(ValueError, KeyError)", "np.linalg.LinAlgError",
                                    "(ValueError, (KeyError, TypeError))"])
def test_python_2_names_what_it_catches_behind_a_comma(check, caught):
    _, (result,) = check(old=AFFINE.format(**TWO).replace("except ValueError", f"except {caught}"))
    assert verdicts(result) == {"x": "correct", "w": "correct", "b": "correct"}, result


def test_an_unfinished_print_of_python_3_stays_an_error(check):
    _, (result,) = check(new=AFFINE.format(**{**THREE, "said": '("level"'}))
    assert (result["status"], result["error"]["kind"]) == ("error", "SyntaxError")


@pytest.mark.parametrize("outer, width", [("        ", 8), ("    ", 4)])
def test_tabs_are_as_wide_as_the_lines_around_them(check, outer, width):
    code = "def twice_forward(x):\n\ty = 2 * x\n{}return y, x\n\ndef twice_backward(dout, c):\n" \
           "    return 2 * dout\n"
    _, (result,) = check(tabs=code.format(outer))
    assert verdicts(result) == {"x": "correct"}, width


@pytest.mark.parametrize("line, product, said",
                         [("from helpers import times", "times(x, w)", "times comes from helpers"),
                          ("from .helpers import *", "times(x, w)", "times comes from .helpers"),
                          ("import helpers.linear as h", "h.times(x, w)",
                           "times comes from helpers.linear")])
def test_a_name_of_a_missing_module_is_told_with_the_module(check, line, product, said):
    """And not what goes wrong with inputs that fit even less."""
    status, (result,) = check(near=AFFINE.format(**{**THREE, "imports": line, "product": product}))
    (found,) = result["checks"]
    assert status == 1 and result["status"] == "error"
    assert found["error"]["message"].startswith(f"{said}, which is not here")
    assert found["error"]["lines"][-1]["in"] == "affine_forward"


def test_a_name_that_nobody_brings_is_told_as_python_does(check):
    _, (result,) = check(alone=AFFINE.format(**{**THREE, "product": "times(x, w)"}))
    said = "name 'times' is not defined: nothing in the file sets it"
    assert result["checks"][0]["error"]["message"] == said


@pytest.mark.parametrize("setting, said", [
    ("def main():\n    m = 4\n", "only main has it, make it an argument"),
    ("def train(m):\n    return m\n", "only train has it, make it an argument"),
    ("", "nothing in the file sets it")])
def test_where_an_unknown_name_might_come_from_is_told(check, setting, said):
    code = "import numpy as np\ndef twice_forward(x):\n    return 2 * x, None\n\n"
    code += "def twice_backward(dout, cache):\n    return dout * m\n"
    _, (result,) = check(alone=code + setting)
    assert result["checks"][0]["error"]["message"] == f"name 'm' is not defined: {said}"


def test_with_what_is_drawn_for_data_that_are_not_here_nobody_is_blamed(check):
    code = "import numpy as np\nm = open('nowhere.csv').read()\n"
    code += "def twice_forward(x):\n    return 2 * x, None\n\n"
    code += "def twice_backward(dout, cache):\n    return dout * m\n"
    _, (result,) = check(alone=code)
    error = result["checks"][0]["error"]
    assert error["kind"] == "not handed in" and "does not say what m is" in error["message"], result


BROKEN = ["class Net:\n    def train(self):\n        for one in range(3):\n\n"
          "    ned step(self):\n        pass\n", "def half(x:\n    return x\n", "x = = 3\n",
          "if True:\n    y = (1, 2\nelse:\n    y = 2\n", "@property\ndef f(x) return x\n",
          "text = '''never ends\n"]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("factor, found", [("2", "correct"), ("-2", "sign flipped")])
def test_what_is_around_a_line_that_nobody_understands_is_checked(check, broken, before, factor,
                                                                  found):
    good = (f"def twice_forward(x):\n    return 2 * x, None\n\n"
            f"def twice_backward(dout, cache):\n    return {factor} * dout\n")
    _, (result,) = check(alone=broken + good if before else good + broken)
    assert verdicts(result) == {"x": found}
    assert result["status"] != "correct" and "Error" in result["error"]["kind"]
    assert result["error"]["lines"]


AVERAGES = """
    def linear_forward(A, W, b):
        return W @ A + b, (A, W)
    def linear_backward(dZ, cache):
        A, W = cache
        m = A.shape[1]
        return W.T @ dZ, dZ @ A.T{w}, dZ.sum(axis=1, keepdims=True){b}
"""


@pytest.mark.parametrize("w, b, status", [(" / m", " / m", "undecided"), ("", " / m", "wrong"),
                                          (" / m", "", "wrong"), ("", "", "correct"),
                                          (" / m", " / m * 2", "wrong")])
def test_all_gradients_of_weights_averaged_are_a_convention(check, w, b, status):
    _, (result,) = check(course=AVERAGES.format(w=w, b=b))
    assert result["status"] == status
    _, (result,) = check("--mean-over-examples", course=AVERAGES.format(w=w, b=b))
    assert (result["status"] == "wrong") == ("2" in b)


SHIFT = """
    class Shift:
        def __init__(self, b):
            self.b = b

        def forward(self, x):
            return x + self.b

        def backward(self, dout):
            self.db = dout.{b}(axis=0)
            return dout * {x}
"""


@pytest.mark.parametrize("w, b, x, status", [
    (" / m", "mean", 1, "undecided"), (" / m", "mean", 2, "wrong"), ("", "mean", 1, "wrong"),
    (" / m", "sum", 1, "correct")])
def test_a_bias_alone_is_averaged_where_the_files_other_layers_are(check, w, b, x, status):
    """By itself that is a mistake; where all of a course's gradients are, it is none."""
    text = textwrap.dedent(AVERAGES).format(w=w, b=w) + textwrap.dedent(SHIFT).format(b=b, x=x)
    _, (result,) = check(course=text)
    _, shift = result["checks"]
    assert shift["status"] == status, shift


NORM = """
    import numpy as np
    class Norm:
        def __init__(self, gamma, beta):
            self.gamma, self.beta = gamma, beta

        def forward(self, x):
            self.x = x
            return self.gamma * x + self.beta

        def backward(self, dout):
            self.dgamma = np.{gamma}(dout * self.x, axis=0)
            self.dbeta = np.{beta}(dout, axis=0)
            return dout * self.gamma
"""


@pytest.mark.parametrize("gamma, beta, status", [
    ("mean", "mean", "undecided"), ("sum", "mean", "wrong"), ("sum", "sum", "correct")])
def test_averaged_scales_are_a_convention_too(check, gamma, beta, status):
    _, (result,) = check(norm=NORM.format(gamma=gamma, beta=beta))
    assert result["status"] == status


@pytest.mark.parametrize("b, words", [(" / m", ["correct", "open", "open"]),
                                      ("", ["correct", "wrong", "correct"])])
def test_a_row_says_what_the_status_says(tmp_path, b, words):
    said = command(write(tmp_path, "course", AVERAGES.format(w=" / m", b=b))).stdout
    rows = [line.split() for line in said.splitlines() if line[:2] in ("A ", "W ", "b ")]
    assert [row[-1] for row in rows] == words


def test_annotations_of_a_missing_module_do_not_matter(check):
    _, (result,) = check(noted="""
    import nowhere_at_all as tables

    def read(path: str) -> tables.Frame:
        return tables.read(path)

    def double_forward(x: tables.Array) -> tables.Array:
        return 2 * x, None

    def double_backward(dout: tables.Array, _) -> tables.Array:
        return 2 * dout
    """)
    assert result["status"] == "correct" and verdicts(result) == {"x": "correct"}


def test_what_is_only_passed_over_has_not_been_written(check):
    status, (result,) = check(open="def net_forward(x, params):\n    pass\n\n"
                                   "def net_backward(dout, cache):\n    pass\n")
    assert status == 1
    assert result["checks"][0]["error"]["message"] == "net_backward has not been written yet"
