"""The command line of `python -m minialex.gradcheck`: the engine, or which files, with which inputs, told in which way."""
import argparse
import ast
import os
import sys
from pathlib import Path

from ..errors import UserError
from ..gradcheck import engine
from ..grader import class_report, sessions, telling
from ..utils import drawing

EPILOG = """\
a student's file or notebook may hold, under these names or others that courses use
  out, cache = conv_forward(x, w, b)     dx, dw, db = conv_backward(dout, cache)
  y = relu(x)                            dx = relu_backward(dy, x)
  sigmoid(x), sigmoid_prime(x)           loss, dx = softmax_loss(x, y)
  a class with forward and backward      a network with loss(X, y) -> loss, {"W1": dW1}
  a scalar engine with .backward()       a minialex Function or Module

where the inputs come from: NAME_inputs(generator) or inputs(generator) in the file
given to --like, or in the student's own, which returns {argument: value}; or --shape,
--labels, --option; or else they are drawn, with shapes that go by the arguments' names.

examples
  python -m minialex.gradcheck my_layer.py
  python -m minialex.gradcheck my_layer.py:conv_forward,conv_backward \\
      --shape x=2,3,7,7 --shape w=4,3,3,3 --option stride=2
  python -m minialex.gradcheck loss.py --shape scores=4,10 --labels y=4:10
  python -m minialex.gradcheck submissions/*.py --like skeleton.py --json

exit status: 0 all correct (or with remarks), 1 a gradient is wrong or could not be checked, 2 a mistake
in the command line. In Python: minialex.gradcheck(function, inputs) and
minialex.check_backward(forward, backward, inputs).
"""


def main(arguments=None):
    """Checks the engine, or students' files; returns 0 all right, 1 a wrong gradient, 2 a mistake of the user."""
    options = _parser().parse_args(arguments)
    try:
        if options.files:
            return _submissions(options)
        if any((options.report, options.anonymous, options.shape, options.labels, options.option, options.like, options.plot)):
            raise UserError("--shape, --labels, --option, --like and --plot go with a file: name one.")
        return engine.tell(options)
    except UserError as error:
        print(f"minialex.gradcheck: {error}", file=sys.stderr)
        return 2


# ------------------------------------------------------------------------------------------------ a student's files


def _submissions(options):
    if options.report:
        class_report.check_place(options.report)
    elif options.anonymous:
        raise UserError("--anonymous goes with --report: it leaves the names out of the page.")
    everyone = [given for named in options.files for given in _in_folder(named)]
    jobs, found = [_job(options, given, everyone) for given in everyone], []
    for job, label in zip(jobs, telling.labels([job["file"] for job in jobs])):
        job["label"] = label
    full = len(jobs) == 1 and not options.report
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
            "force": options.force, "level": "open", "timeout": options.timeout, "memory": options.memory}


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


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m minialex.gradcheck", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Compares every gradient with a numeric one, in float64. Without a file: those of the engine, each\n"
        "operation on small arrays, each layer of the paper's network at its real size. With files: a student's\n"
        "own forward and backward functions, and what is wrong with them.")
    parser.error = lambda message: parser.exit(2, f"minialex.gradcheck: {message} (--help lists the options).\n")
    parser.add_argument("files", nargs="*", metavar="FILE[:names]",
                        help="submissions, notebooks, or folders of them; each file runs in its own process")
    parser.add_argument("--like", metavar="FILE", help="the teacher's file: what each submission must define, and its inputs")
    parser.add_argument("--shape", action="append", default=[], metavar="x=2,3,7,7", help="the shape of an argument")
    parser.add_argument("--labels", action="append", default=[], metavar="y=4:10", help="whole numbers: here 4, from 0 to 9")
    parser.add_argument("--option", action="append", default=[], metavar="stride=2", help="any other argument")
    parser.add_argument("--constant", action="append", default=[], metavar="NAME", help="an input that is not to be moved")
    parser.add_argument("--mean-over-examples", action="store_true",
                        help="accept weights' gradients that are averaged over the examples, as some courses do")
    parser.add_argument("--seed", type=_whole, default=0, help="of everything that is drawn (default: 0)")
    parser.add_argument("--plot", metavar="PNG", help="draw the error against the step, and where the gradient is wrong")
    parser.add_argument("--force", action="store_true", help="let --plot replace a file that this command did not write")
    parser.add_argument("--json", action="store_true", help="for programs: one line with an object for each submission")
    parser.add_argument("--report", metavar="HTML", help="write a page about the class: which mistakes, who shares them")
    parser.add_argument("--anonymous", action="store_true", help="no names in that page")
    parser.add_argument("--verbose", action="store_true", help="all numbers, and what the submissions printed")
    parser.add_argument("--timeout", type=_positive, default=10.0, metavar="S", help="seconds of computing for a submission (10)")
    parser.add_argument("--memory", type=_whole, default=4096, metavar="MB", help="memory for a submission, on Linux (4096)")
    parser.add_argument("--jobs", type=_whole, default=os.cpu_count() or 1, metavar="N", help="how many at once (one per core)")
    return parser


def _whole(text):
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _positive(text):
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
