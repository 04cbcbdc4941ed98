"""No broken submission stops another, and each is told with the student's own lines."""
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver
from pathlib import Path

import pytest
from student_files import LINEAR, RELU, ROOT, command, write

from minialex.gradcheck.__main__ import main
from minialex.grader.sandbox import OPEN, Process

# ------------------------------------------------------------------------------- broken submissions


BROKEN = {
    "syntax": ("def f(x:\n    pass", "SyntaxError", 1),
    "missing": ("import nothing_of_that_name\n", "nothing to check", None),
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
    """All broken files and two good ones, in one run of the command: (exit status, {name:
    result})."""
    folder = tmp_path_factory.mktemp("broken")
    codes = {name: code for name, (code, _, _) in BROKEN.items()} | {"a_good": LINEAR,
                                                                     "z_good": LINEAR}
    files = [write(folder, name, code) for name, code in codes.items()]
    done = command(*files, "--json", "--timeout", "1")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {Path(result["file"]).stem: result for result in results}


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
    assert [(item["name"], item["status"])
            for item in result["checks"]] == [("a", "error"), ("b", "error"), ("relu", "correct")]
    assert result["checks"][0]["error"]["kind"] == "out of time"
    assert result["checks"][1]["error"]["message"] == "the Python interpreter crashed (SIGABRT)"


@pytest.mark.skipif(os.name != "posix", reason="ended by a signal")
@pytest.mark.parametrize("level", [OPEN, "process"])  # the first is forked by warm.py
def test_all_who_wait_for_a_process_are_told_the_same(level, monkeypatch):
    """The grader waits in two threads, while others start the next files' processes."""
    def slow(channel, read=forkserver.read_signed):
        time.sleep(0.1)
        return read(channel)
    first = Process(level=level)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(first.status, 60) for _ in range(3)]
        monkeypatch.setattr(forkserver, "read_signed", slow)
        os.kill(first.running.pid, signal.SIGABRT)
        second = pool.submit(Process, level=level)
        assert [one.result() for one in waiting] == [-signal.SIGABRT] * 3
    assert first.status() == -signal.SIGABRT
    first.end()
    second.result().end()


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
    assert status == 0 and result["printed"].startswith("hellohello") and len(
        result["printed"]) <= 2001
    path = write(tmp_path, "quiet", RELU + "\n    print('a word')")
    assert main([str(path), "--verbose"]) == 0
    assert "what the code printed:\n  | a word" in capsys.readouterr().out


def test_an_error_in_backward_shows_only_the_students_lines(tmp_path, capsys):
    path = write(tmp_path, "oops", """
    import numpy as np
    def f_forward(x):
        return np.tanh(x), x
    def helper(d, x):
        return np.linalg.inv(np.zeros((2, 2)))
    def f_backward(dout, cache):
        return helper(dout, cache)
    """)
    assert main([str(path)]) == 1
    said = capsys.readouterr().out
    assert "oops.py, line 8, in f_backward\n        return helper(dout, cache)" in said
    assert "oops.py, line 6, in helper\n        return np.linalg.inv(np.zeros((2, 2)))" in said
    assert "minialex" not in said and "site-packages" not in said and "Traceback" not in said
    assert max(map(len, said.splitlines())) <= 80


# --------------------------------------------------------------------------------- the command line


@pytest.mark.parametrize("arguments, sentence", [
    (["not_there.py"], "the file 'not_there.py' is not there"),
    (["EMPTY"], "holds no Python files"),
    (["FILE:one,two,three"], "two names"),
    (["FILE", "--shape", "x"], "--shape x: give an argument's name and its value, "
     "as in --shape x=2,3,7,7."),
    (["FILE", "--shape", "x=2,0"], "whole numbers from 1"),
    (["FILE", "--labels", "y=3"], "the number of classes"),
    (["FILE", "--like", "nowhere.py"], "there is no file 'nowhere.py'"),
    (["--shape", "x=2"], "go with a file"),
    (["--report", "class.html"], "--report, --anonymous, --shape, --labels, --option, --like, "
     "--plot go with a file: name one."),
])
def test_mistakes_of_the_command_line_are_one_sentence(tmp_path, capsys, arguments, sentence):
    path, empty = write(tmp_path, "mine", RELU), tmp_path / "empty"
    empty.mkdir()
    assert main([argument.replace("FILE", str(path)).replace("EMPTY", str(empty))
                 for argument in arguments]) == 2
    said = capsys.readouterr()
    assert sentence in said.err and said.err.count("\n") == 1 and said.out.count("\n") <= 2


@pytest.mark.parametrize("name, content, sentence", [
    ("a.py", b"\xff\xd8\xff\xe0\x00\x10JFIF", "no code: it is no text: a picture, or"),
    ("b.py", "def relu(x): return x".encode("utf-16"), "no code: it is no text"),
    ("c.ipynb", b'{"cells": [', "no code: it is no notebook, or one that was saved in part"),
    ("d.ipynb", b"[]", "no code: it is no notebook"),
])
def test_what_is_no_code_is_said_in_words_of_the_file(tmp_path, capsys, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    assert main([str(tmp_path / name)]) == 1
    said = capsys.readouterr().out
    assert sentence in " ".join(said.split()) and "Error" not in said, said


def test_a_teachers_file_that_cannot_be_used(tmp_path, capsys):
    path, teacher = write(tmp_path, "mine", RELU), write(tmp_path, "teacher", "x = (\n")
    assert main([str(path), "--like", str(teacher)]) == 2
    assert "cannot be used: SyntaxError" in capsys.readouterr().err


def test_pictures_one_for_each_check(tmp_path, capsys):
    path = write(tmp_path, "two", RELU + LINEAR.replace("dout.sum(axis=0)", "dout.sum(axis=0) * 2"))
    assert main([str(path), "--plot", str(tmp_path / "out.png")]) == 1
    assert sorted(file.name for file in tmp_path.glob("*.png")) == ["out-linear.png",
                                                                    "out-relu.png"]
    assert main([f"{path}:relu", "--plot", str(tmp_path / "one.png")]) == 0
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert main([f"{path}:relu", "--plot", str(tmp_path / "nowhere" / "one.png")]) == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C as a signal")
def test_after_ctrl_c_nothing_goes_on_running(tmp_path):
    path = write(tmp_path, "endless",
                 "import os\nopen('pid.txt', 'w').write(str(os.getpid()))\nwhile True:\n    pass\n")
    running = subprocess.Popen([sys.executable, "-m", "minialex.gradcheck", str(path), "--timeout",
                                "600"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
                               stdout=subprocess.DEVNULL)
    while not (pid := (tmp_path / "pid.txt").read_text() if (tmp_path / "pid.txt").exists()
               else ""):
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
