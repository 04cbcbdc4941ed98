"""python -m minialex.evaluate: how good is a trained network? `--help` lists the options."""

import argparse
import contextlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from .. import data, weights
from ..data import names
from ..device import resolve_device
from ..errors import UserError
from ..training import classifier, confusion, pictures, predictions, scores
from ..utils import console, drawing
from ..utils.progress import Progress

DESCRIPTION = """\
Top-1 and top-5, a table of the classes and a picture of the confusion matrix. No picture that a run has learnt from
is counted, unless you ask for it.

  python -m minialex.evaluate runs/RUN                          on the pictures that the run held out
  python -m minialex.evaluate runs/RUN --data DIR               on all pictures of DIR that it has not learnt from
  python -m minialex.evaluate runs/RUN --data DIR --ten-crop    mean over the paper's ten crops of each picture
  python -m minialex.evaluate runs/A runs/B runs/C --data DIR   each of them, and the mean of their predictions
"""
PARTS = {"train": "training ", "val": "validation ", "test": "test ", "all": ""}
COLUMNS = ("run", "picture", "class")  # of the table, before the five most probable classes
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
    classes = names.read_classes(options.classes) if options.classes else None
    table = options.csv and predictions.output(options.csv, COLUMNS, options.force)
    picture = drawing.named(options.out, "confusion", _folder(options.runs[0]) / "confusion.png", force=options.force)
    networks = [classifier.load(run, device, classes, options.class_names, options.mean) for run in options.runs]
    for network in networks:
        network.tell()
    opened = {}
    chosen = [_chosen(network, options, opened, progress) for network in networks]
    results = [Result(run, pictures, _scores(network, pictures, options.ten_crop, progress), pictures.notes)
               for run, network, pictures in zip(options.runs, networks, chosen)]
    if len(results) > 1:
        results += _mean(results)
    if options.csv:
        _write_table(table, results)
    if options.json:
        print(json.dumps(_report(results, options, picture), indent=2))
    else:
        with contextlib.redirect_stdout(sys.stderr if options.csv == "-" else sys.stdout):
            _print(results, options)
    if drawing.drawn(picture, console.warn("minialex.evaluate"), confusion.draw, results[-1].scores) and not options.json:
        print(f"\nconfusion matrix: {picture}", file=sys.stderr if options.csv == "-" else sys.stdout)


def _folder(run):
    """Where the picture goes: into the run's folder, or here when weights were given."""
    return Path(run) if Path(run).is_dir() else Path(".")


def _chosen(network, options, opened, progress):
    """The pictures.Chosen for a network. opened: {(data, subset, size): its pictures}, filled here."""
    named = options.data is not None or options.subset is not None or options.labels is not None
    settings = vars(options) if named else pictures.settings_of(network.path)
    key = settings["data"], settings["subset"], settings.get("labels"), network.size
    if key not in opened:
        opened[key] = (data.open_whole(*key[:3], size=network.size, progress=progress.terminal) if named
                       else pictures.open_of(settings, network.size))
    if not named:
        return pictures.of_run(network.path, network.classes, network.size, options.part or "val", opened[key])
    return pictures.of_data(network.path, opened[key], options.data, network.classes, network.size, options.part)


def _scores(network, chosen, ten, progress):
    with progress.phase(network.path, len(chosen)) as bar:
        found = classifier.predict(network, chosen, ten, bar.step)
    if not len(found.labels):
        raise UserError(f"none of the {len(chosen)} pictures can be read: check the files.")
    return found


def _mean(results):
    """[the Result of the mean of several networks' predictions]: over the pictures that all of them were judged by."""
    first = results[0].scores
    if any(set(result.scores.classes) != set(first.classes) for result in results):
        results[-1].notes.append("there is no mean of these networks, they know other classes")
        return []
    places = [{picture: row for row, picture in enumerate(result.files())} for result in results]
    shared = [picture for picture in places[0] if all(picture in place for place in places)]
    if not shared:
        results[-1].notes.append("there is no mean of these networks: no picture is among those of all of them")
        return []
    mean = scores.ensemble([result.scores.select([place[picture] for picture in shared], first.classes)
                            for result, place in zip(results, places)])
    fewer = any(len(shared) < len(place) for place in places)
    return [Result(f"mean of the {len(results)}", results[0].pictures, mean,
                   [f"the mean is over the {len(shared):,} pictures by which each of them was judged"] if fewer else [])]


@dataclass
class Result:
    """run: its name, or "mean of the 3"; pictures: the Chosen that were to be scored; scores: of those that could be read."""

    run: str
    pictures: pictures.Chosen
    scores: scores.Scores
    notes: list

    def files(self):
        """(class, file) of each scored picture."""
        found = (self.pictures.pictures[number] for number in self.scores.numbers)
        return [(picture.label, os.path.realpath(picture.path)) for picture in found]


