"""python -m lessons.grade OUT --to FORMAT: what a teacher uploads to a grader, with the named
mistake as feedback.

    python -m lessons.grade autograder.zip --to gradescope --layers
    lessons/gradient_bugs/skeleton.py python -m lessons.grade hw1 --to classroom50 --exercises 04 07
    --points 2 3 python -m lessons.grade grades.csv --to csv --layers skeleton.py --submissions
    submissions
"""
import argparse
import ast
import contextlib
import csv
import re
import stat
import sys
import tempfile
from pathlib import Path

from minialex.cli.gradcheck import megabytes, seconds, whole
from minialex.errors import UserError
from minialex.grader import sandbox
from minialex.grader.grading import grade
from minialex.students.finding import everything
from minialex.students.reading.files import load
from minialex.students.reading.folders import KINDS
from minialex.utils import console

from .graders import bundles, notebooks

HERE = Path(__file__).resolve().parent
FORMATS = ("gradescope", "classroom50", "nbgrader", "prairielearn", "csv")
NEXT = {"gradescope": "upload it as the autograder of a programming assignment",
        "classroom50": "put its files into CLASSROOM/autograders/ASSIGNMENT of "
        "your classroom50 repository", "nbgrader": "`nbgrader generate_assignment` makes the "
        "students' version; minialex has to be installed where it runs",
        "prairielearn": "put it into the questions folder of your course"}


def main(arguments=None):
    """Writes OUT; returns 0, or 2 after a mistake of the user."""
    return console.run("lessons.grade", lambda: _made(_parser().parse_args(arguments)))


def _made(options):
    assignment, hidden = _layers(options) if options.layers else _exercises(options)
    if options.to == "csv":
        return _csv(options, assignment, hidden)
    if options.submissions:
        raise UserError("--submissions goes with --to csv: "
                        "the other graders bring the submissions themselves.")
    write = bundles.write_folder
    if options.to == "nbgrader":
        files = _notebooks(assignment)
    else:
        files = getattr(bundles, options.to)(assignment, bundles.needed(assignment, hidden))
    if options.to == "gradescope":
        options.out, write = bundles.place(options.out, "autograder.zip"), bundles.write_zip
    write(options.out, files)
    print(f"{options.out}: {len(assignment['items'])} tests, "
          f"{sum(points for _, points in assignment['items'])} points; {NEXT[options.to]}")
    return 0


# ----------------------------------------------------------------------------------- the assignment


def _layers(options):
    """(assignment, hidden files) of a skeleton for gradcheck."""
    path = Path(options.layers)
    if not path.is_file():
        raise UserError(f"--layers: there is no file {options.layers!r}.")
    try:
        found = everything(load(path))
    except Exception as error:
        raise UserError(f"--layers {options.layers}: {error}.") from None
    names, text = [item.name for item in found], path.read_bytes()
    losses = [item.name for item in found if not item.backward or item.kind == "class"
              and not item.backward[1]]
    parts = {item.name: [getattr(part, "__name__", None) for part in (item.forward, item.backward)]
             for item in found}
    if options.to == "prairielearn":
        _refuse_answers(text, parts)
    pairs = {item.name: parts[item.name] for item in found if item.kind in ("pair", "loss")}
    return _assignment(options, "layers", names, path.stem, {path.name: text.decode()},
                       skeleton=path.name, functions=pairs, losses=losses,
                       mean_over_examples=options.mean_over_examples), {path.name: text}


