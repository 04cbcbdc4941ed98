"""Students' files from the command line: what is found in them, where inputs come from, and that no submission stops another."""
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lessons.gradient_bugs import submissions
from minialex.gradcheck import student, student_code, student_inputs
from minialex.gradcheck.__main__ import main

ROOT = Path(__file__).resolve().parent.parent
SKELETON = ROOT / "lessons" / "gradient_bugs" / "skeleton.py"

LINEAR = """
    import numpy as np

    def linear_forward(x, w, b):
        return x @ w + b, (x, w)

    def linear_backward(dout, cache):
        x, w = cache
        return dout @ w.T, x.T @ dout, dout.sum(axis=0)
"""
RELU = """
    import numpy as np

    def relu(x):
        return np.maximum(x, 0)

    def relu_backward(dy, x):
        return dy * (x > 0)
"""


@pytest.fixture
def check(tmp_path, capsys):
    """Writes files, runs the command: (exit status, results of --json)."""
    def run(*options, **codes):
        files = [write(tmp_path, name, code) for name, code in codes.items()]
        status = main([*map(str, files), *options, "--json"])
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return run


def write(folder, name, code):
    path = folder / f"{name}.py"
    path.write_text(textwrap.dedent(code), encoding="utf-8")
    return path


def verdicts(result):
    return {row["name"]: row["verdict"] for check in result["checks"] for row in check["rows"]}


# ------------------------------------------------------------------------------------------------ what is found


def test_pairs_functions_and_modules_are_found_in_the_order_of_the_file(tmp_path):
    path = write(tmp_path, "layers", LINEAR + RELU + """
    import minialex as ma
    from minialex import nn
    from minialex.nn import Linear

    class Square(ma.Function):
        def forward(self, x):
            self.save_for_backward(x)
            return x * x
        def backward(self, g):
            return 2 * g * self.saved[0]

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(5, 2)
        def forward(self, x):
            return self.fc(x)

    def softmax_loss(x, y):
        return 0.0, x * 0

    def conv_forward_naive(x):
        return x, None

    def conv_backward_naive(dout, cache):
        return dout

    def helper(x):
        return x
    """)
    found = student_code.everything(student_code.load(path))
    assert [(item.name, item.kind) for item in found] == [
        ("linear", "pair"), ("relu", "pair"), ("Square", "layer"), ("Net", "layer"), ("softmax_loss", "loss"),
        ("conv_naive", "pair")]


def test_all_kinds_are_checked(check):
    status, (result,) = check(all_kinds=RELU + """
    import minialex as ma
    from minialex import nn

    class Square(ma.Function):
        def forward(self, x):
            self.save_for_backward(x)
            return x * x
        def backward(self, g):
            return g * self.saved[0]

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(5, 2)
        def forward(self, x):
            return self.fc(x)

    def forward(x, y):
        return ((x - y) ** 2).mean(), (x, y)

    def backward(dout, cache):
        x, y = cache
        d = 2 * dout * (x - y) / x.size
        return d, -d

    def hinge_loss(x, y):
        margins = np.maximum(0, x - x[np.arange(len(y)), y][:, None] + 1)
        margins[np.arange(len(y)), y] = 0
        dx = (margins > 0).astype(float)
        dx[np.arange(len(y)), y] -= dx.sum(axis=1)
        return margins.sum() / len(y), dx / len(y)
    """)
    assert status == 1 and result["status"] == "wrong" and result["error"] is None
    states = {item["name"]: item["status"] for item in result["checks"]}
    assert states == {"relu": "correct", "Square": "wrong", "Net": "correct", "forward": "correct", "hinge_loss": "correct"}
    square = next(item for item in result["checks"] if item["name"] == "Square")
    assert square["rows"][0]["verdict"] == "off by a constant factor" and square["rows"][0]["factor"] == pytest.approx(0.5)


