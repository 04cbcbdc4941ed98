"""Points and feedback for what one student handed in: gradcheck's layers, or lessons' exercises.

    graded = grade(assignment, folder, home)      {"tests": [...], "score", "points", "seconds", …}

assignment: what `python -m lessons.grade` wrote into assignment.json. folder: what was handed in.
home: where the hidden files lie, next to assignment.json: the teacher's skeleton, or the course
with its checks.
"""
import ast
import contextlib
import importlib
import json
import os
import re
import sys
import time
from pathlib import Path

from ..gradcheck.report import REMARKS, VALUES_RIGHT
from ..gradcheck.verdicts.names import NOT_COMPARED
from ..students.drawn import inputs
from ..students.reading import files as reading
from ..students.reading.folders import handed_in
from ..utils.files import replacing
from . import sessions, telling
from .remote import Remote
from .sandbox import PACKAGE, protection

LONG = 20_000  # characters of feedback for one test


def grade(assignment: dict, folder: str | os.PathLike, home: str | os.PathLike,
          only: list[str] | None = None) -> dict:
    """All tests of one submission. only: the names of those that are wanted."""
    began, shield = time.monotonic(), protection()
    _hide(Path(home))
    tests_of = _layers if assignment["kind"] == "layers" else _exercises
    tests = tests_of(assignment, Path(folder), Path(home), only)
    score, points = (sum(test[key] for test in tests) for key in ("score", "points"))
    return {"tests": tests, "score": _short(score), "points": _short(points),
            "protection": shield, "seconds": round(time.monotonic() - began, 3),
            "title": assignment["title"]}


def assignment_in(home: str | os.PathLike) -> dict:
    """The assignment that `python -m lessons.grade` wrote there."""
    return json.loads(Path(home, "assignment.json").read_text("utf-8"))


def write(path: Path, text: str) -> None:
    """Whole or not at all; a link in its place, which a submission may have put there, is
    replaced, not followed."""
    if path.is_symlink():
        path.unlink()
    with replacing(path, "w", encoding="utf-8") as file:
        file.write(text)


def _hide(home):
    """What another user must not read: all but minialex, which a submission's process needs."""
    for entry in home.iterdir():
        if entry.name != PACKAGE.name and not entry.is_symlink():
            with contextlib.suppress(OSError):  # it is somebody else's
                entry.chmod(entry.stat().st_mode & 0o700)


def _test(name, points, share, feedback, verdicts=()):
    """One test. share: of its points; verdicts: the named mistakes."""
    return {"name": name, "score": _short(points * share), "points": points, "passed": share == 1,
            "feedback": _plain(feedback)[:LONG], "verdicts": list(verdicts)}


def _failed(name, points, error):
    said = "\n".join(line.strip() for line in telling.error_lines(error))
    return _test(name, points, 0, said, [error["kind"]])


def _short(number):
    number = round(number, 2)
    return int(number) if number == int(number) else number


def _plain(text):
    """Without control characters: it may be shown by a terminal or a web page."""
    return "".join(letter for letter in text if letter in "\n\t" or letter.isprintable())


# ------------------------------------------------------------------------------------------- layers


def _layers(assignment, folder, home, only):
    wanted = [item for item in assignment["items"] if only is None or item[0] in only]
    file = _file_with_layers(folder, assignment["skeleton"], [name for name, _ in wanted])
    if file is None:
        return [_test(name, points, 0, "No Python file and no notebook was handed in.")
                for name, points in wanted]
    # of the assignment no more than this: the submission gets to see it
    job = {"file": str(file), "names": [], "like": str(home / assignment["skeleton"]), "plot": None,
           "shapes": {}, "labels": {}, "options": {}, "alone": folder.is_file(),
           "mean_over_examples": assignment.get("mean_over_examples", False),
           **{name: assignment[name] for name in ("seed", "timeout", "memory")}}
    result = sessions.graded(job)
    checks = {check["name"]: check for check in result["checks"]}
    data = {name: {"labels", "x"} for name in assignment.get("losses", ())}
    return [_layer(name, points, checks.get(name), result, data.get(name, {"labels"}))
            for name, points in wanted]


