"""`minialex gradcheck`: the engine, or which files, with which inputs, told in which way."""
import argparse
import ast
import re
import sys
from functools import partial
from pathlib import Path

from ..errors import UserError
from ..gradcheck import engine
from ..students.reading.folders import code_in
from ..utils import drawing
from ..utils.machine import processes_start
from . import class_report, sandbox, sessions, telling

SIZES = r"[1-9]\d*(?:,[1-9]\d*)*"
NAME = r"([^\W\d]\w*(?:\.\w+)?)"  # of an argument, or of a part of it: params.W1
INPUTS = {  # how the command line describes them
    "shape": (rf"{NAME}=({SIZES})", "an argument's name and its value, as in "
              "--shape x=2,3,7,7. Sizes are whole numbers from 1"),
    "labels": (rf"{NAME}=({SIZES}):([1-9]\d*|hot)", "an argument's name, a shape and the number "
               "of classes, as in --labels y=4:10, four labels from 0 to 9, or the word hot, "
               "as in --labels y=4,10:hot, a 1 in each row"),
    "option": (rf"{NAME}=(.+)", "an argument's name and its value, as in --option stride=2")}
WITH_FILES = ("report", "anonymous", "shape", "labels", "option", "like", "plot")


def check(options: argparse.Namespace) -> int:
    """Check the engine, or the students' files that the parsed options name. Raises UserError.

    Returns the exit status: 0 all right, 1 a wrong gradient, 2 where the command line lacks inputs.
    """
    if not options.files:
        if any(getattr(options, name) for name in WITH_FILES):
            raise UserError(f"--{', --'.join(WITH_FILES)} go with a file: name one.")
        return engine.tell(options)
    if options.anonymous and not options.report:
        raise UserError("--anonymous goes with --report: it leaves the names out of the page.")
    page = class_report.at(options.report, options.force) if options.report else None
    jobs, found = _jobs(options), []
    if not processes_start():
        print("minialex gradcheck: no process can be started here: the file runs in this one, "
              "not confined.", file=sys.stderr)
    in_full = partial(telling.in_full, verbose=options.verbose)
    one = in_full if len(jobs) == 1 and not page else telling.rows
    tell = telling.as_json if options.json else one
    if tell is telling.rows:
        print(telling.heading())
    for result in sessions.results(jobs, options.jobs):
        found.append(result)
        print(tell(result), flush=True)
    if tell is telling.rows:
        print(f"{'─' * telling.WIDTH}\n{telling.summary(found)}")
        if options.verbose:
            print(*("\n" + in_full(result) for result in found
                    if result["status"] != "correct"), sep="\n")
    if page:
        class_report.write(page, found, options.anonymous)
        if not options.json:
            print(f"{page}: the page about this class")
    return _status(found)


def _status(results):
    """Without inputs nothing was checked: then the command line lacks something."""
    if all(result["status"] in ("correct", "remarks") for result in results):
        return 0
    errors = [one["error"] for result in results for one in (result, *result["checks"])]
    return 2 if {error["kind"] for error in errors if error} == {"no inputs"} and \
        all(result["status"] == "error" for result in results) else 1


def _jobs(options):
    """What sessions.results takes: one for each file that was named, or lies in a folder that
    was."""
    everyone = [given for named in options.files for given in _in_folder(named)]
    files = list(map(_file, everyone))
    if options.like is not None and not Path(options.like).is_file():
        raise UserError(f"--like: there is no file {options.like!r}.")
    # a class's code, not one's own, which its owner runs himself; who is confined draws no picture
    confined = not options.trust and not options.plot and \
        (len(everyone) > 1 or options.files != everyone or bool(options.like))
    shared = {**{name: getattr(options, name) for name in (
        "like", "seed", "constant", "mean_over_examples", "force", "timeout", "memory")},
        "level": None if confined else sandbox.OPEN,
        "shapes": {name: _sizes(sizes) for name, sizes in _inputs(options, "shape")},
        "labels": {name: (_sizes(sizes), classes if classes == "hot" else int(classes))
                   for name, sizes, classes in _inputs(options, "labels")},
        "options": {name: _value(text) for name, text in _inputs(options, "option")}}
    return [{**shared, "file": file, "names": names, "label": label,
             "plot": options.plot and _plot(options, label if len(files) > 1 else "")}
            for (file, names), label in zip(files, telling.labels([file for file, _ in files]))]


def _in_folder(given):
    """What is to be checked in a folder; a file is itself."""
    if not Path(given).is_dir():
        return [given]
    found = [str(path) for path in code_in(given) if not path.name.startswith("__")]
    if not found:
        raise UserError(f"the folder {given!r} holds no Python files and no notebooks.")
    return found


def _plot(options, label):
    """The name of the picture; of one of several submissions it holds what the table calls that."""
    path = Path(options.plot)
    if label:
        path = path.with_name("-".join([path.stem, *re.findall(r"\w+", label)]) + path.suffix)
    return str(drawing.named(path, "gradcheck", None, force=options.force))


def _file(given):
    """("my_layer.py", ["conv_forward", "conv_backward"]); a colon may also belong to the path."""
    file, colon, names = (given, "", "") if Path(given).is_file() else given.rpartition(":")
    if not Path(file if colon else given).is_file():
        raise UserError(f"the file {file if colon else given!r} is not there.")
    names = [name.strip() for name in names.split(",")] if colon else []
    if len(names) > 2 or not all(name.isidentifier() for name in names):
        raise UserError(f"after the colon of {given!r} belong two names, forward,backward, or the "
                        "one of a Function or Module.")
    return file, names


def _inputs(options, kind):
    """The parts of each --shape, --labels or --option."""
    pattern, wanted = INPUTS[kind]
    for text in getattr(options, kind):
        found = re.fullmatch(pattern, text if kind == "option" else text.replace(" ", ""))
        if not found:
            raise UserError(f"--{kind} {text}: give {wanted}.")
        yield found.groups()


def _sizes(text):
    return [int(size) for size in text.split(",")]


def _value(text):
    """As Python writes it; what is no Python value is a word."""
    try:
        return repr(ast.literal_eval(text))
    except (ValueError, SyntaxError):
        return repr(text)