def test_names_after_the_colon(tmp_path, capsys):
    path = write(tmp_path, "mine", """
    def f(a):
        return a * 3
    def g(dy, a):
        return dy * 3
    def g_wrong(dy, a):
        return -dy * 3
    """)
    assert main([f"{path}:f,g"]) == 0
    assert main([f"{path}:f,g_wrong", "--shape", "a=2,2"]) == 1
    said = capsys.readouterr().out
    assert "sign flipped" in said and "2×2" in said
    relu = write(tmp_path, "other", RELU)
    assert main([f"{relu}:relu"]) == main([f"{relu}:relu_backward"]) == main([f"{relu}:relu,relu_backward"]) == 0
    assert main([f"{path}:f,h"]) == 1
    assert "it defines no h" in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------ inputs


def test_shapes_labels_and_options_of_the_command_line_arrive(check):
    code = """
    import numpy as np
    def f_forward(q, classes, stride, mode="x"):
        assert q.shape == (4, 7) and classes.shape == (3, 2) and classes.max() <= 5 and classes.dtype.kind == "i", q.shape
        assert stride == (1, 2) and mode == "fast"
        return q[classes % 4], (q.shape, classes)
    def f_backward(dout, cache):
        d = np.zeros(cache[0])
        np.add.at(d, cache[1] % 4, dout)
        return d
    """
    options = ["--shape", "q=4,7", "--labels", "classes=3,2:6", "--option", "stride=(1,2)", "--option", "mode=fast"]
    status, (result,) = check(*options, f=code)
    assert status == 0, result
    assert result["checks"][0]["inputs"]["q"] == "4×7" and result["checks"][0]["inputs"]["mode"] == "fast"


@pytest.mark.parametrize("signature, shapes", [
    ("conv_forward(x, w, b, conv_param)", {"x": (2, 3, 7, 9), "w": (4, 3, 3, 3), "b": (4,)}),
    ("conv2d_forward(x, w, stride=1)", {"x": (2, 3, 7, 9), "w": (4, 3, 3, 3)}),
    ("affine_forward(x, w, b)", {"x": (4, 5), "w": (5, 3), "b": (3,)}),
    ("batchnorm_forward(x, gamma, beta, bn_param)", {"x": (4, 5), "gamma": (5,), "beta": (5,)}),
    ("softmax_loss(x, y)", {"x": (4, 5), "y": (4,)}),
    ("relu(x)", {"x": (4, 5)}),
    ("max_pool_forward(x, pool_param)", {"x": (2, 3, 6, 8)}),
])
def test_drawn_shapes_go_by_the_names_of_the_arguments(signature, shapes):
    names = {}
    exec(f"def {signature}: pass", names)
    name = signature.partition("(")[0]
    found = student_code.Found(name.removesuffix("_forward"), names[name])
    values = next(student_inputs.drawn(found, student_inputs.Request()))
    assert {key: value.shape for key, value in values.items() if hasattr(value, "shape")} == shapes
    assert not shapes.keys() ^ {key for key in values if not key.endswith("param")}


def test_a_given_shape_settles_the_others():
    def conv_forward(x, w, b): ...
    found, request = student_code.Found("conv", conv_forward), student_inputs.Request(shapes={"x": (1, 2, 5, 5)})
    values = next(student_inputs.drawn(found, request))
    assert values["x"].shape == (1, 2, 5, 5) and values["w"].shape == (4, 2, 3, 3)


def test_other_layouts_are_tried_until_forward_runs(check):
    status, (result,) = check(torch_style="""
    def linear_forward(x, w, b):
        return x @ w.T + b, (x, w)
    def linear_backward(dout, cache):
        x, w = cache
        return dout @ w, dout.T @ x, dout.sum(0)
    """)
    assert status == 0 and result["checks"][0]["inputs"] == {"x": "4×5", "w": "3×5", "b": "3"}


def test_drawn_inputs_are_followed_by_whole_numbers_so_that_ties_show(check):
    status, (result,) = check(pool="""
    import numpy as np
    def maxpool_forward(x):
        N, C, H, W = x.shape
        windows = x.reshape(N, C, H // 2, 2, W // 2, 2)
        out = windows.max(axis=(3, 5), keepdims=True)
        return out[:, :, :, 0, :, 0], (windows, out, x.shape)
    def maxpool_backward(dout, cache):
        windows, out, shape = cache
        return ((windows == out) * dout[:, :, :, None, :, None]).reshape(shape)
    """)
    assert status == 1 and verdicts(result) == {"x": "wrong where the input is tied"}


