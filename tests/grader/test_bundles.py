"""What `python -m lessons.grade` makes: run as the graders run it, or held against what they
publish."""
import csv
import datetime
import io
import json
import os
import stat
import subprocess
import sys
import unittest
import zipfile
from pathlib import Path

import pytest
from short import first

from lessons import grade
from lessons.gradient_bugs import submissions

ROOT = Path(__file__).resolve().parents[2]
SKELETON = ROOT / "lessons" / "gradient_bugs" / "skeleton.py"
SOLUTIONS, EXERCISES = ROOT / "lessons" / "solutions", ROOT / "lessons" / "exercises"
# the first two right, the third as it was handed out
THREE = ["04_convolution", "06_relu", "07_pooling"]
EMMA = next(student for student in submissions.CLASS if student[0] == "emma")


def made(out, *arguments):
    assert grade.main([str(out), *map(str, arguments)]) == 0
    return out


def hand_in_three(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in zip(THREE, (SOLUTIONS, SOLUTIONS, EXERCISES)):
        (folder / f"{name}.py").write_text((source / f"{name}.py").read_text("utf-8"),
                                           encoding="utf-8")


def own_python(folder):
    """A Python in `folder` that finds the packages of this one, as setup.sh would have installed
    them."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "here.pth").write_text("\n".join(path for path in sys.path
                                             if path.endswith("-packages")), encoding="utf-8")


# --------------------------------------------------------------------------------------- Gradescope


@pytest.fixture(scope="module")
def autograder(tmp_path_factory):
    """/autograder of Gradescope's, in a temporary place, after one run of the whole zip."""
    root = tmp_path_factory.mktemp("autograder")
    return ran(root, {"skeleton.py": submissions.submission(*EMMA[1:])}, "--layers", SKELETON,
               "--points", "3", "2", "1")


def ran(root, handed_in, *options):
    if os.name != "posix":
        pytest.skip("run_autograder is a script for bash")
    bundle = made(root / "autograder.zip", "--to", "gradescope", *options)
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(root / "source")
    (root / "submission").mkdir()
    for name, text in handed_in.items():
        (root / "submission" / name).write_text(text, encoding="utf-8")
    own_python(root / "python")
    subprocess.run(["bash", str(root / "source" / "run_autograder")], check=True,
                   cwd=root / "submission", env={**os.environ, "AUTOGRADER_ROOT": str(root)})
    return root


def test_gradescopes_zip_has_both_scripts_at_its_root_and_they_may_be_run(tmp_path):
    bundle = made(tmp_path / "a.zip", "--to", "gradescope", "--exercises", "04")
    with zipfile.ZipFile(bundle) as archive:
        for name in ("setup.sh", "run_autograder"):
            assert archive.getinfo(name).external_attr >> 16 & stat.S_IXUSR
            assert archive.read(name).startswith(b"#!/usr/bin/env bash")
        assert {"minialex/tensor.py",
                "course/exercises/checks/04_convolution.py"} <= set(archive.namelist())


NETWORK = """
import numpy as np


class TwoLayerNet:
    def __init__(self, n_in, n_hidden, n_classes, reg=0.1):
        self.reg = reg
        self.params = {"W1": np.random.randn(n_in, n_hidden), "b1": np.zeros(n_hidden),
                       "W2": np.random.randn(n_hidden, n_classes), "b2": np.zeros(n_classes)}

    def loss(self, X, y):
        raise NotImplementedError


def linear_forward(A, W, b):
    return W @ A + b, (A, W, b)


def linear_backward(dZ, cache):
    raise NotImplementedError
"""
LOSS = """W1, b1, W2, b2 = self.params.values()
        h = np.maximum(0, X @ W1 + b1)
        p = np.exp(h @ W2 + b2)
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(len(y)), y]).mean() + self.reg * ((W1 ** 2).sum() + (W2 ** 2).sum())
        p[np.arange(len(y)), y] -= 1
        p /= len(y)
        dh = (p @ W2.T) * (h > 0)
        return loss, {"W1": X.T @ dh + 2 * self.reg * W1, "b1": dh.sum(axis=0), "W2": h.T @ p, "b2": p.sum(axis=0)}"""  # noqa: E501
AVERAGED = """A, W, b = cache
    m = A.shape[1]
    return W.T @ dZ, dZ @ A.T / m, dZ.sum(axis=1, keepdims=True) / m"""


@pytest.mark.parametrize("averaged", first(1, [True, False]))
def test_a_whole_network_and_a_layer_that_averages_earn_their_points(tmp_path, averaged):
    """W2's regularization is forgotten: three of four gradients. dW and db divided by m: right if
    the course has it so."""
    (tmp_path / "teacher").mkdir()
    skeleton = tmp_path / "teacher" / "skeleton.py"
    skeleton.write_text(NETWORK, encoding="utf-8")
    code = NETWORK.replace("raise NotImplementedError", LOSS,
                           1).replace("raise NotImplementedError", AVERAGED)
    root = ran(tmp_path, {"skeleton.py": code}, "--layers", skeleton, "--points", "4", "3",
               *["--mean-over-examples"] * averaged)
    net, linear = json.loads((root / "results" / "results.json").read_text("utf-8"))["tests"]
    assert (net["name"], net["score"], linear["score"]) == ("TwoLayerNet", 3,
                                                            3 if averaged else 1), net["output"]
    assert "W2" in net["output"] and ("averaged over the 4 examples"
                                      in linear["output"]) is averaged


def test_the_mean_of_examples_is_told_to_every_grader(tmp_path, capsys):
    out = made(tmp_path / "hw", "--to", "nbgrader", "--layers", SKELETON, "--mean-over-examples")
    assert "mean_over_examples=True" in next(out.rglob("*.ipynb")).read_text("utf-8")
    for to in ("classroom50", "prairielearn"):
        out = made(tmp_path / to, "--to", to, "--layers", SKELETON, "--mean-over-examples")
        assert json.loads(next(out.rglob("assignment.json")).read_text("utf-8"))[
            "mean_over_examples"] is True
    assert grade.main([str(tmp_path / "no.zip"), "--to", "gradescope", "--exercises", "04",
                       "--mean-over-examples"]) == 2
    assert "--mean-over-examples goes with --layers" in capsys.readouterr().err


def test_gradescopes_results(autograder):
    results = json.loads((autograder / "results" / "results.json").read_text("utf-8"))
    assert set(results) == {"score", "execution_time", "output", "visibility", "stdout_visibility",
                            "extra_data", "tests", "leaderboard"}
    assert [(test["name"], test["score"], test["max_score"], test["status"])
            for test in results["tests"]] == [("conv", 2, 3, "failed"), ("maxpool", 2, 2, "passed"),
                                              ("cross_entropy", 1, 1, "passed")]
    assert results["score"] == 5 and results["visibility"] == "visible" and results[
        "stdout_visibility"] == "hidden"
    for test in results["tests"]:
        assert set(test) >= {"score", "max_score", "name", "number", "output", "status", "tags",
                             "visibility"}
    assert "shifted by (dy, dx): (1, 1)" in results["tests"][0]["output"]
    assert results["tests"][0]["tags"] == ["shifted by (dy, dx)"]
    assert results["extra_data"]["protection"] in results["output"]
    for hidden in ("results", "source/skeleton.py", "source/assignment.json"):
        assert stat.S_IMODE((autograder / hidden).stat().st_mode) & 0o077 == 0


def test_gradescope_grades_exercises(tmp_path):
    """One right, one with a mistake that is named, one as it was handed out, one not handed in."""
    handed_in = {f"{name}.py": (folder / f"{name}.py").read_text("utf-8").replace("] += p", "] = p")
                 for name, folder in zip(THREE, (SOLUTIONS, SOLUTIONS, EXERCISES))}
    root = ran(tmp_path, handed_in, *"--exercises 04 06 07 09 --points 3 2 1.5 1".split())
    results = json.loads((root / "results" / "results.json").read_text("utf-8"))
    assert [(test["score"], test["max_score"]) for test in results["tests"]] == [
        (0, 3), (2, 2), (0, 1.5), (0, 1)] and results["score"] == 2
    for test, said in zip(results["tests"], ("Add instead: +=", "right", "returns nothing yet",
                                             "09_cross_entropy.py")):
        assert said in test["output"], test


def test_gradescopes_own_runner_writes_the_same_fields(autograder):
    """gradescope-utils: each of its fields has the same type here."""
    utils = "gradescope_utils.autograder_utils."
    runner = pytest.importorskip(f"{utils}json_test_runner", reason="pip install gradescope-utils")
    mark = pytest.importorskip(f"{utils}decorators")

    class Graded(unittest.TestCase):
        def runTest(self):
            self.fail("shifted by (1, 1)")

        def part(self, set_score=None):
            set_score(1)

        def rank(self, set_leaderboard_value=None):
            set_leaderboard_value(1)

    for name, marks in {"runTest": [mark.weight(2), mark.visibility("visible"), mark.number("1"),
                                    mark.tags("conv")],
                        "part": [mark.partial_credit(3)],
                        "rank": [mark.leaderboard("right", "desc")]}.items():
        for each in marks:
            setattr(Graded, name, each(vars(Graded)[name]))
    stream = io.StringIO()
    runner.JSONTestRunner(visibility="visible", stdout_visibility="hidden", stream=stream).run(
        unittest.TestSuite(map(Graded, ("runTest", "part", "rank"))))
    theirs = json.loads(stream.getvalue())
    ours = json.loads((autograder / "results" / "results.json").read_text("utf-8"))

    def kinds(fields):
        return {name: float if isinstance(value, (int, float)) else type(value)
                for name, value in fields.items() if name != "execution_time"}  # there it is text

    assert kinds(theirs).items() <= kinds(ours).items()
    for part in ("tests", "leaderboard"):
        fields = [kinds(each) for each in theirs[part]]
        assert fields and all(each.items() <= kinds(ours[part][0]).items() for each in fields)
    assert {test["status"] for test in theirs["tests"]} <= {"passed", "failed"}


def test_setup_sh_installs_only_what_is_listed(tmp_path):
    bundle = made(tmp_path / "a.zip", "--to", "gradescope", "--exercises", "04")
    with zipfile.ZipFile(bundle) as archive:
        assert archive.read("requirements.txt").split() == [b"numpy>=2.0", b"threadpoolctl>=3.2"]
        assert b"requirements.txt" in archive.read("setup.sh")


def test_what_gradescope_bundles_needs_no_other_package():
    """With neither Pillow nor matplotlib nor tqdm nor CuPy, as on a machine that has run
    setup.sh."""
    code = ("import sys\nclass No:\n    def find_spec(self, name, path=None, "
            "target=None):\n        if name.split('.')[0] in ('PIL', 'matplotlib', 'tqdm', "
            "'cupy'): raise ImportError(name)\nsys.meta_path.insert(0, "
            "No())\nimport minialex.grader.grading, "
            "minialex.grader.inside\nsys.path.insert(0, 'lessons')\nimport checking")
    subprocess.run([sys.executable, "-c", code], cwd=ROOT,
                   env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)


# ------------------------------------------------------------------------------------- Classroom 50


def test_classroom_50(tmp_path):
    bundle, checkout = made(tmp_path / "hw1", "--to", "classroom50", "--exercises", "04", "06",
                            "07"), tmp_path / "checkout"
    hand_in_three(checkout)
    names = {"CLASSROOM": "cs", "ASSIGNMENT": "hw1", "SUBMISSION_TAG": "submit/2026-01-01",
             "COMMIT_URL": "https://x/commit/1", "RELEASE_URL": "https://x/releases/1"}
    done = subprocess.run([sys.executable, str(bundle / "autograder.py")], cwd=checkout,
                          check=False, env={**os.environ, **names, "MINIALEX_ALONE": "1"})
    assert done.returncode == 0  # although a test failed
    result = json.loads((checkout / "result.json").read_text("utf-8"))
    assert set(result) == {"schema", "classroom", "assignment", "submission", "commit", "release",
                           "review", "datetime", "score", "max-score", "tests"}
    assert result["schema"] == "classroom50/result/v1" and (result["score"],
                                                            result["max-score"]) == (2, 3)
    assert all(isinstance(result[key], str) and result[key]
               for key in ("classroom", "assignment", "submission", "review"))
    datetime.datetime.strptime(result["datetime"], "%Y-%m-%dT%H:%M:%SZ")
    assert [(test["test-name"], test["passed"])
            for test in result["tests"]] == list(zip(THREE, (True, True, False)))
    for test in result["tests"]:
        assert isinstance(test["score"], int) and isinstance(test["max-score"],
                                                             int) and isinstance(test["passed"],
                                                                                 bool)
    assert "returns nothing yet" in result["tests"][2]["feedback"]
    assert "returns nothing yet" in (checkout / "release-body.md").read_text("utf-8")


def test_classroom_50_installs_with_no_file_of_the_checkout(tmp_path):
    """Where NumPy has to be installed first, a pip.py among what was handed in would be the pip."""
    pytest.importorskip("pip")
    bundle = made(tmp_path / "hw", "--to", "classroom50", "--exercises", "06")
    checkout = tmp_path / "in"
    (bundle / "requirements.txt").write_text("", encoding="utf-8")
    hand_in_three(checkout)
    for name in ("pip.py", "importlib.py", "subprocess.py"):
        (checkout / name).write_text("open('was_run', 'w')", encoding="utf-8")
    code = ("import sys; sys.path[0] = sys.argv[1]\nimport autograder\n"
            "autograder.importlib.util.find_spec = lambda name: None\nsys.exit(autograder.main())")
    subprocess.run([sys.executable, "-c", code, str(bundle)], cwd=checkout, check=True,
                   env={**os.environ, "MINIALEX_ALONE": "1"})
    assert not (checkout / "was_run").exists() and not (bundle / "was_run").exists()
    assert json.loads((checkout / "result.json").read_text("utf-8"))["score"] == 1


def test_classroom_50_knows_whole_points_only(tmp_path, capsys):
    assert grade.main([str(tmp_path / "x"), "--to", "classroom50", "--exercises", "04", "--points",
                       "1.5"]) == 2
    assert "whole numbers" in capsys.readouterr().err and not (tmp_path / "x").exists()


# --------------------------------------------------------------------------------------- gradebooks


def test_a_gradebook_of_a_folder(tmp_path):
    """A folder for each student, or a file; a name that a spreadsheet would compute is a name."""
    for student in ("anna", "=ben"):
        hand_in_three(tmp_path / "in" / student)
    (tmp_path / "in" / "=ben" / "04_convolution.py").write_text("def im2col(", encoding="utf-8")
    out = made(tmp_path / "grades.csv", "--to", "csv", "--exercises", "04", "07", "--points", "2",
               "--submissions", tmp_path / "in")
    with open(out, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["student", "exercise", "points", "of", "feedback"]
    assert {(row["student"], row["exercise"]): row["points"] for row in rows} == {
        ("anna", "04_convolution"): "2", ("anna", "07_pooling"): "0",
        ("'=ben", "04_convolution"): "0", ("'=ben", "07_pooling"): "0"}
    assert "SyntaxError" in rows[0]["feedback"] and "nothing yet" in rows[3]["feedback"]


def test_nobody_is_lost_or_graded_twice(tmp_path):
    """Two files of one name, a folder with a dot; a link to another's work is none of one's own."""
    folder = tmp_path / "in"
    hand_in_three(folder / "ben.k")
    for name in ("anna.py", "anna.ipynb"):
        (folder / name).write_text("x = 1", encoding="utf-8")
    if os.name == "posix":
        (folder / "eve").symlink_to(folder / "ben.k")
    out = made(tmp_path / "grades.csv", "--to", "csv", "--exercises", "06", "--submissions", folder)
    with open(out, encoding="utf-8", newline="") as file:
        points = {row["student"]: row["points"] for row in csv.DictReader(file)}
    assert points == {"anna.py": "0", "anna.ipynb": "0", "ben.k": "1"}


# --------------------------------------------------------------------------- nothing is overwritten


@pytest.mark.parametrize("form, out", [("gradescope", "a.zip"), ("classroom50", "a"),
                                       ("nbgrader", "a"), ("prairielearn", "a")])
def test_what_it_has_written_is_renewed_and_nothing_else(tmp_path, capsys, form, out):
    out = tmp_path / out
    made(out, "--to", form, "--exercises", "04")
    made(out, "--to", form, "--exercises", "04", "06")  # its own
    first = out.read_bytes() if out.is_file() else (out / ".minialex-grade.json").read_bytes()
    if out.is_file():
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr("notes.txt", "mine")
        kept, content = out, out.read_bytes()
    else:
        kept = next(path for path in sorted(out.rglob("*")) if path.is_file()
                    and path.name[0] != "." and path.suffix in (".json", ".ipynb", ".py"))
        kept.write_text("mine", encoding="utf-8")
        content = kept.read_bytes()
    assert grade.main([str(out), "--to", form, "--exercises", "04", "06"]) == 2
    said = capsys.readouterr().err
    assert kept.read_bytes() == content and said.count(
        "\n") == 1 and "give another" in said and first


@pytest.mark.parametrize("form", grade.FORMATS)
def test_files_of_others_stay(tmp_path, capsys, form):
    taken = tmp_path / ("taken.zip" if form == "gradescope" else "taken")
    taken.write_text("mine", encoding="utf-8")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "anna.py").write_text("x = 1", encoding="utf-8")
    more = ["--submissions", str(tmp_path / "in")] if form == "csv" else []
    assert grade.main([str(taken), "--to", form, "--exercises", "04", *more]) == 2
    assert taken.read_text("utf-8") == "mine" and capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("arguments, sentence", [
    (["--to", "csv", "--exercises", "04"], "give --submissions FOLDER"),
    (["--to", "gradescope", "--exercises", "99"], "there is no exercise 99"),
    (["--to", "gradescope", "--exercises", "04", "04"], "only once"),
    (["--to", "gradescope", "--exercises", "04", "06", "--points", "1", "2", "3"],
     "give one number, or 2"),
    (["--to", "gradescope", "--layers", "nowhere.py"], "there is no file 'nowhere.py'"),
    (["--to", "gradescope", "--exercises", "04", "--submissions", "x"], "goes with --to csv"),
])
def test_mistakes_are_one_sentence(tmp_path, capsys, arguments, sentence):
    assert grade.main([str(tmp_path / "x.zip"), *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1 and not (tmp_path / "x.zip").exists()


@pytest.mark.parametrize("option, numbers",
                         [("--timeout", ("-1", "0", "nan", "inf", "1e6", "ten", "")),
                          ("--memory", ("0", "-5", "63", "1.5", "9" * 30, "²", "nan")),
                          ("--seed", ("-1", "1.5", "²", "nan", "")),
                          ("--points", ("0", "-1", "nan", "inf", "two"))])
def test_numbers_that_no_grader_could_keep_are_refused_in_one_sentence(tmp_path, capsys, option,
                                                                       numbers):
    from minialex.cli import gradcheck

    (tmp_path / "a.py").write_text("", encoding="utf-8")
    for number in numbers:
        commands = [(grade.main,
                     [str(tmp_path / "x.zip"), "--to", "gradescope", "--exercises", "04"])]
        commands += [(gradcheck.main, [str(tmp_path / "a.py")])] * (option != "--points")
        for main, arguments in commands:
            try:
                status = main([*arguments, f"{option}={number}"])
            except SystemExit as ended:  # the parser's own way out
                status = ended.code
            said = capsys.readouterr().err
            assert status == 2 and said.count(
                "\n") == 1 and f"{option}: {number!r} is not a" in said
    assert not (tmp_path / "x.zip").exists()
