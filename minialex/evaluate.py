"""python -m minialex.evaluate: how good is a trained network? `--help` lists the options."""

import argparse
import json
import sys
from pathlib import Path

from . import console, data
from .device import resolve_device
from .errors import UserError
from .training import classifier, confusion, scores
from .training.progress import Progress

DESCRIPTION = """\
Top-1 and top-5 on the validation pictures, a table of the classes and a picture of the confusion matrix.

  python -m minialex.evaluate runs/RUN                          on the pictures that the run was trained with
  python -m minialex.evaluate runs/RUN --data DIR --ten-crop    mean over the paper's ten crops of each picture
  python -m minialex.evaluate runs/A runs/B runs/C --data DIR   each of them, and the mean of their predictions
"""
MOST_ROWS = 40  # of the table of classes; the worst of them when there are more


def main(arguments=None):
    """Evaluates; returns 0, or 2 after a user's mistake (one line on stderr)."""
    options = _parser().parse_args(arguments)
    try:
        _evaluate(options, Progress())
    except UserError as problem:
        print(f"minialex.evaluate: {problem}", file=sys.stderr)
        return 2
    return 0


def _evaluate(options, progress):
    device = resolve_device(options.device).name
    names = classifier.read_names(options.classes) if options.classes else None
    networks = [classifier.load(run, device, names) for run in options.runs]
    pictures = _pictures(options, networks, progress)
    parts = [_scores(network, pictures[network.size], options.ten_crop, progress) for network in networks]
    results = list(zip(options.runs, parts))
    if len(parts) > 1:
        results.append((f"mean of the {len(parts)}", scores.ensemble(parts)))
    picture = Path(options.out or _folder(options.runs[0]) / "confusion.png")
    confusion.draw(picture, results[-1][1])
    if options.json:
        print(json.dumps(_report(results, options, picture), indent=2))
    else:
        _print(results, options, picture)


def _folder(run):
    """Where the picture goes: into the run's folder, or here when weights were given."""
    return Path(run) if Path(run).is_dir() else Path(".")


def _pictures(options, networks, progress):
    """{pixels a side: the validation pictures}. Raises UserError when the networks' classes are not those of the data."""
    settings = {"data": options.data, "subset": options.subset, "val_fraction": 0.2}
    if options.data is None and options.subset is None:
        settings = classifier.settings(options.runs[0])
    found = {}
    for network in networks:
        if network.size not in found:
            parts = data.open_data(settings["data"], settings["subset"], progress=progress.terminal,
                                   val_fraction=settings["val_fraction"], size=network.size)
            found[network.size] = parts[0 if options.train else 1]
        pictures = found[network.size]
        if list(network.classes) != list(pictures.classes):
            raise UserError(f"{network.path} knows {_some(network.classes)}, these pictures are of {_some(pictures.classes)}: "
                            "give the pictures that it was trained with, or --classes FILE with the names of its classes.")
    return found


def _some(classes):
    return f"{len(classes)} classes ({', '.join(classes[:4])}{', ...' if len(classes) > 4 else ''})"


def _scores(network, pictures, ten, progress):
    with progress.phase(network.path, len(pictures)) as bar:
        found = classifier.predict(network, pictures, ten, bar.step)
    if not len(found.labels):
        raise UserError(f"none of the {len(pictures)} pictures can be read: check the files.")
    return found


def _report(results, options, picture):
    return {
        "data": options.data, "ten_crop": options.ten_crop, "pictures": len(results[0][1].labels),
        "confusion_matrix": str(picture),
        "results": [{"run": str(run), "top1": part.top(1), "top5": part.top(5), "loss": part.loss, "classes": part.by_class(),
                     "confusion": part.confusion().tolist()} for run, part in results],
    }


def _print(results, options, picture):
    views = "mean over ten crops" if options.ten_crop else "central crop"
    print(f"{len(results[0][1].labels):,} {'training' if options.train else 'validation'} pictures, {views}\n")
    width = max(len(str(run)) for run, _ in results)
    print(f"{'':{width}}   top-1    top-5     loss")
    for run, part in results:
        print(f"{str(run):{width}}  {part.top(1):6.1%}   {part.top(5):6.1%}   {part.loss:6.3f}")
    print()
    for line in class_table(results[-1][1].by_class()):
        print(line)
    print(f"\nconfusion matrix: {picture}")


def class_table(rows):
    """Lines: how many of each class were recognised, worst first where there are too many for a screen."""
    shown = rows
    if len(rows) > MOST_ROWS:
        shown = sorted((row for row in rows if row["pictures"]), key=lambda row: row["recall"])[:MOST_ROWS]
        yield f"the {len(shown)} worst of {len(rows)} classes:"
    width = max(len("class"), *(len(row["class"]) for row in shown))
    yield f"{'class':{width}}  pictures  recognised  of what it is called, right  most often taken for"
    for row in shown:
        recall = "" if row["recall"] is None else f"{row['recall']:.0%}"
        precision = "" if row["precision"] is None else f"{row['precision']:.0%}"
        yield f"{row['class']:{width}}  {row['pictures']:8}  {recall:>10}  {precision:>27}  {row['mistaken_for'] or ''}".rstrip()


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m minialex.evaluate", usage="%(prog)s RUN... [--data DIR] [options]", description=DESCRIPTION,
        epilog="exit status: 0 done, 2 a mistake of the user",
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=26, width=110),
        allow_abbrev=False)
    parser.error = lambda message: parser.exit(2, f"minialex.evaluate: {message} (--help lists the options).\n")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder (its best checkpoint), or a file of weights")
    parser.add_argument("--data", metavar="DIR", help="pictures as for training; without it those that the run was trained with")
    parser.add_argument("--subset", nargs="?", const="", metavar="SPEC", help="as for training: alone, the built-in pictures")
    parser.add_argument("--train", action="store_true", help="the training pictures instead of those for validation")
    parser.add_argument("--ten-crop", action="store_true", help="the mean over the corners, the centre and their reflections")
    parser.add_argument("--classes", metavar="FILE", help="the names of the network's classes, one a line, for weights without")
    parser.add_argument("--out", metavar="PNG", help="where the confusion matrix goes (confusion.png in the run's folder)")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:n (auto)")
    return parser


if __name__ == "__main__":
    sys.exit(console.run("minialex.evaluate", main))
