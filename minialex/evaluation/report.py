"""A run on one page, which needs nothing but itself: pictures and styles are inside, and no script.
(report.html, report.css.)"""

import base64
import html
import json
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..device import resolve_device
from ..errors import UserError
from ..folders.names import shown
from ..folders.problems import printable
from ..utils import console, in_words
from ..utils.drawing import attempt
from ..utils.files import Output, replacing
from ..utils.html_page import render
from ..utils.progress import Progress, duration
from . import classifier, held_out, plots
from .evaluate import CLASS_HEAD, class_cells
from .metrics import Scores
from .runs import read_config, rows_of, settings_of
from .seen import Seen

NAME = "report.html"
SHOWN = 8  # best and worst predictions

Say = Callable[[str], None]


def report(options: Namespace) -> None:
    """`minialex report`: runs, data, labels, device, force. Raises UserError."""
    device, progress = resolve_device(options.device).name, Progress()
    moved = {name: value for name in ("data", "labels") if (value := getattr(options, name))}
    for run in options.runs:
        path, scores = of_run(run, device, console.warn("minialex.report"), options.force, moved)
        progress.line(f"{path}: top-1 {scores.top(1):.1%}, "
                      f"top-5 {scores.top(5):.1%} on {len(scores.labels):,} pictures")


def of_run(path: str, device: str = "cpu", say: Say = print,
           force: bool = False, moved: dict[str, str] | None = None) -> tuple[Path, Scores]:
    """Write the report of a run folder from its best checkpoint and its pictures. moved: where
    these are now (see held_out.of_run). Returns its path, and what it says."""
    if not Path(path).is_dir():
        raise UserError(f"there is no run folder {path}: check the path.")
    settings_of(path)  # a folder without a run is told before its missing weights
    page(path, force).check()
    network = classifier.load(path, device)
    pictures = held_out.of_run(path, network.classes, network.size, moved=moved)
    if pictures.missing:
        raise UserError(f"{pictures.missing:,} of the pictures that {path} held out are no longer "
                        "there: put them back, or say with --data where they are. Its report stays "
                        "as it was.")
    if pictures.relabelled:
        raise UserError(f"{pictures.relabelled:,} of the pictures that {path} held out have "
                        "another class now: put them back. Its report stays as it was.")
    scores = classifier.predict(network, pictures)
    if damaged := _damaged(path, pictures, scores):
        raise UserError(f"{len(damaged):,} of the pictures that {path} held out cannot be read any "
                        f"more, such as {damaged[0]}: put them back. Its report stays as it was.")
    return write(path, scores, pictures, say, force), scores


def _damaged(run, pictures, scores):
    """The paths of pictures that could be read when the run began. What it has never read its page
    has never counted."""
    unread = sorted(set(range(len(pictures))) - set(scores.numbers))
    seen = Seen.of_run(run) if unread else None
    return [printable(pictures.paths[index]) for index in unread if seen
            and seen.changed(pictures.pictures[index])]


def of_training(folder: Path, val: Any, device: str, say: Say) -> None:
    """Write the report of a run that has just ended, from its best checkpoint and its validation
    pictures."""
    try:
        scores = classifier.predict(classifier.load(str(folder), device), val)
    except MemoryError:  # a GPU that training has filled: there is no room for a second network
        scores = classifier.predict(classifier.load(str(folder), "cpu"), val)
    with attempt(NAME, say):  # a page of somebody's is in its place
        write(folder, scores, val, say)


def page(run: str | Path, force: bool = False) -> Output:
    """The Output for the page of a run. (Pages had no mark at first; they are known by their
    colours.)"""
    return Output(Path(run, NAME), "report", force=force,
                  signs=(b"--ink: #24262b; --quiet: #6a6f78; --line: #e6e8ec",))


def write(run: str | Path, scores: Scores, pictures: Any, say: Say, force: bool = False) -> Path:
    """Write report.html into a run's folder. scores: of the validation pictures, a PictureSet;
    say(text): for a picture that cannot be drawn. Returns its path."""
    config, rows, times = (read_config(run), rows_of(Path(run, "metrics.csv")),
                           rows_of(Path(run, "timing.csv")))
    parts = [
        _figures(scores, rows, times),
        _picture(Path(run, "curves.png"), "Curves", "Loss and accuracy over the epochs. "
                 "Dots are validations on all pictures."),
        *_predictions(scores, pictures, say),
        _drawn(lambda path: plots.confusion(path, scores), "Confusion matrix",
               "A row for each class: what the network calls its pictures. The diagonal, blue, is "
               "right, red a mistake.", say),
        "<h2>Classes</h2>" + _table(CLASS_HEAD, map(class_cells, scores.by_class()), (0, 4)),
        _picture(Path(run, "filters.png"), "The first layer's filters",
                 "Its kernels as small pictures."),
        _epochs(rows, {row["epoch"]: row for row in times}), _settings(config),
    ]
    target = page(run, force)
    here = Path(__file__)
    with replacing(target, "w", encoding="utf-8", errors="replace") as file:
        file.write(render(here.with_suffix(".html"), here.with_suffix(".css"), target.mark,
                          Path(run).resolve().name, subtitle=html.escape(_subtitle(config)),
                          parts="\n".join(filter(None, parts))))
    return target.path


