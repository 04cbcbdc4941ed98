"""python -m minialex.predict: what does a trained network see in a picture? `--help` lists the options."""

import argparse
import json
import os
import sys
import textwrap
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .. import data, weights
from ..data import names
from ..data.pictures import printable
from ..data.threads import ahead
from ..device import resolve_device
from ..errors import UserError
from ..training import classifier, insight, predictions
from ..training import pictures as run_pictures
from ..utils import console, drawing
from ..utils.progress import Progress

DESCRIPTION = """\
The five most probable classes of each picture, as bars here and in a picture beside the photo.

  python -m minialex.predict runs/RUN photo.jpg
  python -m minialex.predict runs/RUN FOLDER --csv guesses.csv  every picture in a folder and the folders in it, as a table
  python -m minialex.predict bvlc_alexnet.npy photo.jpg --classes synset_words.txt
  python -m minialex.predict runs/RUN photo.jpg --features      the feature maps of every convolution
  python -m minialex.predict runs/RUN --patches conv5:12        the nine training patches that excite a filter most
"""
BAR = 30  # letters
WARN = console.warn("minialex.predict")
DRAWN = 24  # pictures at most in the picture of predictions


def main(arguments=None):
    """Predicts; returns 0, or 2 after a user's mistake or when no picture can be read (a line on stderr for each)."""
    options = _parser().parse_args(arguments)
    try:
        return _predict(options, Progress(file=sys.stderr))
    except UserError as problem:
        print(f"minialex.predict: {problem}", file=sys.stderr)
        return 2


def _predict(options, progress):
    if not options.pictures and options.patches is None:
        raise UserError("name a picture, or a filter with --patches.")
    classes = names.read_classes(options.classes) if options.classes else None
    network = classifier.load(options.run, resolve_device(options.device).name, classes, options.class_names, options.mean)
    network.tell()
    wanted = insight.parse_filter(network.model, options.patches) if options.patches is not None else None
    if options.out:
        drawing.named(options.out, "prediction", None, force=options.force)  # said before the work begins
    paths = [path for given in options.pictures for path in data.files_below(given)]
    read = _tell(paths, network, options) if paths else 0
    if wanted:
        _patches(network, options, wanted, progress)
    return 2 if read < len(paths) else 0


def _tell(paths, network, options):
    """Print or write each prediction as soon as it is there. Returns how many pictures could be read."""
    first, count = [], 0  # those that are drawn
    with _output(options, network.classes) as put:
        for path, planes, p in classifier.judge(network, _read(paths, network.size), options.ten_crop):
            put(path, p)
            count += 1
            if len(first) < DRAWN:
                first.append((path, planes, p))
            if options.features:
                _maps(path, planes, network, options)
    if options.csv not in (None, "-"):
        _say(f"{count:,} pictures: {options.csv}", options)
    if first and not options.json and not options.csv:
        _draw(first, count, network, options)
    return count


def _maps(path, planes, network, options):
    target = _picture(None, "features", f"{Path(path).stem}-features.png", path, options)
    if drawing.drawn(target, WARN, insight.maps, network, planes):
        _say(f"feature maps: {target}", options)


def _picture(path, kind, otherwise, of, options):
    """The files.Output of a picture: of the path, or of the name `otherwise` unless that is what other inputs have given."""
    return drawing.named(path, kind, os.path.join(options.folder, otherwise), os.path.realpath(of), options.force)


def _read(paths, size):
    """(path, planes) of the pictures that can be read, decoded ahead; a line on stderr for each other."""
    def read(path):
        try:
            return path, data.decode(path, size).transpose(2, 0, 1)
        except UserError as problem:
            return problem, None

    for path, planes in ahead(read, paths, 2):
        if planes is None:
            print(f"minialex.predict: {path}", file=sys.stderr)
        else:
            yield path, planes


@contextmanager
def _output(options, classes):
    """Yields a function that takes a path and its probabilities: to a table, as JSON, or as bars."""
    with ExitStack() as stack:
        puts = []
        if options.csv:
            place = predictions.output(options.csv, ("picture",), options.force)
            row = stack.enter_context(predictions.table(place, ("picture",), classes))
            puts.append(lambda path, p: row((path,), p, classes))
        if options.json:
            puts.append(stack.enter_context(_as_json(classes)))
        elif not options.csv:
            puts.append(lambda path, p: print(printable(path), *bars(p, classes), sep="\n"))
        yield lambda path, p: [put(path, p) for put in puts]


