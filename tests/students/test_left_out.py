"""One line that Python does not understand takes with it the function around it, and no more."""
import json
import textwrap

import pytest
from student_files import verdicts

HALVES = """
    class Half:
        def forward(self, x):
            self.x = x
            return x / 2

        @staticmethod
        def train(epochs):
            {}

        # what comes back
        def {}(self, dout):
            return dout / {}
    """
BROKEN = ["for i in range(epochs) print(i)", "# not written", "epochs = (1, 2",
          "if epochs\n                return 2\n            return 1", "text = '"]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("backward", ["backward", "back_propogation"])
@pytest.mark.parametrize("divisor, found", [(2, "correct"), (-2, "sign flipped")])
def test_a_method_that_cannot_be_read_is_left_out(check, broken, backward, divisor, found):
    _, (result,) = check(half=HALVES.format(broken, backward, divisor))
    assert verdicts(result) == {"x": found}
    assert result["status"] != "correct" and "train is left out" in result["error"]["message"]


def test_a_backward_that_cannot_be_read_is_named(check):
    _, (result,) = check(half=HALVES.format("pass", "backward", "2 +* 3"))
    assert (result["status"], result["checks"]) == ("error", [])
    assert result["error"]["message"] == "invalid syntax (backward is left out)"


@pytest.mark.parametrize("other", ["def other(x) return x", "x = = 2"])
def test_of_a_cell_only_the_function_is_left_out_that_cannot_be_read(tmp_path, check, other):
    cells = [other + "\n" + textwrap.dedent(HALVES).format("pass", "backward", 2),
             "import numpy as np\ndef twice(x):\n    return 2 * x\ndef twice_prime(x):\n"
             "    return 2 + 0 * x\n"]
    (tmp_path / "two.ipynb").write_text(json.dumps({"cells": [
        {"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]}))
    _, (result,) = check(str(tmp_path / "two.ipynb"))
    named = {"def": "other", "x =": "this cell"}[other[:3]]
    assert result["error"]["message"].endswith(f"({named} is left out)")
    assert [one["name"] for one in result["checks"]] == ["Half"] * ("def" in other) + ["twice"]


PRINTS = ['print "epoch {}".format(\n            epochs)', "print 'one', \\\n            epochs",
          "for i in range(2): print i; epochs += i", 'print """two\n            lines"""',
          "print >>out, epochs",
          "print", 'if epochs: print "epochs: print", epochs']


@pytest.mark.parametrize("line", PRINTS)
def test_a_print_of_python_2_is_read_over_all_its_lines(check, line):
    _, (result,) = check(half=HALVES.format(line, "backward", 2))
    assert (result["status"], result["error"]) == ("correct", None)


@pytest.mark.parametrize("line", [
    "epochs = `epochs`", "epochs <> 0777", "exec 'a = 1' in epochs", 'ur"\\d"', "epochs += 0xFFL",
    "raise ValueError, 'many'", "try: epochs += 1\n            except (KeyError), e: epochs -= 1"])
def test_what_only_python_2_reads_takes_nothing_with_it(check, line):
    _, (result,) = check(half=HALVES.format(line, "backward", 2))
    assert (result["status"], result["error"]) == ("correct", None)


def test_what_only_a_notebook_knows_takes_nothing_with_it(tmp_path, check):
    cells = ["!pip install numpy\nfiles = !ls\n%time total = 2\nprint?\ndisplay(files)\n"
             "import numpy as np\ndef twice(x):\n    return 2 * x\ndef twice_prime(x):\n"
             "    return 2 + 0 * x\n"]
    (tmp_path / "two.ipynb").write_text(json.dumps({"cells": [
        {"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]}))
    _, (result,) = check(str(tmp_path / "two.ipynb"))
    assert (result["status"], result["error"]) == ("correct", None)