def _subtitle(config):
    settings = config["settings"]
    named = (Path(settings["data"]).name if settings["data"] else settings["subset"]
             or "the built-in set")
    return (f"{settings['variant']} on {named}: {len(config['classes'])} classes, "
            f"{config['train_pictures']:,} to train on, "
            f"{config['val_pictures']:,} to validate; device {config['device']}")


# ----------------------------------------------------------------------------------------- pictures


def _picture(path, title, words):
    try:
        content = Path(path).read_bytes()
    except OSError:
        return ""
    seen = html.escape(in_words.read(path) or title)
    return (f"<h2>{html.escape(title)}</h2><p>{html.escape(words)}</p><div "
            f"{_region(f'Picture: {title}')}>" f'<img alt="{seen}" '
            f'src="data:image/png;base64,{base64.b64encode(content).decode()}"></div>')


def _region(name):
    """What may be wider than a phone. A keyboard scrolls what it can focus."""
    return f'class="wide" tabindex="0" role="region" aria-label="{html.escape(name)}"'


def _drawn(draw, title, words, say):
    """A picture that `draw(path)` writes, and that only the page needs."""
    with tempfile.TemporaryDirectory() as place, attempt(f"{title} of {NAME}", say):
        draw(Path(place, "picture.png"))
        return _picture(Path(place, "picture.png"), title, words)
    return f"<h2>{html.escape(title)}</h2><p>This picture could not be drawn.</p>"


def _predictions(scores, pictures, say):
    right, wrong = scores.by_confidence()
    if len(right):
        yield _drawn(lambda path: _sheet(path, scores, pictures,
                                         scores.of_many_classes(right, SHOWN)), "Best predictions",
                     "Recognised, and the surest of their classes. Red and bold: the right class.",
                     say)
    if len(wrong):
        yield _drawn(lambda path: _sheet(path, scores, pictures, wrong[:SHOWN]),
                     "Worst predictions", f"The surest of the {len(wrong):,} mistakes; "
                     "the right class stands above each picture.", say)
    else:
        yield "<h2>Worst predictions</h2><p>None: every picture was recognised.</p>"


def _sheet(path, scores, pictures, chosen):
    labels = [int(scores.labels[n]) for n in chosen]
    entries = [(pictures.planes(int(scores.numbers[n])), shown(scores.classes[label]),
                scores.probabilities[n], label) for n, label in zip(chosen, labels)]
    plots.sheet(path, "", "", entries, scores.classes)


# ------------------------------------------------------------------------------------------ numbers


def _figures(scores, rows, times):
    rate = max((row["train_images_per_second"] for row in times), default=0)
    figures = {"top-1, best checkpoint": f"{scores.top(1):.1%}", "top-5": f"{scores.top(5):.1%}",
               "validation loss": f"{scores.loss:.3f}", "epochs": f"{len(rows)}",
               "training and validation": duration(sum(map(seconds_of, times))) if times else "?",
               "images/s, fastest epoch": f"{rate:,.0f}"}
    return '<ul class="figures">' + "".join(f"<li><b>{value}</b>{name}</li>"
                                            for name, value in figures.items()) + "</ul>"


def seconds_of(row: dict[str, float]) -> float:
    """What an epoch of timing.csv took in all."""
    return row["train_seconds"] + row["val_seconds"] + row.get("feature_seconds", 0)


def _epochs(rows, times):
    head = ["epoch", "lr", "training loss", "top-1", "validation loss", "top-1", "top-5", "time",
            "images/s"]
    formats = {"epoch": ".0f", "lr": ".3g", "train_loss": ".3f", "train_top1": ".1%",
               "val_loss": ".3f", "val_top1": ".1%", "val_top5": ".1%"}
    lines = [[*(format(row[name], how) for name, how in formats.items()),
              *((duration(seconds_of(times[row["epoch"]])),
                 f"{times[row['epoch']]['train_images_per_second']:.1f}") if row["epoch"] in times
                else ("", ""))] for row in rows]
    return (f"<h2>Epochs</h2><details><summary>all {len(rows)}, "
            f"with their times</summary>{_table(head, lines)}</details>")


def _settings(config):
    rest = {name: value for name, value in config.items() if name not in ("settings", "classes")
            and not isinstance(value, dict)}
    versions = {f"{name} version": value for name, value in config.get("versions", {}).items()}
    tables = [_table(head, [(name.replace("_", " "), value if isinstance(value, str)
                             else json.dumps(value)) for name, value in values.items()], (0, 1))
              for head, values in ((("setting", "value"), config["settings"]),
                                   (("run", "value"), rest | versions))]
    return '<h2>Configuration</h2><div class="two">' + "".join(tables) + "</div>"


def _table(head: Sequence[str], rows: Iterator[Sequence[str]] | list[Any],
           texts: tuple[int, ...] = ()) -> str:
    """texts: the numbers of the columns that hold words."""
    kinds = [' class="text"' if number in texts else "" for number in range(len(head))]

    def line(cells, tag):
        return "<tr>" + "".join(f"<{tag}{kind}>{html.escape(str(cell))}</{tag}>"
                                for cell, kind in zip(cells, kinds)) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    return (f'<div {_region(f"Table by {head[0]}")}><table><thead>{line(head, "th")}</thead>'
            f'<tbody>{body}</tbody></table></div>')
