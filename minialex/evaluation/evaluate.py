"""How good trained networks are, each by the pictures that it has not learnt from, and the mean of
their predictions."""

import json
import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import data
from ..errors import UserError
from ..folders import names
from ..utils import console, drawing
from ..utils.progress import Progress
from ..utils.table import columns
from . import classifier, held_out, plots
from .metrics import Scores, ensemble
from .predict import table, table_place
from .runs import settings_of

PARTS = {"train": "training ", "val": "validation ", "test": "test ", "all": ""}
COLUMNS = ("run", "picture", "class")  # of the table, before the five most probable classes
MOST_ROWS = 40  # of the table of classes; the worst of them when there are more


@dataclass
class Result:
    """run: its name, or "mean of the 3"; pictures: the Chosen that were to be scored; scores: of
    those that could be read."""

    run: str
    pictures: held_out.Chosen
    scores: Scores
    notes: list[str]

    def files(self) -> list[tuple[str, str]]:
        """(class, file) of each scored picture."""
        found = (self.pictures.pictures[number] for number in self.scores.numbers)
        return [(picture.label, os.path.realpath(picture.path)) for picture in found]


def evaluate(options: Namespace) -> None:
    """`minialex evaluate`: score each run or file of weights, print or write what was found. Raises
    UserError."""
    progress = Progress()
    place = options.csv and table_place(options.csv, COLUMNS, options.force)
    # weights are no place for a picture
    folder = options.runs[0] if Path(options.runs[0]).is_dir() else "."
    picture = drawing.named(options.out, "confusion", Path(folder, "confusion.png"),
                            force=options.force)
    networks = [classifier.named(run, options) for run in options.runs]
    opened: dict[Any, Any] = {}
    chosen = [_chosen(network, options, opened, progress) for network in networks]
    results = [Result(network.path, pictures,
                      _scores(network, pictures, options.ten_crop, progress), pictures.notes)
               for network, pictures in zip(networks, chosen)]
    results += _mean(results)
    screen = sys.stderr if options.csv == "-" and not options.json else sys.stdout
    if not options.json:
        print("\n".join(_lines(results, options.ten_crop)), file=screen)
    if options.csv:
        with table(place, COLUMNS, results[-1].scores.classes) as row:
            for result in results:
                part = result.scores
                for number, label, p in zip(part.numbers, part.labels, part.probabilities):
                    row(result.run, result.pictures.paths[number], part.classes[label], p=p,
                        classes=part.classes)
    drawn = None
    try:
        if drawing.drawn(picture, console.warn("minialex.evaluate"), plots.confusion,
                         results[-1].scores, asked=options.out is not None):
            drawn = str(picture)
    finally:
        if options.json:
            print(json.dumps(_report(results, options, drawn), indent=2), file=screen)
    if drawn and not options.json:
        print(f"\nconfusion matrix: {drawn}", file=screen)


def _chosen(network, options, opened, progress):
    """The held_out.Chosen for a network. opened: {(data, subset, size): its pictures}, filled
    here."""
    named = options.data is not None or options.subset is not None or options.labels is not None
    settings = vars(options) if named else settings_of(network.path)
    key = settings["data"], settings["subset"], settings.get("labels"), network.size
    if key not in opened:
        opened[key] = (data.open_whole(*key[:3], size=network.size, progress=progress.terminal)
                       if named else held_out.open_of(network.path, settings, network.size))
    if not named:
        return held_out.of_run(network.path, network.classes, network.size, options.part or "val",
                               opened[key])
    return held_out.of_data(network.path, opened[key], options.data, network.classes, options.part)


def _scores(network, chosen, ten, progress):
    with progress.phase(network.path, len(chosen)) as bar:
        found = classifier.predict(network, chosen, ten, bar.step)
    if not len(found.labels):
        raise UserError(f"none of the {len(chosen)} pictures can be read: check the files.")
    return found


def _mean(results):
    """[the Result of the mean of several networks' predictions]: over the pictures that all of them
    were judged by."""
    first, last = results[0], results[-1]
    if len(results) == 1:
        return []
    if any(set(result.scores.classes) != set(first.scores.classes) for result in results):
        last.notes.append("there is no mean of these networks, they know other classes")
        return []
    places = [{picture: row for row, picture in enumerate(result.files())} for result in results]
    shared = [picture for picture in places[0] if all(picture in place for place in places)]
    if not shared:
        last.notes.append("there is no mean of these networks: "
                          "no picture is among those of all of them")
        return []
    mean = ensemble([result.scores.select([place[picture] for picture in shared],
                                          first.scores.classes)
                     for result, place in zip(results, places)])
    fewer = any(len(shared) < len(place) for place in places)
    return [Result(f"mean of the {len(results)}", first.pictures, mean,
                   [f"the mean is over the {len(shared):,} pictures by which each of "
                    "them was judged"] * fewer)]


# ------------------------------------------------------------------------------------- what is said


def _report(results, options, picture):
    return {
        "data": options.data, "ten_crop": options.ten_crop,
        "pictures": len(results[0].scores.labels),
        "confusion_matrix": picture, "class_names": names.differing(results[0].scores.classes),
        "results": [{"run": str(result.run), "part": result.pictures.part,
                     "pictures": len(result.scores.labels),
                     "learnt_from": result.pictures.learnt, "notes": result.notes,
                     "top1": result.scores.top(1),
                     "top5": result.scores.top(5), "loss": result.scores.loss,
                     "classes": result.scores.by_class(),
                     "confusion": result.scores.confusion().tolist()} for result in results],
    }


def _lines(results, ten):
    counts = [f"{len(result.scores.labels):,} {PARTS[result.pictures.part]}pictures"
              for result in results]
    same = len(set(counts)) == 1
    yield (f"{counts[0] if same else 'each by its own pictures'}, "
           f"{'mean over ten crops' if ten else 'central crop'}\n")
    yield from columns([["", " top-1", "top-5", "loss", ""],
                        *([result.run, f"{result.scores.top(1):6.1%}",
                           f"{result.scores.top(5):7.1%}", f"{result.scores.loss:7.3f}",
                           "" if same else f" {count}"] for result, count in zip(results, counts))],
                       left=(0, 4))
    yield ""
    yield from (f"note: {note}"
                for note in dict.fromkeys(note for result in results for note in result.notes))
    yield from class_table(results[-1].scores.by_class())


def class_table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Lines: how many of each class were recognised, worst first where there are too many for a
    screen."""
    worst = rows
    if len(rows) > MOST_ROWS:
        worst = sorted((row for row in rows if row["pictures"]),
                       key=lambda row: row["recall"])[:MOST_ROWS]
        yield f"the {len(worst)} worst of {len(rows)} classes:"
    yield from columns([CLASS_HEAD, *map(class_cells, worst)], left=(0, 4))


CLASS_HEAD = ["class", "pictures", "recognised", "of what it is called, right",
              "most often taken for"]


def class_cells(row: dict[str, Any]) -> list[str]:
    """A row of Scores.by_class as texts, for a table under CLASS_HEAD."""
    recall, precision = ("" if part is None else f"{part:.0%}"
                         for part in (row["recall"], row["precision"]))
    return [names.shown(row["class"]), str(row["pictures"]), recall, precision,
            names.shown(row["mistaken_for"] or "")]