def _report(results, options, picture):
    return {
        "data": options.data, "ten_crop": options.ten_crop, "pictures": len(results[0].scores.labels),
        "confusion_matrix": str(picture), "class_names": names.differing(results[0].scores.classes),
        "results": [{"run": str(result.run), "part": result.pictures.part, "pictures": len(result.scores.labels),
                     "learnt_from": result.pictures.learnt, "notes": result.notes, "top1": result.scores.top(1),
                     "top5": result.scores.top(5), "loss": result.scores.loss, "classes": result.scores.by_class(),
                     "confusion": result.scores.confusion().tolist()} for result in results],
    }


def _write_table(place, results):
    with predictions.table(place, COLUMNS, results[-1].scores.classes) as row:
        for result in results:
            part = result.scores
            for number, label, p in zip(part.numbers, part.labels, part.probabilities):
                row((result.run, result.pictures.paths[number], part.classes[label]), p, part.classes)


def _print(results, options):
    views = "mean over ten crops" if options.ten_crop else "central crop"
    counts = [f"{len(result.scores.labels):,} {PARTS[result.pictures.part]}pictures" for result in results]
    same = len(set(counts)) == 1
    print(f"{counts[0] if same else 'each by its own pictures'}, {views}\n")
    width = max(len(str(result.run)) for result in results)
    print(f"{'':{width}}   top-1    top-5     loss")
    for result, count in zip(results, counts):
        part = result.scores
        print(f"{str(result.run):{width}}  {part.top(1):6.1%}   {part.top(5):6.1%}   {part.loss:6.3f}"
              + ("" if same else f"   {count}"))
    print()
    for note in dict.fromkeys(note for result in results for note in result.notes):
        print(f"note: {note}")
    for line in class_table(results[-1].scores.by_class()):
        print(line)


def class_table(rows):
    """Lines: how many of each class were recognised, worst first where there are too many for a screen."""
    shown = rows
    if len(rows) > MOST_ROWS:
        shown = sorted((row for row in rows if row["pictures"]), key=lambda row: row["recall"])[:MOST_ROWS]
        yield f"the {len(shown)} worst of {len(rows)} classes:"
    width = max(len("class"), *(len(names.shown(row["class"])) for row in shown))
    yield f"{'class':{width}}  pictures  recognised  of what it is called, right  most often taken for"
    for row in shown:
        recall = "" if row["recall"] is None else f"{row['recall']:.0%}"
        precision = "" if row["precision"] is None else f"{row['precision']:.0%}"
        mistaken_for = names.shown(row["mistaken_for"] or "")
        yield f"{names.shown(row['class']):{width}}  {row['pictures']:8}  {recall:>10}  {precision:>27}  {mistaken_for}".rstrip()


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m minialex.evaluate", usage="%(prog)s RUN... [--data DIR] [options]", description=DESCRIPTION,
        epilog="exit status: 0 done, 2 a mistake of the user",
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=26, width=110),
        allow_abbrev=False)
    parser.error = lambda message: parser.exit(2, f"minialex.evaluate: {message} (--help lists the options).\n")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder (its best checkpoint), or a file of weights")
    parser.add_argument("--data", metavar="DIR", help="a folder of class folders, also with train/, val/ or test/; without "
                        "it the run's own pictures")
    parser.add_argument("--subset", nargs="?", const="", metavar="SPEC", help="as for training: alone, the built-in pictures")
    parser.add_argument("--labels", metavar="FILE", help="a table that says what each picture in --data is, for those that lie "
                        "in no class folders: lines such as photo.jpg,cat")
    parser.add_argument("--part", choices=PARTS, help="which pictures to score (val: those that the run held out; in a "
                        "folder that it has not seen: all)")
    parser.add_argument("--train", dest="part", action="store_const", const="train", help="the same as --part train")
    parser.add_argument("--ten-crop", action="store_true", help="the mean over the corners, the centre and their reflections")
    parser.add_argument("--classes", metavar="FILE", help="the network's classes in their order, one a line, for "
                        "weights without; 'imagenet': the thousand of ImageNet")
    parser.add_argument("--class-names", metavar="FILE", help="what people read for each class: lines such as n01440764 tench, "
                        "or JSON")
    parser.add_argument("--mean", metavar="FILE", help=weights.MEAN_HELP)
    parser.add_argument("--out", metavar="PNG", help="where the confusion matrix goes (confusion.png in the run's folder)")
    parser.add_argument("--csv", metavar="FILE", help="write a line for each picture: its class and the five most probable ones; "
                        "- for the screen")
    parser.add_argument("--force", action="store_true", help="replace files that this command did not write")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:n (auto)")
    return parser
