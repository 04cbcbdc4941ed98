"""Whatever a submission does: it becomes not right by it, and nothing of anybody else's changes."""
import json
import multiprocessing
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from hostile import HOSTILE
from short import first, some

from lessons import grade as lessons_grade
from lessons.graders import gradescope
from minialex.errors import UserError
from minialex.gradcheck.__main__ import main
from minialex.grader import grading, sandbox, telling

ROOT = Path(__file__).resolve().parents[2]
SECRET = """
import numpy as np
def relu(x): return np.maximum(x, 0)
def relu_backward(dout, x): return dout * (x > 0)
def relu_inputs(generator): return {"x": generator.standard_normal((3, 4))}
"""
WRONG = """
import numpy as np
def relu(x): return np.maximum(x, 0)
def relu_backward(dout, x): return dout * 1.0
"""
RIGHT = WRONG.replace("dout * 1.0", "dout * (x > 0)")
# seconds; two runs at once tell their processes
RUN = 2 + int(os.environ.setdefault("HOSTILE_RUN", str(os.getpid()))) * 1e-9
ASSIGNMENT = {"title": "relu", "kind": "layers", "items": [["relu", 4]],
              "skeleton": "relu_teacher.py", "seed": 0, "timeout": RUN, "memory": 1024,
              "files": {"relu_teacher.py": SECRET}}
SHORT = 4
MARKS = {"@RESULT@": "results/results.json", "@SECRET@": "hidden/relu_teacher.py",
         "@OTHER@": "others/anna.py"}


def confined():
    """Is there more than a process and its limits? Without, these submissions would reach whoever
    runs the tests."""
    try:
        return sandbox.best_level() != "process"
    except UserError:
        return False


needs_linux = pytest.mark.skipif(not confined(), reason="this system offers a submission's process "
                                 "neither an own user nor namespaces: nothing keeps it from other "
                                 "files and processes")


def stage(folder):
    """Everything that there is besides the submission: {path: content}."""
    for name in ("hidden", "results", "submission", "others"):
        (folder / name).mkdir(parents=True)
    (folder / "hidden" / "relu_teacher.py").write_text(SECRET)
    (folder / "others" / "anna.py").write_text(RIGHT)
    (folder / "results" / "results.json").write_text("not yet")
    if sandbox.best_level() == "user":  # as lessons.grade does
        (folder / "others").chmod(0o700)
    return snapshot(folder)


def snapshot(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def grade(folder, code):
    for mark, path in MARKS.items():
        code = code.replace(mark, str(folder / path))
    (folder / "submission" / "relu.py").write_text(code)
    before = snapshot(folder)
    graded = grading.grade(ASSIGNMENT, folder / "submission", folder / "hidden")
    return graded, before == snapshot(folder)


def _try(place, name):
    stage(place)
    code = HOSTILE[name]
    return grade(place, code if "def relu_backward" in code and "def relu(" in code
                 else WRONG + code)


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """Each hostile submission, in front of a wrong answer and behind it: {name: (graded, nothing
    else has changed)}."""
    if not confined():
        pytest.skip("they would not be confined")
    places = {name: tmp_path_factory.mktemp("hostile") for name in HOSTILE}
    tries = some(SHORT, HOSTILE)
    # one at a time in a process
    with ProcessPoolExecutor(3, multiprocessing.get_context("spawn")) as pool:
        return dict(zip(tries, pool.map(_try, [places[name] for name in tries], tries)))


def test_enough_kinds_are_tried():
    assert len(HOSTILE) >= 30


@needs_linux
@pytest.mark.parametrize("name", first(SHORT, HOSTILE))
def test_a_hostile_submission_gains_nothing(tried, name):
    graded, untouched = tried[name]
    (test,) = graded["tests"]
    assert test["score"] == 0 and not test["passed"], test["feedback"]
    assert untouched
    assert gradescope.results(graded)["score"] == 0 and len(test["feedback"]) <= grading.LONG


@needs_linux
def test_nothing_goes_on_running(tried):
    for _ in range(10_000):  # a busy machine takes its time to end them
        left = [line for line in commands()
                if f"inside import main\nmain(*({RUN!r}, ".encode() in line]
        if not left:
            break
        time.sleep(0.02)
    assert not left


def commands():
    for process in Path("/proc").glob("[0-9]*"):
        try:
            yield (process / "cmdline").read_bytes()
        except OSError:
            pass


def test_the_right_answer_is_right_beside_them(tried, tmp_path):
    stage(tmp_path)
    graded, untouched = grade(tmp_path, RIGHT)
    assert graded["score"] == 4 and untouched and graded["tests"][0]["passed"]


def test_the_right_answer_is_right_in_an_odd_place(tmp_path):
    """Whoever keeps new files to himself, in folders that a shell would take apart."""
    before = os.umask(0o077)
    try:
        stage(tmp_path / "it's $HOME")
        graded, untouched = grade(tmp_path / "it's $HOME", RIGHT)
    finally:
        os.umask(before)
    assert graded["score"] == 4 and untouched, graded["tests"]


@pytest.mark.skipif(os.name != "posix", reason="a virtual environment looks different there")
def test_python_may_be_installed_among_the_submissions(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / ".venv")],
                   check=True)
    (site,) = tmp_path.glob(".venv/lib/python*/site-packages")
    (site / "here.pth").write_text("\n".join(path for path in sys.path
                                             if path.endswith("-packages")), encoding="utf-8")
    for name in ("anna.py", "ben.py"):
        (tmp_path / name).write_text(RIGHT)
    done = subprocess.run([str(tmp_path / ".venv/bin/python"), "-m", "minialex", "gradcheck",
                           str(tmp_path)], check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
                          capture_output=True, encoding="utf-8")
    assert "2 of 2 submissions correct" in done.stdout, done.stdout


