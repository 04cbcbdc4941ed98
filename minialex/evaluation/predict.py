"""What a network sees in pictures, however many: bars, a table or JSON as they come, and pictures
of the first of them."""

import csv
import json
import os
import sys
import textwrap
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from .. import data
from ..errors import UserError
from ..folders import names
from ..folders.names import shown
from ..folders.problems import printable
from ..utils import console, drawing
from ..utils.ahead import ahead
from ..utils.files import Output, replacing
from ..utils.progress import Progress
from . import classifier, feature_plots, held_out, plots
from .classifier import Classifier
from .metrics import best

BAR = 30  # letters
DRAWN = 24  # pictures at most in the picture of predictions
WARN = console.warn("minialex.predict")


def predict(options: Namespace) -> int:
    """`minialex predict`; returns the exit status, 2 when a picture could not be read. Raises
    UserError."""
    if not options.pictures and options.patches is None:
        raise UserError("name a picture, or a filter with --patches.")
    network = classifier.named(options.run, options)
    wanted = feature_plots.parse_filter(network.model,
                                        options.patches) if options.patches is not None else None
    if options.out:
        # said before the work begins
        drawing.named(options.out, "prediction", None, force=options.force)
    paths = [path for given in options.pictures for path in data.files_below(given)]
    read = _tell(paths, network, options) if paths else 0
    if wanted:
        _patches(network, options, *wanted)
    return 2 if read < len(paths) else 0


def _tell(paths, network, options):
    """Print or write each prediction as soon as it is there. Returns how many pictures could be
    read."""
    first: list[Any] = []  # those that are drawn
    count = 0
    with ExitStack() as stack:
        outputs = [stack.enter_context(output) for output in _outputs(options, network.classes)]
        for path, planes, p in classifier.judge(network, _read(paths, network.size),
                                                options.ten_crop):
            for put in outputs:
                put(path, p=p)
            count += 1
            first += [(planes, path, p)] if len(first) < DRAWN else []
            if options.features:
                _draw("feature maps: ", None, "features", f"{Path(path).stem}-features.png", path,
                      options, feature_plots.maps, network, planes)
    if options.csv not in (None, "-"):
        _say(f"{count:,} pictures: {options.csv}", options)
    if first and not options.json and not options.csv:
        _draw_first(first, count, network, options)
    return count


def _read(paths, size):
    """(path, planes) of the pictures that can be read, decoded ahead; a line on stderr for each
    other."""
    def read(path):
        try:
            return path, data.decode(path, size).transpose(2, 0, 1)
        except UserError as problem:
            return problem, None

    for path, planes in ahead(read, paths, 2):
        if planes is None:
            WARN(str(path))
        else:
            yield path, planes


def bars(p: np.ndarray, classes: Sequence[str]) -> Iterator[str]:
    """A line for each of the five most probable classes."""
    width = max(len(shown(classes[index])) for index in best(p))
    for index in best(p):
        filled = p[index] * BAR
        bar = "█" * int(filled) + ("▌" if filled % 1 >= 0.5 else "")
        yield f"  {shown(classes[index]):{width}}  {bar:{BAR}}  {p[index]:6.1%}"


def _outputs(options, classes):
    """For each form in which predictions are wanted, a context manager of a function of (path,
    p)."""
    if options.csv:
        yield table(table_place(options.csv, ("picture",), options.force), ("picture",), classes)
    if options.json:
        yield _as_json(classes)
    elif not options.csv:
        yield nullcontext(lambda path, p: print(printable(path), *bars(p, classes), sep="\n"))


@contextmanager
def _as_json(classes):
    """A list, printed entry by entry: thousands of pictures need no memory."""
    before = "[\n"

    def put(path, p):
        nonlocal before
        entry = {"picture": printable(path),
                 "predictions": [{"class": classes[i], "name": shown(classes[i]), "number": int(i),
                                  "probability": float(p[i])} for i in best(p)]}
        print(before + textwrap.indent(json.dumps(entry, indent=2), "  "), end="")
        before = ",\n"

    yield put
    print("[]" if before == "[\n" else "\n]")


