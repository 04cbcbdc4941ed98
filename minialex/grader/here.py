"""What runs where the grader lives: reads what was handed in, writes the result in the form that this grader wants.

Each bundle of `python -m lessons.grade` calls one of these functions, with the folder that holds assignment.json.
"""
import csv
import datetime
import io
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from .. import __version__
from ..utils.files import replacing
from .grading import grade

VISIBLE = "visible"


def assignment_in(home: str | os.PathLike) -> dict:
    """The assignment that `python -m lessons.grade` wrote there."""
    return json.loads(Path(home, "assignment.json").read_text("utf-8"))


def gradescope(home: str | os.PathLike, root: str | os.PathLike) -> None:
    """Grades ROOT/submission, writes ROOT/results/results.json, which nobody else can read or write."""
    home, root = Path(home), Path(root)
    results = root / "results"
    results.mkdir(parents=True, exist_ok=True)
    results.chmod(0o700)
    try:
        written = gradescope_results(grade(assignment_in(home), root / "submission", home))
    except Exception as error:  # a fault of ours: the platform shows it, and no points are taken
        written = {"output": f"The grader failed, not your code: {type(error).__name__}: {error}", "visibility": VISIBLE,
                   "stdout_visibility": "hidden"}
    write(results / "results.json", json.dumps(written, indent=1))


def gradescope_results(graded: dict) -> dict:
    """The dictionary of results.json."""
    right = sum(test["passed"] for test in graded["tests"])
    tests = [{"score": test["score"], "max_score": test["points"], "name": test["name"], "number": str(number),
              "output": test["feedback"], "output_format": "text", "status": "passed" if test["passed"] else "failed",
              "tags": test["verdicts"][:10], "visibility": VISIBLE} for number, test in enumerate(graded["tests"], 1)]
    return {"score": graded["score"], "execution_time": graded["seconds"],
            "output": f"{right} of {len(tests)} right. Your code ran with {graded['protection']}.", "visibility": VISIBLE,
            "stdout_visibility": "hidden", "extra_data": {"protection": graded["protection"], "minialex": __version__},
            "tests": tests, "leaderboard": [{"name": "right", "value": right, "order": "desc"}]}


def classroom50(home: str | os.PathLike) -> None:
    """Grades the present folder, the student's checkout, and writes result.json and release-body.md there."""
    graded = grade(assignment_in(home), Path.cwd(), home)
    write(Path("result.json"), json.dumps(classroom50_result(graded, os.environ), indent=1))
    write(Path("release-body.md"), classroom50_words(graded))


def classroom50_result(graded: dict, environment: Mapping[str, str]) -> dict:
    """classroom50/result/v1: whole numbers of points; of a layer that is right in part they are rounded down."""
    tests = [{"test-name": test["name"], "passed": test["passed"], "score": int(test["score"]), "max-score": int(test["points"]),
              "feedback": test["feedback"]} for test in graded["tests"]]
    commit = environment.get("COMMIT_URL", "")
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"schema": "classroom50/result/v1", "classroom": environment.get("CLASSROOM", ""),
            "assignment": environment.get("ASSIGNMENT", ""), "submission": environment.get("SUBMISSION_TAG", ""),
            "commit": commit, "release": environment.get("RELEASE_URL", ""), "review": environment.get("REVIEW_URL") or commit,
            "datetime": now, "score": sum(test["score"] for test in tests), "max-score": sum(test["max-score"] for test in tests),
            "tests": tests}


def classroom50_words(graded: dict) -> str:
    """The text of the release, in Markdown: what is wrong, test by test. The student's words stay in code blocks."""
    lines = [f"## {graded['title']}: {graded['score']} of {graded['points']} points", ""]
    for test in graded["tests"]:
        lines += [f"### {'right' if test['passed'] else 'not yet'}: {test['name']} ({test['score']} of {test['points']})", "",
                  *("    " + line for line in test["feedback"].splitlines()), ""]
    return "\n".join([*lines, f"The code ran with {graded['protection']}."]) + "\n"


def gradebook(assignment: dict, submissions: dict[str, Path], home: str | os.PathLike,
              done: Callable[[str], object] = lambda name: None) -> str:
    """The text of a CSV file: a line for each student and test. submissions: {student: path}."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["student", "exercise", "points", "of", "feedback"])
    for student, path in submissions.items():
        for test in grade(assignment, path, home)["tests"]:
            table.writerow([_cell(student), test["name"], test["score"], test["points"], _cell(test["feedback"])])
        done(student)
    return text.getvalue()


def _cell(text):
    """A spreadsheet takes what begins so for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def write(path: Path, text: str) -> None:
    """Whole or not at all; a link in its place, which a submission may have put there, is replaced, not followed."""
    if path.is_symlink():
        path.unlink()
    with replacing(path, "w", encoding="utf-8") as file:
        file.write(text)
