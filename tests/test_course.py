"""The course as a whole: every claim of the notes has one lesson that settles it, and the student's
state is remembered."""
import ast
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LESSONS = ROOT / "lessons"
NOTES = ROOT.parent / "shared" / "CLAIMS.md"
CLAIMS = {
    1: "S1 S2 S3 S4 S5 S6 S9 S11",
    5: "S7 S8",
    8: "O1 O2 O3 O4",
    9: "T10",
    10: "T6",
    11: "S10",
    12: "O5",
    13: "C1 C2 C3 C4 C5 C6 C7",
    15: "T7",
    16: "T4 T5",
    17: "T1 T2 T3",
    18: "T9 T12",
    19: "T8",
    20: "T11",
}


def calls(path, name):
    """The first argument of every call of this name in a lesson, if it is a text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)
             and getattr(node.func, "id", None) == name]
    return [node.args[0].value for node in found if isinstance(node.args[0], ast.Constant)]


def of_lesson(number):
    (path,) = LESSONS.glob(f"{number:02}_*.py")
    return path


@pytest.mark.parametrize("number", CLAIMS)
def test_a_lesson_makes_and_settles_its_claims(number):
    path, expected = of_lesson(number), CLAIMS[number].split()
    assert sorted(calls(path, "claim")) == sorted(calls(path, "settle")) == sorted(expected)


def test_no_claim_is_settled_twice():
    settled = [name for path in LESSONS.glob("[0-9][0-9]_*.py") for name in calls(path, "settle")]
    assert len(settled) == len(set(settled))


@pytest.mark.skipif(not NOTES.exists(), reason="../shared/CLAIMS.md, the list of claims, "
                    "is not here")
def test_the_list_of_claims_is_the_one_of_the_notes():
    rows = re.findall(r"^\| ([SOCT]\d+) \|", NOTES.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(name for names in CLAIMS.values() for name in names.split()) == sorted(rows)


# ------------------------------------------------------------------------------ the student's state


@pytest.fixture
def progress(monkeypatch, tmp_path):
    monkeypatch.setenv("MINIALEX_CACHE", str(tmp_path / "cache"))
    return importlib.import_module("lessons.progress")


def test_a_beginner_has_no_state(progress):
    assert progress.load() == {"lessons": {}, "exercises": {}, "bricks": {}}
    assert progress.describe(progress.load(), "01_shape_arithmetic") == ""


def test_what_was_done_is_remembered_and_a_solved_exercise_stays_solved(progress):
    progress.note("lessons", "01_shape_arithmetic", [3, 5])
    progress.note("exercises", "01_shape_arithmetic", "tried")
    progress.note("exercises", "01_shape_arithmetic", "solved")
    progress.note("exercises", "01_shape_arithmetic", "tried")
    progress.note("lessons", "02_the_tape", [0, 0])
    known = progress.load()
    assert progress.describe(
        known, "01_shape_arithmetic") == "read, 3 of 5 predictions right, exercise solved"
    assert progress.describe(known, "02_the_tape") == "read"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"lessons": 3}', "\x00"])
def test_a_damaged_file_is_a_beginner(progress, text):
    progress.path().parent.mkdir(parents=True)
    progress.path().write_text(text)
    assert progress.load() == {"lessons": {}, "exercises": {}, "bricks": {}}
    progress.note("exercises", "02_the_tape", "solved")
    assert progress.load()["exercises"] == {"02_the_tape": "solved"}


@pytest.mark.parametrize("state", ['{"lessons": {"01_shape_arithmetic": 7}}',
                                   '{"lessons": {"01_shape_arithmetic": ["a"]}}'])
def test_a_strange_entry_does_not_stop_the_list(progress, state):
    progress.path().parent.mkdir(parents=True)
    progress.path().write_text(state)
    assert progress.describe(progress.load(), "01_shape_arithmetic") == "read"


def test_a_place_that_cannot_be_written_is_not_in_the_way(progress, monkeypatch, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    progress.note("exercises", "02_the_tape", "solved")
    assert progress.load()["exercises"] == {}


def test_a_student_at_a_terminal_who_is_wrong_each_time(tmp_path):
    """Lesson 2 with every prediction typed, and wrong: it goes on, scores them, and the list shows
    it."""
    pty = pytest.importorskip("pty", reason="a terminal to type into exists on Unix")
    environment = {**os.environ, "MINIALEX_CACHE": str(tmp_path),
                   "MINIALEX_PICTURES": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    ours, theirs = pty.openpty()
    os.write(ours, b"7\n7\n7\n7\n")
    done = subprocess.run([sys.executable, str(LESSONS / "02_the_tape.py")], stdin=theirs,
                          capture_output=True, cwd=tmp_path, env=environment, encoding="utf-8",
                          check=False)
    assert done.returncode == 0, done.stderr
    assert "it is 64: you said 7" in done.stdout and "You predicted 0 of 2 right." in done.stdout
    assert "worth another look: f = (x·y + x)²" in done.stdout
    assert json.loads((tmp_path / "course.json").read_text())["lessons"] == {"02_the_tape": [0, 2]}
    listed = subprocess.run([sys.executable, "-m", "lessons"], capture_output=True, cwd=ROOT,
                            env=environment, encoding="utf-8", check=True).stdout
    assert re.search(r"02_the_tape.py · read, 0 of 2 predictions right\n", listed)
    assert re.search(r"\n1 of \d+ lessons read, 0 exercises solved; "
                     r"next: python .*00_first_network.py\n", listed)


# -------------------------------------------------------------------------------- python -m lessons


@pytest.fixture
def course(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("lessons.__main__")


TINY = '''"""{title}"""
import sys
sys.path.insert(0, {lessons!r})
from classroom import claim, fact, settle
{body}
'''


@pytest.fixture
def tiny_course(course, tmp_path, monkeypatch):
    """A course of lessons with these bodies."""

    def make(*bodies):
        for number, body in enumerate(bodies, 1):
            text = TINY.format(title=f"Lesson {number}", lessons=str(LESSONS), body=body)
            (tmp_path / f"{number:02}_tiny.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(course, "HERE", tmp_path)
        return course

    return make


GOOD = ("claim('S11', 'N1', 'π is 3'); settle('S11', 'false', 'it is 3.14')\nclaim('S2', 'P', "
        "'one'); settle('S2', 'true', '1')")
BAD = "claim('O1', 'N2, N3', 'two is one'); fact('two is one', 2 == 1); settle('O1', 'true', '')"


def test_the_course_is_listed_with_its_titles(course, capsys):
    assert course.main([]) == 0
    out = capsys.readouterr().out
    assert ("01  Shape arithmetic: why AlexNet's picture is 227 pixels wide" in out
            and "01_shape_arithmetic.py" in out)


def test_all_ends_with_the_table_of_claims(tiny_course, capsys):
    assert tiny_course(GOOD).main(["--all"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"S2 +P +one\n +⇒ true: 1\nS11 +N1 +π is 3\n +⇒ false: it is 3.14\n", out)
    assert "claims settled: 2 of 2; lessons that failed: 0 of 1" in out


def test_the_table_has_room_for_whoever_said_it(course):
    claims = [{"id": "T9", "said_by": "N1, N2, N3, N4, N5",
               "claim": "two GPUs", "verdict": "true", "computed": "0"},
              {"id": "T11", "said_by": "P", "claim": "deeper", "verdict": "true", "computed": "0"}]
    lines = course.table(claims).splitlines()[2:]
    assert lines[0].index("two GPUs") == lines[1].index("⇒") == lines[2].index("deeper") == 25


def test_an_unsettled_claim_is_status_1(tiny_course, capsys):
    assert tiny_course(GOOD, BAD).main(["--all"]) == 1
    out, err = capsys.readouterr()
    assert "failed" in out and re.search(r"O1 +N2, N3 +two is one\n +⇒ UNSETTLED: "
                                         r"the lesson stopped before it", out)
    assert "claims settled: 2 of 3; lessons that failed: 1 of 2" in out
    assert err == "02_tiny.py: NotSo: not so: two is one\n"


def test_a_claim_without_a_verdict_is_status_1_although_the_lesson_ran(tiny_course, capsys):
    assert tiny_course("claim('O1', 'N1', 'left open')").main(["--all"]) == 1
    assert "claims settled: 0 of 1; lessons that failed: 0 of 1" in capsys.readouterr().out