@contextmanager
def _as_json(classes):
    """A list, printed entry by entry: thousands of pictures need no memory."""
    before = "[\n"

    def put(path, p):
        nonlocal before
        entry = {"picture": printable(path), "predictions": [
            {"class": classes[i], "name": names.shown(classes[i]), "number": int(i), "probability": float(p[i])}
            for i in predictions.best(p)]}
        print(before + textwrap.indent(json.dumps(entry, indent=2), "  "), end="")
        before = ",\n"

    yield put
    print("[]" if before == "[\n" else "\n]")


def _draw(first, count, network, options):
    """A picture of the first predictions, unless there are more and nobody has asked for it."""
    if count > DRAWN and not options.out:
        print(f"more than {DRAWN} pictures are not drawn: --csv FILE writes a table, --out PNG draws the first {DRAWN}")
        return
    entries = [(planes, printable(os.path.basename(path)), p, None) for path, planes, p in first]
    name = Path(first[0][0]).stem if count == 1 else "pictures"
    of = first[0][0] if count == 1 else "pictures"
    target = _picture(options.out, "prediction", f"{name}-prediction.png", of, options)
    if drawing.drawn(target, WARN, predictions.beside if len(entries) <= 3 else _sheet, entries, network.classes):
        print(f"the {'same' if count == len(first) else f'first {DRAWN}'} as a picture: {target}")


def _sheet(path, entries, classes):
    predictions.sheet(path, "The network's guesses", "the five most probable classes", entries, classes)


def bars(p, classes):
    """A line for each of the five most probable classes."""
    best = predictions.best(p)
    width = max(len(names.shown(classes[index])) for index in best)
    for index in best:
        filled = p[index] * BAR
        bar = "█" * int(filled) + ("▌" if filled % 1 >= 0.5 else "")
        yield f"  {names.shown(classes[index]):{width}}  {bar:{BAR}}  {p[index]:6.1%}"


def _patches(network, options, wanted, progress):
    if options.data:
        train, _ = data.open_data(options.data, progress=progress.terminal, size=network.size)
        train.classes = names.of_data(options.data, train.classes)
    else:
        train = run_pictures.of_run(options.run, network.classes, network.size, "train")
    target = _picture(None, "patches", f"patches-{wanted[0]}-{wanted[1]}.png", options.run, options)
    with progress.phase(f"filter {wanted[1]} of {wanted[0]}", len(train)) as bar:
        found = insight.strongest_patches(network, train, *wanted, bar.step)
    for value, index, _ in found:
        _say(f"  {value:8.3g}  {train.names[index]}", options)
    if drawing.drawn(target, WARN, insight.patches, network, train, *wanted, found):
        _say(f"patches: {target}", options)


def _say(text, options):
    print(text, file=sys.stderr if options.json or options.csv == "-" else sys.stdout)


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m minialex.predict", usage="%(prog)s RUN PICTURE|FOLDER... [options]", description=DESCRIPTION,
        epilog="exit status: 0 done, 2 a mistake of the user, or a picture that cannot be read",
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=26, width=110),
        allow_abbrev=False)
    parser.error = lambda message: parser.exit(2, f"minialex.predict: {message} (--help lists the options).\n")
    parser.add_argument("run", metavar="RUN", help="a run's folder (its best checkpoint), or a file of weights")
    parser.add_argument("pictures", nargs="*", metavar="PICTURE", help="files of pictures, or folders of them")
    parser.add_argument("--ten-crop", action="store_true", help="the mean over the corners, the centre and their reflections")
    parser.add_argument("--classes", metavar="FILE", help="the network's classes in their order, one a line, for "
                        "weights without; 'imagenet': the thousand of ImageNet")
    parser.add_argument("--class-names", metavar="FILE", help="what people read for each class: lines such as n01440764 tench, "
                        "or JSON")
    parser.add_argument("--mean", metavar="FILE", help=weights.MEAN_HELP)
    parser.add_argument("--features", action="store_true", help="also a picture of the feature maps of every convolution")
    parser.add_argument("--patches", metavar="[LAYER:]N", help="a picture of the nine training patches that excite filter N of a "
                        "layer (the last convolution) most")
    parser.add_argument("--data", metavar="DIR", help="where --patches looks; without it, where the run learnt")
    parser.add_argument("--out", metavar="PNG", help=f"where the picture of the first {DRAWN} goes (PICTURE-prediction.png)")
    parser.add_argument("--folder", default=".", metavar="DIR", help="where pictures without --out go (the current folder)")
    parser.add_argument("--csv", metavar="FILE", help="write the predictions as a table instead, a line for each picture; - for "
                        "the screen")
    parser.add_argument("--force", action="store_true", help="replace files that this command did not write")
    parser.add_argument("--json", action="store_true", help="print the predictions as JSON")
    parser.add_argument("--device", default="cpu", metavar="D", help="auto, cpu, cuda or cuda:n (cpu)")
    return parser