def test_files_beside_a_submission_are_not_run(tmp_path):
    """Files that Python or pytest would load on their own accord."""
    stage(tmp_path)
    for name in ("sitecustomize.py", "usercustomize.py", "conftest.py", "numpy.py", "json.py",
                 "minialex.py", "checking.py"):
        (tmp_path / "submission" / name).write_text("import os\nos._exit(0)\n")
    (tmp_path / "submission" / "x.pth").write_text("import os; os._exit(0)\n")
    graded, _ = grade(tmp_path, RIGHT)
    assert graded["score"] == 4


@pytest.mark.parametrize("chosen, found", [("namespaces", None), ("user", None),
                                           ("process", "process")])
def test_no_code_runs_with_the_rights_of_an_administrator(monkeypatch, chosen, found):
    """Where neither namespaces nor another user work it would be able to end every process, and to
    write any result."""
    monkeypatch.setattr(sandbox, "_works", lambda level: level == "process")
    monkeypatch.setattr(sandbox, "_is_administrator", lambda: True)
    monkeypatch.setenv(sandbox.CHOSEN, chosen)
    if found:
        assert sandbox.best_level.__wrapped__() == found
    else:
        with pytest.raises(UserError, match="nothing keeps a submission from this machine"):
            sandbox.best_level.__wrapped__()
    monkeypatch.setattr(sandbox, "_is_administrator", lambda: False)
    assert sandbox.best_level.__wrapped__() == "process"


@pytest.mark.skipif(os.name != "posix", reason="permissions look different there")
def test_where_an_own_user_is_all_nobody_enters_the_folder_of_hand_ins(tmp_path, monkeypatch):
    tmp_path.chmod(0o755)
    for level, mode in (("user", 0o700), ("namespaces", 0o755)):
        monkeypatch.setattr(sandbox, "best_level", lambda level=level: level)
        with pytest.raises(KeyboardInterrupt), lessons_grade._closed(tmp_path):
            assert tmp_path.stat().st_mode & 0o777 == mode
            raise KeyboardInterrupt
        assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_link_as_submission_shows_nothing(tmp_path):
    stage(tmp_path)
    os.symlink(tmp_path / "hidden" / "relu_teacher.py", tmp_path / "submission" / "relu.py")
    graded = grading.grade(ASSIGNMENT, tmp_path / "submission", tmp_path / "hidden")
    assert graded["score"] == 0 and "No Python file" in graded["tests"][0]["feedback"]


def test_the_protection_that_was_in_force_is_said(tmp_path):
    code = ("import sys; sys.path.insert(0, sys.argv[1]); from minialex.grader import sandbox; "
            "print(sandbox.best_level(), sandbox.protection())")
    done = subprocess.run([sys.executable, "-c", code, str(ROOT)],
                          env={**os.environ, sandbox.CHOSEN: "process"}, capture_output=True,
                          encoding="utf-8", check=True)
    assert done.stdout.startswith("process an own process, limits of time and memory; "
                                  "this system offers no more")
    graded = {"tests": [], "score": 0, "seconds": 0, "protection": sandbox.protection()}
    assert sandbox.protection() in gradescope.results(graded)["output"]


IN_A_CLASS = {  # what a submission's process may say where it is believed
    "unusable": "said('the teacher is to blame')",
    "empty": "said({'found': [{}], 'troubles': [[7, 1]]})",
    "number": "Submission.check = lambda *_: (7, {})",
    "rows": "Check.told = lambda self, *_: {**self.result, 'status': 'correct', 'rows': [{'name': "
            "1}, 7]}",
    "status": "Check.told = lambda self, *_: {**self.result, 'status': ['correct'], 'error': "
              "'oops'}",
    "object": "Check.told = lambda self, *_: {**self.result, 'status': 'correct', 'rows': "
              "[{'name': 'x', 'verdict': 'correct', "
              "'detail': '', 'more': object()}]}",
}
SAID = """
import gc
from minialex.grader.submission import Check, Submission
def said(value):
    for thing in gc.get_objects():
        if type(thing).__name__ == "Inside":
            thing.exchange(thing.pack({"value": value, "changed": None}))
"""


def test_nobody_spoils_the_table_of_a_class(tmp_path, capsys):
    stage(tmp_path)
    folder = tmp_path / "class"
    folder.mkdir()
    for name, code in IN_A_CLASS.items():
        (folder / f"{name}.py").write_text(WRONG + SAID + code, encoding="utf-8")
    (folder / "anna.py").write_text(RIGHT)
    arguments = [str(folder), "--like", str(tmp_path / "hidden" / "relu_teacher.py"), "--json",
                 "--report", str(tmp_path / "class.html")]
    assert main(arguments) == 1
    results = {Path(result["file"]).stem: result
               for result in map(json.loads, capsys.readouterr().out.splitlines())}
    assert {name for name, result in results.items() if result["status"] == "correct"} == {"anna"}
    assert results.keys() == {"anna", *IN_A_CLASS} and all(telling.rows(result)
                                                           for result in results.values())
    assert "1 of 7 are all right" in (tmp_path / "class.html").read_text("utf-8")
