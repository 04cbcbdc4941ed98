"""`minialex gradcheck`: the engine, or which files, with which inputs, told in which way."""
import argparse
import ast
import sys
from pathlib import Path

from ..errors import UserError
from ..gradcheck import engine
from ..utils import drawing
from ..utils.machine import processes_start
from . import class_report, sandbox, sessions, telling


def check(options: argparse.Namespace) -> int:
    """Check the engine, or the students' files that the parsed options name; returns the exit status: 0 all right, 1 a wrong
    gradient, 2 where the command line lacks inputs. Raises UserError."""
    if not options.files:
        if any((options.report, options.anonymous, options.shape, options.labels, options.option, options.like, options.plot)):
            raise UserError("--shape, --labels, --option, --like and --plot go with a file: name one.")
        return engine.tell(options)
    if options.report:
        class_report.check_place(options.report)
    elif options.anonymous:
        raise UserError("--anonymous goes with --report: it leaves the names out of the page.")
    everyone = [given for named in options.files for given in _in_folder(named)]
    jobs, found = [_job(options, given, everyone) for given in everyone], []
    for job, label in zip(jobs, telling.labels([job["file"] for job in jobs])):
        job["label"] = label
    full = len(jobs) == 1 and not options.report
    if not processes_start():
        print("minialex gradcheck: no process can be started here: the file runs in this one, not confined.", file=sys.stderr)
    if not options.json and not full:
        print(telling.heading())
    for result in sessions.results(jobs, options.jobs):
        found.append(result)
        if options.json:
            print(telling.as_json(result), flush=True)
        elif full:
            print(telling.in_full(result, options.verbose))
        else:
            print(telling.rows(result), flush=True)
    if not options.json and not full:
        print(f"{'─' * telling.WIDTH}\n{telling.summary(found)}")
        if options.verbose:
            print(*("\n" + telling.in_full(result, True) for result in found if result["status"] != "correct"), sep="\n")
    if options.report:
        class_report.write(options.report, found, options.anonymous)
        if not options.json:
            print(f"{options.report}: the page about this class")
    return 0 if all(result["status"] in ("correct", "remarks") for result in found) else _negative(found)


def _negative(results):
    """Without inputs nothing was checked: then the command line lacks something."""
    kinds = {error["kind"] for result in results for error in [result["error"], *(c["error"] for c in result["checks"])] if error}
    return 2 if kinds == {"no inputs"} and all(result["status"] == "error" for result in results) else 1


def _job(options, given, everyone):
    file, names = _file(given)
    if options.like is not None and not Path(options.like).is_file():
        raise UserError(f"--like: there is no file {options.like!r}.")
    plot = options.plot
    if plot is not None and not (Path(plot).parent.is_dir() and Path(plot).suffix):
        raise UserError(f"--plot {plot}: give the name of a picture, such as out.png, in a folder that exists.")
    if plot is not None:
        plot = str(drawing.named(_plot_of(plot, given, everyone), "gradcheck", None, force=options.force))
    return {"file": file, "names": names, "like": options.like, "shapes": dict(map(_shape, options.shape)),
            "labels": dict(map(_labels, options.labels)), "options": dict(map(_option, options.option)), "seed": options.seed,
            "constant": options.constant, "mean_over_examples": options.mean_over_examples, "plot": plot,
            "force": options.force, "timeout": options.timeout, "memory": options.memory,
            "level": None if _of_others(options, everyone) else sandbox.OPEN}


def _of_others(options, everyone):
    """Is this code that its owner does not run himself: a class's, not one's own file? A confined process can draw no picture."""
    return not options.trust and not options.plot and (len(everyone) > 1 or options.files != everyone or bool(options.like))


def _in_folder(given):
    """The Python files and notebooks below a folder, without caches and hidden ones; a file is itself."""
    if not Path(given).is_dir():
        return [given]
    found = [str(path) for path in sorted(Path(given).rglob("*")) if path.suffix in (".py", ".ipynb") and path.is_file() and
             path.name != "__init__.py" and not any(part.startswith((".", "__")) for part in path.relative_to(given).parts)]
    if not found:
        raise UserError(f"the folder {given!r} holds no Python files and no notebooks.")
    return found


def _plot_of(plot, given, everyone):
    """The picture of one of several submissions; those of one name in different folders are numbered."""
    if len(everyone) == 1:
        return plot
    stem, before = Path(_file(given)[0]).stem, everyone[: everyone.index(given)]
    number = sum(Path(_file(other)[0]).stem == stem for other in before) + 1
    return Path(plot).with_name(f"{Path(plot).stem}-{stem}{f'-{number}' if number > 1 else ''}{Path(plot).suffix}")


def _file(given):
    """("my_layer.py", ["conv_forward", "conv_backward"]); a colon may also belong to the path."""
    file, colon, names = (given, "", "") if Path(given).is_file() else given.rpartition(":")
    if not colon:
        file = given
    if not Path(file).is_file():
        raise UserError(f"the file {file!r} is not there.")
    names = [name.strip() for name in names.split(",")] if colon else []
    if len(names) > 2 or not all(name.isidentifier() for name in names):
        raise UserError(f"after the colon of {given!r} belong two names, forward,backward, or the one of a Function or Module.")
    return file, names


def _shape(text):
    name, sizes = _named("--shape", text, "x=2,3,7,7")
    return name, _sizes("--shape", text, sizes, "x=2,3,7,7")


def _labels(text):
    name, value = _named("--labels", text, "y=4:10")
    shape, colon, classes = value.partition(":")
    if not colon or not classes.isdigit() or int(classes) < 1:
        raise UserError(f"--labels {text}: give a shape and the number of classes, as in y=4:10, four labels from 0 to 9.")
    return name, (_sizes("--labels", text, shape, "y=4:10"), int(classes))


def _option(text):
    """The value as Python writes it; what is no Python value is a word."""
    name, value = _named("--option", text, "stride=2")
    try:
        return name, repr(ast.literal_eval(value))
    except (ValueError, SyntaxError):
        return name, repr(value)


def _named(option, text, example):
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier() or not value:
        raise UserError(f"{option} {text}: give an argument's name and its value, as in {option} {example}.")
    return name, value


def _sizes(option, text, sizes, example):
    parts = [part.strip() for part in sizes.split(",")]
    if not all(part.isdigit() and int(part) > 0 for part in parts):
        raise UserError(f"{option} {text}: sizes are whole numbers from 1, with commas between them, as in {example}.")
    return [int(part) for part in parts]