# ------------------------------------------------------------------------------------------- tables


def table_place(path: str, first: Sequence[str], force: bool = False) -> Output | str:
    """Where a table with these first columns goes: an Output, or "-" for the screen. Raises
    UserError when it cannot go there."""
    if path == "-":
        return path
    place = Output(path, "predictions", force=force,
                   signs=[f"{','.join(first)},class_1,probability_1".encode()])
    place.check()
    return place


@contextmanager
def table(place: Output | str, first: Sequence[str],
          classes: Sequence[str]) -> Iterator[Callable[..., None]]:
    """Write a CSV file to a `table_place`: yields a function of the first columns' values, and of p
    and classes (these)."""
    count = min(5, len(classes))
    heads = [name for number in range(1, count + 1)
             for name in (f"class_{number}", f"probability_{number}")]
    named = any(shown(name) != name for name in classes)
    heads += [f"name_{number}" for number in range(1, count + 1) if named]
    with nullcontext(sys.stdout) if place == "-" else replacing(place, "w", encoding="utf-8",
                                                                newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*first, *heads])

        def row(*values: Any, p: np.ndarray, classes: Sequence[str] = classes) -> None:
            writer.writerow([*map(printable, map(str, values)),
                             *(cell for n in best(p, count)
                               for cell in (classes[n], f"{p[n]:.6f}")),
                             *(shown(classes[n]) for n in best(p, count) if named)])

        yield row


# ----------------------------------------------------------------------------------------- pictures


def _draw_first(first, count, network, options):
    """A picture of the first predictions, unless there are more and nobody has asked for it."""
    if count > DRAWN and not options.out:
        print(f"more than {DRAWN} pictures are not drawn: --csv FILE writes a table, "
              f"--out PNG draws the first {DRAWN}")
        return
    entries = [(planes, printable(os.path.basename(path)), p, None) for planes, path, p in first]
    of = first[0][1] if count == 1 else "pictures"
    _draw(f"the {'same' if count == len(first) else f'first {DRAWN}'} as a picture: ", options.out,
          "prediction", f"{Path(of).stem}-prediction.png", of, options,
          plots.beside if len(entries) <= 3 else _sheet, entries, network.classes)


def _sheet(path, entries, classes):
    plots.sheet(path, "The network's guesses", "the five most probable classes", entries, classes)


def _patches(network: Classifier, options: Namespace, layer: str, number: int) -> None:
    progress = Progress(file=sys.stderr)
    if options.data:
        train: Any = data.open_data(options.data, progress=progress.terminal, size=network.size)[0]
        train.classes = names.of_data(options.data, train.classes)
    else:
        train = held_out.of_run(options.run, network.classes, network.size, "train")
    with progress.phase(f"filter {number} of {layer}", len(train)) as bar:
        found = feature_plots.strongest_patches(network, train, layer, number, bar.step)
    for value, index, _ in found:
        _say(f"  {value:8.3g}  {train.names[index]}", options)
    _draw("patches: ", None, "patches", f"patches-{layer}-{number}.png", options.run, options,
          feature_plots.patches, network, train, layer, number, found)


def _draw(said, path, kind, otherwise, of, options, draw, *arguments):
    """Draw a picture to the path, or to the name `otherwise` unless that is what other inputs than
    `of` have given; say where."""
    target = drawing.named(path, kind, os.path.join(options.folder, otherwise),
                           os.path.realpath(of), options.force)
    asked = path is not None or kind != "prediction" or options.folder != "."
    if drawing.drawn(target, WARN, draw, *arguments, asked=asked):
        _say(f"{said}{target}", options)


def _say(text, options):
    print(text, file=sys.stderr if options.json or options.csv == "-" else sys.stdout)