def test_inputs_of_the_file_and_of_the_teacher(check, tmp_path):
    code = """
    def odd_forward(q):
        assert q.shape[0] == 11
        return q * 2, None
    def odd_backward(dout, cache):
        return dout * 2
    """
    inputs = """
    def odd_inputs(generator):
        return {"q": generator.standard_normal((11, 2))}
    """
    status, (result,) = check(own=code + inputs)
    assert status == 0 and result["checks"][0]["inputs"] == {"q": "11×2"} and not result["checks"][0]["drawn"]
    teacher = write(tmp_path, "teacher", code + inputs)
    status, (result,) = check("--like", str(teacher), without=code)
    assert status == 0 and result["checks"][0]["inputs"] == {"q": "11×2"}


def test_when_no_shape_fits_the_student_reads_the_first_error_and_the_shapes(check):
    status, (result,) = check(strange="""
    def strange_forward(blob):
        if blob.shape != (3, 1, 4):
            raise ValueError("a blob is 3x1x4")
        return blob, None
    def strange_backward(dout, cache):
        return dout
    """)
    (item,) = result["checks"]
    assert status == 2 and item["error"]["kind"] == "no inputs" and item["inputs"]["blob"] == "4×5" and item["drawn"]
    assert item["error"]["message"].startswith("what blob is its name does not say, and with blob 4×5 comes ValueError: ")
    assert item["error"]["lines"][-1]["code"] == 'raise ValueError("a blob is 3x1x4")'
    status, _ = check("--shape", "blob=3,1,4", strange2="""
    def strange_forward(blob):
        assert blob.shape == (3, 1, 4)
        return blob, None
    def strange_backward(dout, cache):
        return dout
    """)
    assert status == 0


def test_an_argument_that_does_not_exist_is_a_mistake_of_the_command_line(check):
    status, (result,) = check("--shape", "z=3", linear=LINEAR)
    assert status == 2
    assert result["checks"][0]["error"]["message"] == "linear_forward has no argument z; its arguments are x, w, b."


# ------------------------------------------------------------------------------------------------ broken submissions


BROKEN = {
    "syntax": ("def f(x:\n    pass", "SyntaxError", 1),
    "missing": ("import nothing_of_that_name\n", "ModuleNotFoundError", 1),
    "leaves": ("import sys\nsys.exit('bye')\n", "SystemExit", 2),
    "nothing": ("x = 1\n", "nothing to check", None),
    "asks": ("name = input('name? ')\n", "EOFError", 1),
    "endless": ("n = 0\nwhile True:\n    n += 1\n", "out of time", None),
    "sleeps": ("import time\ntime.sleep(1000)\n", "out of time", 2),
    "gone": ("import os\nos._exit(0)\n", "crash", None),
    "segfault": ("import ctypes\nctypes.string_at(0)\n", "crash", None),
    "interrupts": ("raise KeyboardInterrupt\n", "KeyboardInterrupt", 1),
    "deep": ("def f(n):\n    return f(n + 1)\nf(0)\n", "RecursionError", 3),
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """All broken files and two good ones, in one run of the command: (exit status, {name: result})."""
    folder = tmp_path_factory.mktemp("broken")
    codes = {name: code for name, (code, _, _) in BROKEN.items()} | {"a_good": LINEAR, "z_good": LINEAR}
    files = [write(folder, name, code) for name, code in codes.items()]
    done = command(*files, "--json", "--timeout", "1")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {Path(result["file"]).stem: result for result in results}


def command(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "minialex.gradcheck", *map(str, arguments)], cwd=ROOT, capture_output=True,
                          encoding="utf-8", env={**os.environ, "PYTHONIOENCODING": "utf-8"}, check=False, **options)


def test_no_broken_submission_stops_another(broken):
    status, results = broken
    assert status == 1 and len(results) == len(BROKEN) + 2
    assert results["a_good"]["status"] == results["z_good"]["status"] == "correct"