def _refuse_answers(text, parts):
    """This grader hands the file out: raises UserError where it holds an answer."""
    nodes = [node for node in ast.parse(text).body
             if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    left = {node.name for node in nodes for part in ast.walk(node)
            if isinstance(part, (ast.Raise, ast.Pass)) or getattr(part, "value", None) is ...}
    for name, functions in parts.items():
        if not left & {name, *functions}:
            raise UserError(f"--layers: {name} is written already, and PrairieLearn hands this "
                            "file out: give the students' version, with `raise "
                            "NotImplementedError` where the answer is due.")


def _exercises(options):
    """The same for exercises of the course."""
    if options.mean_over_examples:
        raise UserError("--mean-over-examples goes with --layers: "
                        "the exercises say themselves what they average.")
    known = {path.stem[:2]: path.stem
             for path in sorted((HERE / "exercises").glob("[0-9][0-9]_*.py"))}
    names = []
    for number in options.exercises:
        name = known.get(number.zfill(2)[:2])
        if name is None or number.zfill(2) not in (name, name[:2]):
            raise UserError(f"--exercises: there is no exercise {number}; "
                            f"there are {', '.join(known)}.")
        names.append(name)
    # what checks import
    hidden = {f"course/{path.name}": path.read_bytes() for path in sorted(HERE.glob("[a-z]*.py"))}
    for name in names:
        for folder in ("exercises", "exercises/checks"):
            hidden[f"course/{folder}/{name}.py"] = (HERE / folder / f"{name}.py").read_bytes()
    skeletons = {f"{name}.py": (HERE / "exercises" / f"{name}.py").read_text("utf-8")
                 for name in names}
    return _assignment(options, "exercises", names,
                       "exercises " + " ".join(name[:2] for name in names), skeletons), hidden


def _assignment(options, kind, names, title, files, **more):
    if len(set(names)) < len(names):
        raise UserError("--exercises: each exercise only once.")
    points = options.points or [1]
    if len(points) not in (1, len(names)):
        raise UserError(f"--points: give one number, or {len(names)}, for {', '.join(names)}.")
    points = points * len(names) if len(points) == 1 else points
    return {"title": options.title or title, "kind": kind,
            "items": [list(pair) for pair in zip(names, points)], "files": files,
            "timeout": options.timeout, "memory": options.memory, "seed": options.seed, **more}


def _notebooks(assignment):
    """{path: bytes} of nbgrader's course folder: source/ASSIGNMENT/*.ipynb"""
    folder = "source/" + "".join(letter if letter.isalnum() else "_"
                                 for letter in assignment["title"])
    if assignment["kind"] == "layers":
        (text,) = assignment["files"].values()
        return {f"{folder}/{Path(assignment['skeleton']).stem}.ipynb": notebooks.layers(assignment,
                                                                                        text)}
    helpers = _helpers((HERE / "checking.py").read_text("utf-8"))
    files = {}
    for name, points in assignment["items"]:
        skeleton, solution, check = ((HERE / part / f"{name}.py").read_text("utf-8")
                                     for part in ("exercises", "solutions", "exercises/checks"))
        files[f"{folder}/{name}.ipynb"] = notebooks.exercise(name, points, skeleton, solution,
                                                             check, helpers)
    return files


def _helpers(text):
    """The part of checking.py that a check calls. A notebook has minialex and no lessons/ beside
    it: what is imported from there, and what asks for its own place, stays out."""
    # up to "the last line", check(...)
    head, calls, *_ = re.split(r"^# -{9,} .*\n", text, flags=re.MULTILINE)
    lines = (head + calls).splitlines()
    for node in ast.parse(head + calls).body:
        place = slice(node.lineno - 1, node.end_lineno)
        if _of_the_course(node) or "__file__" in "".join(lines[place]):
            lines[place] = [""] * (node.end_lineno - node.lineno + 1)
    return "\n".join(lines) + "\n"


def _of_the_course(node):
    """Whether this statement imports a file of lessons/."""
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    return any((HERE / f"{name.partition('.')[0]}.py").exists() for name in names)


# -------------------------------------------------------------------------------------- a gradebook


def _csv(options, assignment, hidden):
    """Grades a folder of submissions, each a file or a folder, into a new CSV file."""
    if not options.submissions:
        raise UserError("--to csv grades a folder of submissions, "
                        "a file or a folder for each student: give --submissions FOLDER.")
    folder = Path(options.submissions)
    if not folder.is_dir():
        raise UserError(f"--submissions: there is no folder {options.submissions!r}.")
    out = bundles.place(options.out, "grades.csv")
    if out.exists():
        raise UserError(f"{out} exists: give another name, nothing is overwritten.")
    found = [path for path in sorted(folder.iterdir())
             if not path.name.startswith((".", "__")) and not path.is_symlink()
             and (path.is_dir() or path.suffix in KINDS)]
    names = [path.stem if path.is_file() else path.name for path in found]
    submissions = {path.name if names.count(name) > 1 else name: path
                   for name, path in zip(names, found)}
    if not submissions:
        raise UserError(f"--submissions: {folder} holds no folder, no Python file and no notebook.")
    print(f"{len(submissions)} submissions, each with {sandbox.protection()}")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="minialex-") as home, _closed(folder):
        bundles.write_folder(home, hidden)
        lines = [["student", "exercise", "points", "of", "feedback"]]
        for student, path in submissions.items():
            lines += [[_cell(student), test["name"], test["score"], test["points"],
                       _cell(test["feedback"])] for test in grade(assignment, path, home)["tests"]]
            print(f"  {student}", flush=True)
    with open(out, "x", encoding="utf-8", errors="backslashreplace", newline="") as file:
        csv.writer(file).writerows(lines)
    print(f"{out}: {len(submissions)} students, {len(assignment['items'])} exercises")
    return 0


@contextlib.contextmanager
def _closed(folder):
    """Where a submission runs as an own user it would find here what others have handed in: nobody
    else may enter meanwhile."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    try:
        if sandbox.best_level() == "user":
            folder.chmod(0o700)
        yield
    finally:
        folder.chmod(mode)


def _cell(text):
    """A spreadsheet takes what begins so for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m lessons.grade", description="Makes what a teacher uploads to a grader, "
        "or fills a gradebook.", epilog="OUT is a zip file for gradescope, a CSV file for csv, "
        "else a folder. Nothing is overwritten that this command has not written itself.")
    parser.error = lambda message: parser.exit(2, f"lessons.grade: {message} (--help "
                                               "lists the options).\n")
    parser.add_argument("out", metavar="OUT", help="the file or folder to be written")
    parser.add_argument("--to", required=True, choices=FORMATS, help="the grader")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--layers", metavar="SKELETON",
                      help="the teacher's file: forward functions, and what is checked with")
    what.add_argument("--exercises", nargs="+", metavar="NN",
                      help="exercises of the course, such as 04 07")
    parser.add_argument("--points", nargs="+", type=_points, metavar="P",
                        help="for each layer or exercise, or for all (1)")
    parser.add_argument("--mean-over-examples", action="store_true",
                        help="with --layers: accept weights' gradients that are averaged over the "
                        "examples, as some courses do")
    parser.add_argument("--title", help="what the graders call it")
    parser.add_argument("--submissions", metavar="FOLDER",
                        help="for csv: a file or a folder for each student")
    parser.add_argument("--timeout", type=seconds, default=10.0, metavar="S",
                        help="seconds of computing for a submission (10)")
    parser.add_argument("--memory", type=megabytes, default=2048, metavar="MB",
                        help="memory for a submission (2048)")
    parser.add_argument("--seed", type=whole, default=0, help="of the numbers that are drawn (0)")
    return parser


def _points(text):
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of points")
    return int(number) if number == int(number) else number


if __name__ == "__main__":
    sys.exit(main())