def _layer(name, points, check, result, data):
    """The test of one layer. data: roles of the inputs that no gradient is due for; of a loss
    over weights, also the examples."""
    if check is None:
        error = result["error"] or {"kind": "missing", "lines": [],
                                    "message": f"nothing called {name} was checked"}
        return _failed(name, points, error)
    rows = [row for row in check["rows"]
            if row["verdict"] != NOT_COMPARED or not data & inputs.roles([row["name"]])]
    error = check["error"]
    right = [row["name"] for row in rows if row["verdict"] in ("correct", *REMARKS) or
             any(words in row["detail"] for words in VALUES_RIGHT)]
    share = 0 if error or not rows else len(right) / len(rows)
    if share == 1 and check["status"] not in ("correct", "remarks"):
        share = 0
    said = [check["text"]] if check["text"] else []
    said += telling.error_lines(error) if error else []
    if check["status"] == "undecided":
        said.append("Neither right nor wrong could be proven: a person has to look at it.")
    wrong = [row["verdict"] for row in rows if row["verdict"] != "correct"]
    wrong += [error["kind"]] if error else []
    return _test(name, points, share, "\n".join(said) or "correct", wrong)


def _file_with_layers(folder, skeleton, names):
    """The file that is called as the skeleton is, or else names most of what is wanted; None
    where nothing was handed in."""
    files = handed_in(folder)
    same = [file for file in files if file.stem == Path(skeleton).stem]
    return same[0] if len(same) == 1 else \
        max(files, key=lambda file: sum(name in _text(file) for name in names), default=None)


def _text(file):
    with contextlib.suppress(OSError), open(file, encoding="utf-8", errors="replace") as text:
        return text.read(10 ** 6)
    return ""


# ---------------------------------------------------------------------------------------- exercises


def _exercises(assignment, folder, home, only):
    course = home / "course"
    if str(course) not in sys.path:
        sys.path.insert(0, str(course))
    checking = importlib.import_module("checking")
    files = handed_in(folder)
    return [_exercise(name, points, _file_of(name, files), checking,
                      course / "exercises" / f"{name}.py", assignment, folder.is_file())
            for name, points in assignment["items"] if only is None or name in only]


def _file_of(name, files):
    """The file that was handed in for 04_convolution: called so, or 04 (2).py, 4.py, …"""
    number = int(name[:2])
    files = [file for file in files if file.suffix == ".py"]
    same = [file for file in files if file.stem == name]
    same = same or [file for file in files if re.match(rf"0*{number}(\D|$)", file.stem)]
    return same[0] if same else None


def _exercise(name, points, file, checking, skeleton, assignment, alone):
    if file is None:
        return _test(name, points, 0, f"No file called {name}.py was handed in.", ["missing"])
    seen, remote = [file] if alone else reading.around(file, trusted=False), None
    try:
        with Remote(seen, assignment["timeout"], assignment["memory"]) as remote:
            remote.ask("load", remote.process.place(file))
            answers = dict(zip(asked_for(skeleton), remote.ask("names", asked_for(skeleton))))
            for asked, answer in answers.items():
                if not callable(answer):
                    raise checking.Wrong(f"the file defines no {asked}: keep the names of the "
                                         "exercise.")
            said = checking.load(name, skeleton.parent / "checks").check(*answers.values())
            return _test(name, points, 1, f"right. {said or ''}".strip())
    except Exception as error:  # also values of a kind that a check does not expect
        told = getattr(remote and remote.gone or error, "told", None)
        if told is None and isinstance(error, checking.Wrong):
            first = str(error).partition("\n")[0][:200]
            return _test(name, points, 0, f"not yet: {error}", [first])
        return _failed(name, points, told or {"kind": type(error).__name__, "lines": [],
                                              "message": f"the answer could not be used: {error}"})


def asked_for(skeleton: str | os.PathLike) -> list[str]:
    """The names in the last line of an exercise: check(im2col, col2im)."""
    last = ast.parse(Path(skeleton).read_text("utf-8")).body[-1].value
    return [argument.id for argument in last.args]