@pytest.mark.parametrize("name", BROKEN)
def test_what_went_wrong_is_said_with_the_students_own_lines(broken, name):
    _, kind, line = BROKEN[name]
    error = broken[1][name]["error"]
    assert error["kind"] == kind
    assert broken[1][name]["status"] == "error"
    if line is not None:
        assert error["lines"][0]["line"] == line
    assert all(place["file"] == f"{name}.py" for place in error["lines"])


def test_the_other_pairs_are_checked_after_an_endless_loop_and_a_crash(check):
    status, (result,) = check("--timeout", "1", three="""
    import os
    def a_forward(x):
        while True:
            pass
    def a_backward(dout, cache):
        return dout
    def b_forward(x):
        os.abort()
    def b_backward(dout, cache):
        return dout
    """ + RELU)
    assert status == 1
    assert [(item["name"], item["status"]) for item in result["checks"]] == [("a", "error"), ("b", "error"), ("relu", "correct")]
    assert result["checks"][0]["error"]["kind"] == "out of time"
    assert result["checks"][1]["error"]["message"] == "the Python interpreter crashed (SIGABRT)"


def test_too_much_memory_is_refused(check):
    pytest.importorskip("resource")
    status, (result,) = check("--memory", "3000", big="""
    import numpy as np
    def big_forward(x):
        return x + np.ones(10 ** 9).sum(), None
    def big_backward(dout, cache):
        return dout
    """)
    error = result["checks"][0]["error"]
    assert status == 1 and "MemoryError" in error["kind"] and error["lines"][-1]["line"] == 4


def test_prints_do_not_disturb_json_and_are_shown_by_verbose(check, tmp_path, capsys):
    status, (result,) = check(loud="""
    import sys
    print("hello" * 1000000)
    print("to stderr", file=sys.stderr)
    """ + RELU)
    assert status == 0 and result["printed"].startswith("hellohello") and len(result["printed"]) <= 2001
    path = write(tmp_path, "quiet", RELU + "\n    print('a word')")
    assert main([str(path), "--verbose"]) == 0
    assert "what the code printed:\n  | a word" in capsys.readouterr().out


def test_an_error_in_backward_shows_only_the_students_lines(tmp_path, capsys):
    path = write(tmp_path, "oops", """
    import numpy as np
    def f_forward(x):
        return np.tanh(x), x
    def helper(d, x):
        return np.linalg.inv(d @ x)
    def f_backward(dout, cache):
        return helper(dout, cache)
    """)
    assert main([str(path)]) == 1
    said = capsys.readouterr().out
    assert "oops.py, line 8, in f_backward\n        return helper(dout, cache)" in said
    assert "oops.py, line 6, in helper\n        return np.linalg.inv(d @ x)" in said
    assert "minialex" not in said and "site-packages" not in said and "Traceback" not in said
    assert max(map(len, said.splitlines())) <= 80


# ------------------------------------------------------------------------------------------------ the command line


@pytest.mark.parametrize("arguments, sentence", [
    (["not_there.py"], "the file 'not_there.py' is not there"),
    ([str(ROOT)], "is a folder"),
    (["FILE:one,two,three"], "two names"),
    (["FILE", "--shape", "x"], "--shape x: give an argument's name and its value, as in --shape x=2,3,7,7."),
    (["FILE", "--shape", "x=2,0"], "whole numbers from 1"),
    (["FILE", "--labels", "y=3"], "the number of classes"),
    (["FILE", "--like", "nowhere.py"], "there is no file 'nowhere.py'"),
    (["--shape", "x=2"], "go with a file"),
])
def test_mistakes_of_the_command_line_are_one_sentence(tmp_path, capsys, arguments, sentence):
    path = write(tmp_path, "mine", RELU)
    assert main([argument.replace("FILE", str(path)) for argument in arguments]) == 2
    said = capsys.readouterr()
    assert sentence in said.err and said.err.count("\n") == 1 and said.out.count("\n") <= 2


def test_a_teachers_file_that_cannot_be_used(tmp_path, capsys):
    path, teacher = write(tmp_path, "mine", RELU), write(tmp_path, "teacher", "x = (\n")
    assert main([str(path), "--like", str(teacher)]) == 2
    assert "cannot be used: SyntaxError" in capsys.readouterr().err


