"""Thirty submissions of the skeleton, one command: what a teacher reads, and what
docs/gradient-checking.md shows of it."""
import json
import re
from pathlib import Path

import pytest
from student_files import ROOT, SKELETON, command

from lessons.gradient_bugs import submissions
from minialex.gradcheck.__main__ import main
from minialex.grader import class_report, sessions

pytestmark = pytest.mark.long  # all of a class of thirty


@pytest.fixture(scope="module")
def a_class(tmp_path_factory):
    """That page's command over thirty submissions, with --json: {name: result}."""
    folder = tmp_path_factory.mktemp("class") / "submissions"
    submissions.write(folder)
    done = command(*sorted(folder.glob("*.py")), "--like", SKELETON, "--timeout", "3", "--json")
    assert done.returncode == 1 and done.stderr == ""
    return {Path(result["file"]).stem: result
            for result in map(json.loads, done.stdout.splitlines())}


@pytest.fixture
def table(a_class, monkeypatch, capsys):
    """What the same command prints without --json, for the same results."""
    by_file = {result["file"]: result for result in a_class.values()}
    monkeypatch.setattr(sessions, "results",
                        lambda jobs, at_once: [by_file[job["file"]] for job in jobs])
    assert main([*by_file, "--like", str(SKELETON)]) == 1
    return capsys.readouterr().out


def test_thirty_submissions_each_with_what_is_wrong(a_class, table):
    results = a_class
    assert len(results) == len(submissions.CLASS) == 30
    assert {name for name, result in results.items()
            if result["status"] == "correct"} == {"anna", "elif", "mehmet", "olga"}
    assert max(map(len, table.splitlines())) <= 80
    for who, function, _, _ in submissions.CLASS:
        states = {item["name"]: item["status"] for item in results[who]["checks"]}
        if results[who]["error"] is None:
            assert states.keys() == {"conv", "maxpool", "cross_entropy"}
            assert {name for name, state in states.items() if state != "correct"} <= {function}


def test_the_page_about_the_class_counts_them(a_class):
    students = class_report.named(list(a_class.values()))
    found = {word: list(who) for word, who in class_report.mistakes(students)}
    assert found["off by a constant factor"] == ["david", "linh", "tom"]
    assert found["only the last of overlapping windows kept"] == ["ben", "giulia", "ines"]
    assert found["sign flipped"] == ["julia", "nina"]
    # hassan has two gradients wrong, of one kind
    assert sum(map(len, found.values())) == 18 and len(found) == 11
    text = class_report.page(list(a_class.values()))
    assert "4 of 30 are all right, 18 have a wrong gradient, 8 could not be checked." in text


def test_every_object_has_the_documented_keys(a_class):
    for result in a_class.values():
        assert list(result) == ["file", "status", "checks", "error", "printed"]
        assert result["status"] in ("correct", "wrong", "undecided", "error")
        for item in result["checks"]:
            assert list(item) == ["name", "checked", "status", "inputs", "drawn", "rows", "error"]
        for error in [result["error"], *(item["error"] for item in result["checks"])]:
            assert error is None or list(error) == ["kind", "message", "lines"]


def test_a_forward_that_is_not_the_teachers_is_said(check):
    status, (result,) = check("--like", str(SKELETON),
                              mine=submissions.submission(None, "", "").replace("+ b\n",
                                                                                "+ 2 * b\n"))
    conv = result["checks"][0]
    assert status == 1 and conv["status"] == "wrong"
    assert (conv["error"]["kind"] == "forward differs"
            and "forward is not that of skeleton.py" in conv["error"]["message"])


def test_the_skeleton_itself_is_unfinished(check):
    _, (result,) = check(mine=SKELETON.read_text("utf-8"))
    assert [item["error"]["kind"] for item in result["checks"]] == ["NotImplementedError"] * 3


def shown(start):
    page = (ROOT / "docs" / "gradient-checking.md").read_text("utf-8")
    (block,) = re.findall(rf"```\n({start}.*?)```", page, re.DOTALL)
    return block.strip()


def test_the_page_shows_the_real_table(table):
    parts = [part.strip("\n") for part in shown("submission ").split("…\n")]
    assert len(parts) > 1 and all(part in table for part in parts), parts


def test_the_page_shows_the_real_report(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    submissions.write(Path("submissions"))
    assert main(["submissions/emma.py:conv", "--like", str(SKELETON)]) == 1
    rounding = re.compile(r"\d\.\de-\d\d| *worst at .*")  # is not the same on every processor
    assert rounding.sub("", capsys.readouterr().out.strip()) == rounding.sub(
        "", shown("submissions/emma.py"))
