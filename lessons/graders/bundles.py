"""What a teacher uploads: for each grader a zip file or a folder, with minialex in it, so that
little has to be installed.

    write_zip(OUT, gradescope(assignment, needed(assignment, hidden)))    files: {path: bytes}

Nothing is overwritten that was not written here: a folder remembers in LIST what it was given, and
a zip file holds the same list; whatever differs from it belongs to somebody else.
"""
import hashlib
import json
import os
import stat
import zipfile
from pathlib import Path

from minialex.errors import UserError
from minialex.grader.sandbox import PACKAGE
from minialex.utils.files import replacing

LIST = ".minialex-grade.json"
HERE = Path(__file__).resolve().parent
REQUIREMENTS = "numpy>=2.0\nthreadpoolctl>=3.2\n"
EXECUTABLE = {"setup.sh", "run_autograder"}
NO_TESTS = b'collect_ignore = ["grader", "start", "student"]  # what is handed in is no test\n'
MOMENT = (2000, 1, 1, 0, 0, 0)  # the same assignment gives the same bytes


def needed(assignment: dict, hidden: dict[str, bytes]) -> dict[str, bytes]:
    """{path: bytes} of what every grader needs: minialex, the hidden files, the assignment."""
    files = {f"minialex/{path.relative_to(PACKAGE).as_posix()}": path.read_bytes()
             for path in sorted(PACKAGE.rglob("*")) if path.is_file()
             and "__pycache__" not in path.parts and path.suffix != ".pyc"}
    return {**files, **hidden, "assignment.json": _json(assignment),
            "requirements.txt": REQUIREMENTS.encode()}


def gradescope(assignment: dict, files: dict[str, bytes]) -> dict[str, bytes]:
    """setup.sh and run_autograder at the root, the rest beside them; Gradescope unpacks it into
    /autograder/source."""
    return {**files, **{name: _text(name).encode()
                        for name in ("setup.sh", "run_autograder", "gradescope.py")}}


def classroom50(assignment: dict, files: dict[str, bytes]) -> dict[str, bytes]:
    """Goes into CLASSROOM/autograders/ASSIGNMENT of the classroom50 repository."""
    for name, points in assignment["items"]:
        if points != int(points):
            raise UserError("Classroom 50 knows whole numbers of points only: "
                            f"{name} has {points}.")
    return {**files, "autograder.py": _text("classroom50.py").encode()}


def prairielearn(assignment: dict, files: dict[str, bytes]) -> dict[str, bytes]:
    """A question: info.json, question.html, tests/."""
    names = assignment["files"]
    tests = _text("prairielearn.py")
    for number, (name, points) in enumerate(assignment["items"], 1):
        tests += (f"\n\n@pytest.mark.grading_data(name={name!r}, "
                  f"points={points}, include_stdout_feedback=False)\ndef "
                  f"test_{number:02d}(feedback):\n    judged({name!r}, feedback)\n")
    digest = hashlib.sha256(_json(assignment)).hexdigest()
    info = {"uuid": "-".join((digest[:8], digest[8:12], "4" + digest[13:16], "8" + digest[17:20],
                              digest[20:32])), "title": assignment["title"],
            "topic": "Backpropagation", "tags": ["minialex"], "type": "v3",
            "gradingMethod": "External", "externalGradingOptions": {
        "enabled": True, "image": "eliotwrobson/grader-python-pytest:latest",
        "timeout": 60 + int(assignment["timeout"]) * 6}}
    editors = "\n".join(f'  <pl-file-editor file-name="{name}" ace-mode="ace/mode/python" '
                        f'source-file-name="tests/start/{name}">' "</pl-file-editor>"
                        for name in names)
    question = _text("question.html").replace("{title}", assignment["title"]).replace("{editors}",
                                                                                      editors)
    start = {f"tests/start/{name}": text.encode() for name, text in names.items()}
    return {"info.json": _json(info), "question.html": question.encode(),
            "tests/test_student.py": tests.encode(), "tests/conftest.py": NO_TESTS, **start,
            **{f"tests/grader/{path}": content for path, content in files.items()}}


def _text(name):
    return (HERE / name).read_text("utf-8")


def _json(value):
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


# ------------------------------------------------------------------------------------------ writing


def place(out: str | os.PathLike, name: str) -> Path:
    """The file OUT; of a folder, or of a name without an ending, the file `name` in it."""
    out = Path(out)
    return out / name if out.is_dir() or not out.suffix and not out.exists() else out


def write_zip(out: str | os.PathLike, files: dict[str, bytes]) -> None:
    """A zip file. Raises UserError when there is one that was not written here, or has been
    changed."""
    if os.path.lexists(out):
        try:
            with zipfile.ZipFile(out) as archive:
                there = {name: archive.read(name) for name in archive.namelist()}
        except (OSError, zipfile.BadZipFile):
            there = {"": None}
        _known(out, there, {})
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in _listed(files):
            entry = zipfile.ZipInfo(path, MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | _mode(path)) << 16
            archive.writestr(entry, content)


def write_folder(out: str | os.PathLike, files: dict[str, bytes]) -> None:
    """A folder. Raises UserError where a file would be overwritten that was not written here, or
    has been changed."""
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file: give the name of a new folder.")
    if out.is_dir() and any(out.iterdir()) and not (out / LIST).is_file():
        raise UserError(f"the folder {out} is not empty, and was not written by this command: "
                        "give a new one.")
    known = _known(out, {path: _content(out / path) for path in [LIST, *files]
                         if os.path.lexists(out / path)}, files)
    for path in known.keys() - files.keys():  # of an earlier assignment
        if _digest(_content(out / path)) == known[path]:
            (out / path).unlink()
    for path, content in _listed(files):
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        with replacing(out / path) as file:
            file.write(content)
            os.chmod(file.name, _mode(path))


def _known(out, there, files):
    """The list in what is there, {path: digest}. Raises UserError where something else would be
    lost than what the list says."""
    try:
        known = dict(json.loads(there.pop(LIST, "{}")))
    except (ValueError, TypeError):
        known = {}
    for path, content in there.items():
        if content is None or _digest(content) not in (known.get(path), _digest(files.get(path))):
            raise UserError(f"{Path(out, path)} exists, and was not written by this command, "
                            "or has been changed since: give another name.")
    return known


def _listed(files):
    yield from files.items()
    yield LIST, _json({path: _digest(content) for path, content in files.items()})


def _mode(path):
    return 0o755 if path in EXECUTABLE else 0o644


def _content(path):
    return path.read_bytes() if path.is_file() and not path.is_symlink() else None


def _digest(content):
    return content is not None and hashlib.sha256(content).hexdigest()