def test_pictures_one_for_each_check(tmp_path, capsys):
    path = write(tmp_path, "two", RELU + LINEAR.replace("dout.sum(axis=0)", "dout.sum(axis=0) * 2"))
    assert main([str(path), "--plot", str(tmp_path / "out.png")]) == 1
    assert sorted(file.name for file in tmp_path.glob("*.png")) == ["out-linear.png", "out-relu.png"]
    assert main([f"{path}:relu", "--plot", str(tmp_path / "one.png")]) == 0
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert main([f"{path}:relu", "--plot", str(tmp_path / "nowhere" / "one.png")]) == 2
    assert "nowhere" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ a class


@pytest.fixture(scope="module")
def a_class(tmp_path_factory):
    """The README's command over thirty submissions, with --json: {name: result}."""
    folder = tmp_path_factory.mktemp("class") / "submissions"
    submissions.write(folder)
    done = command(*sorted(folder.glob("*.py")), "--like", SKELETON, "--timeout", "3", "--json")
    assert done.returncode == 1 and done.stderr == ""
    return {Path(result["file"]).stem: result for result in map(json.loads, done.stdout.splitlines())}


@pytest.fixture
def table(a_class, monkeypatch, capsys):
    """What the same command prints without --json, for the same results."""
    by_file = {result["file"]: result for result in a_class.values()}
    monkeypatch.setattr(student, "results", lambda jobs, at_once: [by_file[job["file"]] for job in jobs])
    assert main([*by_file, "--like", str(SKELETON)]) == 1
    return capsys.readouterr().out


def test_thirty_submissions_each_with_what_is_wrong(a_class, table):
    results = a_class
    assert len(results) == len(submissions.CLASS) == 30
    assert {name for name, result in results.items() if result["status"] == "correct"} == {"anna", "elif", "mehmet", "olga"}
    assert max(map(len, table.splitlines())) <= 80
    for who, function, _, _ in submissions.CLASS:
        states = {item["name"]: item["status"] for item in results[who]["checks"]}
        if results[who]["error"] is None:
            assert states.keys() == {"conv", "maxpool", "cross_entropy"}
            assert {name for name, state in states.items() if state != "correct"} <= {function}


def test_every_object_has_the_documented_keys(a_class):
    for result in a_class.values():
        assert list(result) == ["file", "status", "checks", "error", "printed"]
        assert result["status"] in ("correct", "wrong", "undecided", "error")
        for item in result["checks"]:
            assert list(item) == ["name", "checked", "status", "inputs", "drawn", "rows", "error"]
        for error in [result["error"], *(item["error"] for item in result["checks"])]:
            assert error is None or list(error) == ["kind", "message", "lines"]


def test_a_forward_that_is_not_the_teachers_is_said(check):
    status, (result,) = check("--like", str(SKELETON), mine=submissions.submission(None, "", "").replace("+ b\n", "+ 2 * b\n"))
    conv = result["checks"][0]
    assert status == 1 and conv["status"] == "wrong"
    assert conv["error"]["kind"] == "forward differs" and "forward is not that of skeleton.py" in conv["error"]["message"]


def test_the_skeleton_itself_is_unfinished(check):
    _, (result,) = check(mine=SKELETON.read_text("utf-8"))
    assert [item["error"]["kind"] for item in result["checks"]] == ["NotImplementedError"] * 3


def shown_in_readme(start):
    section = (ROOT / "README.md").read_text("utf-8").partition("## Checking gradients in class")[2].partition("\n## ")[0]
    (block,) = re.findall(rf"```\n({start}.*?)```", section, re.DOTALL)
    return block.strip()


def test_the_readme_shows_the_real_table(table):
    parts = [part.strip("\n") for part in shown_in_readme("submission ").split("…\n")]
    assert len(parts) > 1 and all(part in table for part in parts), parts


def test_the_readme_shows_the_real_report(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    submissions.write(Path("submissions"))
    assert main(["submissions/emma.py:conv", "--like", str(SKELETON)]) == 1
    rounding = re.compile(r"\d\.\de-\d\d| *worst at .*")  # is not the same on every processor
    assert rounding.sub("", capsys.readouterr().out.strip()) == rounding.sub("", shown_in_readme("submissions/emma.py"))
