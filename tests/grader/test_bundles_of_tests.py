"""What a teacher uploads for graders that run tests: nbgrader, PrairieLearn, otter-grader."""
import csv
import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import test_exercises
from test_bundles import ROOT, SKELETON, THREE, hand_in_three, made

from lessons import grade
from lessons.gradient_bugs import submissions

# ----------------------------------------------------------------------------------------- nbgrader


def test_notebooks_are_valid_and_complete(tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="pip install nbformat, "
                                   "to check what is written for nbgrader")
    for place in (made(tmp_path / "a", "--to", "nbgrader", "--exercises", "04", "06"),
                  made(tmp_path / "b", "--to", "nbgrader", "--layers", SKELETON)):
        notebooks = list(place.rglob("*.ipynb"))
        for path in notebooks:
            nbformat.validate(nbformat.read(path, 4))
        assert notebooks


def test_cells_for_nbgrader(tmp_path):
    out = made(tmp_path / "a", "--to", "nbgrader", "--layers", SKELETON, "--points", "3", "2", "1")
    (path,) = out.rglob("*.ipynb")
    cells = {cell["id"]: cell for cell in json.loads(path.read_text("utf-8"))["cells"]}
    answer, tests = "".join(cells["conv-answer"]["source"]), "".join(cells["conv-tests"]["source"])
    assert answer.index("### BEGIN SOLUTION") < answer.index(
        "raise NotImplementedError") < answer.index("### END SOLUTION")
    assert tests.index("### BEGIN HIDDEN TESTS") < tests.index("check_backward") < tests.index(
        "### END HIDDEN TESTS")
    marks = cells["conv-tests"]["metadata"]["nbgrader"]
    assert marks["grade"] and marks["locked"] and not marks["solution"] and marks[
        "points"] == 3 and marks["schema_version"] == 3
    assert cells["conv-answer"]["metadata"]["nbgrader"]["solution"]


HELPED = """import numpy as np

SMALL = 1e-9


def clip(x):
    return np.maximum(x, SMALL)


def log_forward(x):
    return np.log(clip(x)), x


def log_backward(dout, cache):
    "dx of the logarithm."
    return dout / clip(cache)


def log_inputs(generator):
    return {"x": generator.uniform(1, 2, (3, 4))}


if __name__ == "__main__":
    raise SystemExit(1)
"""


def test_a_notebook_has_what_its_functions_need_and_all_of_an_answer_is_hidden(tmp_path):
    skeleton = tmp_path / "layers.py"
    skeleton.write_text(HELPED, encoding="utf-8")
    (path,) = made(tmp_path / "hw", "--to", "nbgrader", "--layers", skeleton).rglob("*.ipynb")
    cells = json.loads(path.read_text("utf-8"))["cells"]
    cells = {cell["id"]: "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"}
    names = {"__name__": "__main__"}
    for source in cells.values():
        exec(source, names)
    assert names["report"] and "def clip" in cells["imports"]
    hidden = cells["log-answer"].partition("### BEGIN SOLUTION")[2].partition("### END")[0]
    assert "return dout / clip(cache)" in hidden and "dx of the logarithm" not in hidden


@pytest.mark.parametrize("form, text, said", [
    ("nbgrader", HELPED.replace("log_inputs", "made"), "no function log_inputs(generator)"),
    ("nbgrader", "class ReLU:\n    def forward(self, x): return x\n"
     "    def backward(self, dout): raise NotImplementedError\n", "ReLU is no function"),
    ("prairielearn", HELPED, "log is written already")])
