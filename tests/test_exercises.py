"""The exercises: every solution passes, every skeleton is refused politely, typical mistakes get
their hint."""
import importlib
import json
import os
import pkgutil
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import wrong_answers

import minialex as ma

LESSONS = Path(__file__).resolve().parents[1] / "lessons"
EXERCISES = sorted(path.stem for path in (LESSONS / "exercises").glob("[0-9][0-9]_*.py"))
WRONG = {}
for part in pkgutil.iter_modules(wrong_answers.__path__):
    WRONG.update(importlib.import_module(f"wrong_answers.{part.name}").WRONG)


@pytest.fixture
def checking(monkeypatch):
    """The checks as an exercise finds them, and not those that another test has left from a copy of
    the course."""
    parts = ("checking", "classroom", "progress", "predictions", "telling", "evidence", "cells")
    for name in parts:
        sys.modules.pop(name, None)
    monkeypatch.syspath_prepend(str(LESSONS))
    yield importlib.import_module("checking")
    for name in parts:
        sys.modules.pop(name, None)


@pytest.fixture
def judge(checking, monkeypatch):
    """judge(name, text): what the check of this exercise says to a file with this text."""

    def run(name, text):
        course = types.ModuleType("course")
        course.check = checking.load(name).check
        monkeypatch.setitem(sys.modules, "course", course)
        exec(compile(text, f"{name}.py", "exec"), {"__name__": "__main__"})

    return run


def text_of(folder, name):
    return (LESSONS / folder / f"{name}.py").read_text(encoding="utf-8")


def test_each_exercise_has_its_lesson_solution_check_and_wrong_answers():
    for folder in (LESSONS, LESSONS / "solutions", LESSONS / "exercises" / "checks"):
        assert set(EXERCISES) <= {path.stem for path in folder.glob("*.py")}, folder
    assert set(EXERCISES) == set(WRONG) and all(len(changes) >= 3 for changes in WRONG.values())
    assert text_of("exercises", "course") == text_of("solutions", "course")


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_passes(judge, name):
    judge(name, text_of("solutions", name))


@pytest.mark.parametrize("name", EXERCISES)
def test_the_skeleton_is_refused_politely(judge, checking, name):
    with pytest.raises(checking.Wrong, match="nothing yet"):
        judge(name, text_of("exercises", name))


@pytest.mark.parametrize("name, change",
                         [(name, change) for name, changes in WRONG.items() for change in changes])
def test_a_typical_mistake_gets_its_hint(judge, checking, name, change):
    right, wrong, hint = change
    text = text_of("solutions", name)
    assert text.count(right) >= 1, f"{right!r} is no longer in the solution"
    with pytest.raises(checking.Wrong) as caught:
        judge(name, text.replace(right, wrong, 1))
    assert hint in " ".join(str(caught.value).split())


# --------------------------------------------------------------------------- as a student runs them


def run(path, cache):
    environment = {**os.environ, "MINIALEX_CACHE": str(cache), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run([sys.executable, str(path)], cwd=cache, env=environment,
                          capture_output=True, encoding="utf-8", check=False)


def test_from_anywhere_first_the_skeleton_then_the_filled_in_file(tmp_path):
    """The files as a student has them: a copy of the course, so that the exercise can be filled
    in."""
    root = tmp_path / "course"
    for folder in ("lessons", "minialex"):
        shutil.copytree(LESSONS.parent / folder, root / folder,
                        ignore=shutil.ignore_patterns("pictures", "__pycache__"))
    exercise = root / "lessons" / "exercises" / "01_shape_arithmetic.py"
    state = tmp_path / "course.json"

    done = run(exercise, tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("not yet: output_size returns nothing yet")
    assert json.loads(state.read_text())["exercises"] == {exercise.stem: "tried"}

    exercise.write_text(text_of("solutions", exercise.stem), encoding="utf-8")
    done = run(exercise, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("right.")
    assert json.loads(state.read_text())["exercises"] == {exercise.stem: "solved"}


def test_a_file_with_another_name_is_told_so(tmp_path):
    for name in ("exercises", *(path.name for path in LESSONS.glob("[a-z]*.py"))):
        source, target = LESSONS / name, tmp_path / "lessons" / name
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    exercise = tmp_path / "lessons" / "exercises" / "mine.py"
    (tmp_path / "lessons" / "exercises" / "01_shape_arithmetic.py").rename(exercise)
    done = run(exercise, tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert ("there is no check for a file called mine.py: keep the exercise's name, "
            "one of 00_first_network" in done.stderr)


def test_an_error_in_the_answer_is_told_with_its_line(checking):
    def broken(x):
        return x.nothing

    with pytest.raises(checking.Wrong, match=r"broken stops in line \d+ with AttributeError: "
                       r"'int' object has no attribute"):
        checking.call(broken, 1)


def test_a_value_that_is_no_number_is_told(checking):
    with pytest.raises(checking.Wrong, match="size: a number or an array of numbers is wanted, "
                       "this is a str"):
        checking.same("size", "many", 3)


# ---------------------------------------------------------------------- answers that are no answers


GARBAGE = [None, "text", float("nan"), [], {}, object(), (None, None), [[1, 2], [3]], True,
           np.zeros((0, 3)), 10**400, 1j]


def returning(value, error=None):
    """Something that can stand for a function or for a Function class, and always gives this."""

    def anything(*arguments):
        if error:
            raise error
        return value

    class Anything(ma.Function):
        def __init__(self, *options):
            pass

        def forward(self, *arrays):
            return anything()

        def backward(self, g):
            return anything()

    return anything, Anything


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of arithmetic with the nonsense
@pytest.mark.parametrize("name", EXERCISES)
def test_whatever_is_returned_the_check_says_a_sentence(checking, monkeypatch, name):
    """Functions and classes of the solution, replaced by ones that return nonsense or stop."""
    given = []
    course = types.ModuleType("course")
    course.check = lambda *answers: given.extend(answers)
    monkeypatch.setitem(sys.modules, "course", course)
    exec(compile(text_of("solutions", name), f"{name}.py", "exec"), {"__name__": "__main__"})
    task = checking.load(name)
    attempts = [(value, None) for value in GARBAGE] + [(None, KeyError("x")),
                                                       (None, RecursionError())]
    for value, error in attempts:
        function, kind = returning(value, error)
        for position, right in enumerate(given):
            answers = list(given)
            answers[position] = kind if isinstance(right, type) else function
            with pytest.raises(checking.Wrong) as caught:
                task.check(*answers)
            assert len(str(caught.value)) > 10