def test_what_a_grader_cannot_take_or_would_give_away_is_said(tmp_path, capsys, form, text, said):
    (tmp_path / "layers.py").write_text(text, encoding="utf-8")
    arguments = ["--to", form, "--layers", str(tmp_path / "layers.py")]
    assert grade.main([str(tmp_path / "x"), *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and not (tmp_path / "x").exists()


def test_what_a_traceback_quotes_is_no_check(tmp_path):
    """Students read the lines before the one that stops: not thousands of letters of a check."""
    out = made(tmp_path / "nb", "--to", "nbgrader", "--exercises", "04", "07")
    for path in out.rglob("*.ipynb"):
        cells = {cell["id"]: cell for cell in json.loads(path.read_text("utf-8"))["cells"]}
        lines = "".join(cells["tests"]["source"]).splitlines()
        stop = next(number for number, line in enumerate(lines) if "assert mistake" in line)
        assert max(map(len, lines)) > 1000 > 100 > max(map(len, lines[stop - 10:]))


def test_nbgrader_itself(tmp_path):
    """Makes the students' version, then grades a right, an empty and a wrong notebook."""
    pytest.importorskip("nbgrader", reason="pip install nbgrader, "
                        "to have it make and grade the notebooks")
    out = made(tmp_path / "course", "--to", "nbgrader", "--exercises", "06")
    (source,) = out.rglob("06_relu.ipynb")
    name = source.parent.name
    (out / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'c'\n",
                                            encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JUPYTER_PLATFORM_DIRS": "1",
                   "HOME": str(tmp_path),
                   "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}  # it starts alembic  # noqa: E501

    def run(*arguments):
        subprocess.run([sys.executable, "-m", "nbgrader", *arguments], cwd=out, env=environment,
                       check=True, capture_output=True)

    run("generate_assignment", name)
    released = (out / "release" / name / "06_relu.ipynb").read_text("utf-8")
    assert "YOUR CODE HERE" in released and "tenth of g" not in released
    right = source.read_text("utf-8")
    old, new, said = test_exercises.WRONG["06_relu"][0]
    for student, text in (("anna", right), ("ben", released), ("cleo", right.replace(old, new, 1))):
        place = out / "submitted" / student / name
        place.mkdir(parents=True)
        (place / "06_relu.ipynb").write_text(text, encoding="utf-8")
    run("autograde", name)
    run("generate_feedback", name)
    run("export")
    told = (out / "feedback" / "cleo" / name / "06_relu.html").read_text("utf-8")
    assert said in " ".join(html.unescape(re.sub("<.*?>", "", told)).split())
    with open(out / "grades.csv", encoding="utf-8") as file:
        assert {row["student_id"]: float(row["score"])
                for row in csv.DictReader(file)} == {"anna": 1.0, "ben": 0.0, "cleo": 0.0}


ALONE = """
import json, sys
sys.path[:] = [place for place in sys.path if place != sys.argv[2]]
answers, failed = json.loads(sys.argv[1]), []
import minialex
assert not any(name in sys.modules for name in ("lessons", "checking", "classroom"))
for path, right, wrong, hint in answers:
    for old, new, said in ((right, right, None), (right, wrong, hint)):
        names = {"__name__": "__main__"}
        try:
            for cell in json.load(open(path, encoding="utf-8"))["cells"]:
                source = "".join(cell["source"])
                if cell["cell_type"] == "code":
                    exec(source.replace(old, new, 1) if cell["id"] == "answer" else source, names)
            told = None
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
        if (said is None) != (told is None) or said and said not in " ".join(told.split()):
            failed.append(f"{path}: {told!r}, not {said!r}")
for sentence in failed:
    print(sentence, file=sys.stderr)
"""


def test_every_exercises_notebook_needs_minialex_alone(tmp_path):
    """Its cells, in a process that finds no lessons/: the solution passes, a wrong answer is told
    its mistake."""
    names = test_exercises.EXERCISES
    out = made(tmp_path / "nb", "--to", "nbgrader", "--exercises", *(name[:2] for name in names))
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "minialex").symlink_to(ROOT / "minialex")
    books = {path.stem: str(path) for path in out.rglob("*.ipynb")}
    assert sorted(books) == names
    answers = [(books[name], *changes[0]) for name, changes in test_exercises.WRONG.items()]
    done = subprocess.run([sys.executable, "-c", ALONE, json.dumps(answers), str(ROOT)],
                          cwd=tmp_path, check=False, text=True,
                          env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
                          capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")


# ------------------------------------------------------------------------------------- PrairieLearn


def test_a_question_for_prairielearn(tmp_path):
    out = made(tmp_path / "q", "--to", "prairielearn", "--exercises", "04", "06", "--title",
               "Backward")
    info = json.loads((out / "info.json").read_text("utf-8"))
    assert info["title"] == "Backward" and info["gradingMethod"] == "External" and len(
        info["uuid"]) == 36
    question = (out / "question.html").read_text("utf-8")
    for name in THREE[:2]:
        assert f'file-name="{name}.py"' in question and (out / "tests" / "start"
                                                         / f"{name}.py").is_file()
    assert "pl-external-grader-results" in question


PLATFORM = """
import sys, types
sys.path[:0] = [sys.argv[1]]
import test_student
told = {}
for number in (1, 2):
    feedback = types.SimpleNamespace(add_message=print)
    feedback.set_score_final = lambda share: told.update({number: share})
    getattr(test_student, f"test_{number:02d}")(feedback)
assert told == {1: 1.0, 2: 0.0}, told
"""


def test_a_question_in_the_folders_of_the_platform(tmp_path):
    """Its run.sh moves tests/ but for test_student.py into test_student/, beside student/, and lets
    pytest look everywhere: tests that were handed in are not run."""
    out = made(tmp_path / "q", "--to", "prairielearn", "--exercises", "04", "07")
    run = tmp_path / "run"
    assert "entrypoint" not in (out / "info.json").read_text("utf-8")  # the image has its own
    run.mkdir()
    (out / "tests").rename(run / "test_student")
    (run / "test_student" / "test_student.py").rename(run / "test_student.py")
    student = run / "test_student" / "student"
    hand_in_three(student)
    for name in ("conftest.py", "test_mine.py"):
        (student / name).write_text("raise SystemExit('run')", encoding="utf-8")
    subprocess.run([sys.executable, "-c", PLATFORM, str(run)], cwd=tmp_path, check=True)
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider",
               "--rootdir", str(run), "-c", os.devnull, str(run)]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8",
                           check=False)
    listed = [line for line in found.stdout.splitlines() if "::" in line]
    assert [line.rpartition("::")[2] for line in listed] == ["test_01", "test_02"], found.stdout


def test_prairielearns_grader_itself(tmp_path):
    pytest.importorskip("pytest_prairielearn_grader",
                        reason="pip install pytest-prairielearn-grader networkx "
                        "plot-serializer, to have it grade")  # it asks pip for the first alone
    out = made(tmp_path / "q", "--to", "prairielearn", "--exercises", "04", "06", "07", "--points",
               "1", "2", "4")
    hand_in_three(out / "tests" / "student")
    wrong = out / "tests" / "student" / "04_convolution.py"
    wrong.write_text(wrong.read_text("utf-8").replace("] += pixels", "] = pixels"), "utf-8")
    subprocess.run([sys.executable, "-m", "pytest", "-q", "test_student.py"], cwd=out / "tests",
                   check=True, capture_output=True)
    results = json.loads((out / "tests" / "autograder_results.json").read_text("utf-8"))
    assert results["gradable"] and results["score"] == pytest.approx(2 / 7)
    assert [test["points"] for test in results["tests"]] == [0, 2, 0]
    assert "Add instead: +=" in results["tests"][0]["message"]
    assert "returns nothing yet" in results["tests"][2]["message"]


# ------------------------------------------------------------------------------------- otter-grader


@pytest.mark.parametrize("student, said", [
    ("anna", None), ("emma", "shifted by (dy, dx): (1, 1)"), (None, "conv_backward is to return")])
def test_the_test_file_that_the_page_shows_in_otter_itself(student, said):
    otter = pytest.importorskip("otter.test_files", reason="pip install otter-grader, to have it "
                                "run the test that docs/grading.md shows")
    page = (ROOT / "docs" / "grading.md").read_text("utf-8")
    (shown,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    change = next((one[1:] for one in submissions.CLASS if one[0] == student), None)
    names = {"__name__": "__main__"}
    exec(submissions.submission(*change) if change else SKELETON.read_text("utf-8"), names)
    file = otter.ExceptionTestFile.from_string(shown, "conv.py")
    file.run(names)
    assert file.possible == 3 and file.score == (0 if said else 3)
    assert (said or "passed") in file.summary()
