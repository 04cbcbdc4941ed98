"""report.html: a run on one page, which needs nothing but itself: pictures are inside, styles too, and no script."""

import base64
import csv
import html
import json
import tempfile
from pathlib import Path

from ..data.names import shown as name_of
from ..errors import UserError
from ..utils.drawing import attempt
from ..utils.files import Output, replacing
from ..utils.progress import duration
from . import classifier, confusion, folder, pictures, predictions

NAME = "report.html"
SHOWN = 8  # best and worst predictions

_STYLE = """
:root { color-scheme: light; --ink: #24262b; --quiet: #6a6f78; --line: #e6e8ec; --blue: #33658a; --red: #c8553d; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 2.2rem 1.4rem 4rem; background: #fff; color: var(--ink);
       font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.6rem 0 .5rem; padding-top: .8rem; border-top: 1px solid var(--line); }
p, li { max-width: 46rem; } .quiet { color: var(--quiet); }
.figures { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.3rem 0; padding: 0; list-style: none; }
.figures li { flex: 1 1 9rem; border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; }
.figures b { display: block; font-size: 1.5rem; line-height: 1.2; }
img { max-width: 100%; height: auto; display: block; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child, td.text, th.text { text-align: left; }
th { color: var(--quiet); font-weight: 600; }
td.text { white-space: normal; overflow-wrap: anywhere; }
details summary { cursor: pointer; color: var(--blue); }
.two { columns: 2 22rem; column-gap: 2rem; } .two table { width: 100%; break-inside: avoid; }
@media print { body { max-width: none; padding: 0; } details { display: block; } }
"""


def page(run, force=False):
    """The Output for the page of a RunFolder. (Pages had no mark at first; they are known by their colours.)"""
    return Output(run.path / NAME, "report", force=force, signs=(b"--ink: #24262b; --quiet: #6a6f78; --line: #e6e8ec",))


def write(run, scores, shown, say, force=False):
    """Write report.html into a RunFolder. scores: of the validation pictures `shown`, a PictureSet; say(text): for a picture
    that cannot be drawn. Returns its path."""
    config, rows, times = run.read_config(), table(run.path / "metrics.csv"), table(run.path / "timing.csv")
    name = run.path.resolve().name
    parts = [
        f"<h1>{_text(name)}</h1>", f'<p class="quiet">{_text(_subtitle(config))}</p>', _figures(scores, rows, times),
        _picture(run.path / "curves.png", "Curves", "Loss and accuracy over the epochs. Dots are validations on all pictures."),
        *_predictions(scores, shown, say),
        *_confusion(scores, say),
        _classes(scores),
        _picture(run.path / "filters.png", "The first layer's filters", "The kernels of conv1 as small pictures."),
        _epochs(rows, times), _settings(config),
    ]
    target = page(run, force)
    text = ('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta name="generator" content="{target.mark}">\n'
            f"<title>{_text(name)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n" + "\n".join(filter(None, parts))
            + "\n</body>\n</html>\n")
    with replacing(target, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return target.path


def table(path):
    """The rows of metrics.csv or timing.csv as dicts of numbers; none when it is not there."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    except (OSError, ValueError, TypeError):
        return []


def _text(value):
    return html.escape(str(value))


def _subtitle(config):
    settings = config["settings"]
    named = Path(settings["data"]).name if settings["data"] else settings["subset"] or "the built-in set"
    return (f"{settings['variant']} on {named}: {len(config['classes'])} classes, {config['train_pictures']:,} to train on, "
            f"{config['val_pictures']:,} to validate; device {config['device']}")


def _figures(scores, rows, times):
    seconds = sum(row["train_seconds"] + row["val_seconds"] + row.get("feature_seconds", 0) for row in times)
    rate = max((row["train_images_per_second"] for row in times), default=0)
    figures = [(f"{scores.top(1):.1%}", "top-1, best checkpoint"), (f"{scores.top(5):.1%}", "top-5"),
               (f"{scores.loss:.3f}", "validation loss"), (f"{len(rows)}", "epochs"),
               (duration(seconds) if times else "?", "training and validation"), (f"{rate:,.0f}", "images/s, fastest epoch")]
    return '<ul class="figures">' + "".join(f"<li><b>{_text(a)}</b>{_text(b)}</li>" for a, b in figures) + "</ul>"


def _picture(path, title, words):
    try:
        content = Path(path).read_bytes()
    except OSError:
        return ""
    return (f"<h2>{_text(title)}</h2><p>{_text(words)}</p>"
            f'<img alt="{_text(title)}" src="data:image/png;base64,{base64.b64encode(content).decode()}">')


def _drawn(draw, title, words, say):
    """A picture that `draw(path)` writes, and that only the page needs."""
    with tempfile.TemporaryDirectory() as place, attempt(f"{title} of {NAME}", say):
        draw(Path(place) / "picture.png")
        return _picture(Path(place) / "picture.png", title, words)
    return f"<h2>{_text(title)}</h2><p>This picture could not be drawn.</p>"


def _predictions(scores, shown, say):
    right, wrong = scores.by_confidence()
    if len(right):
        yield _drawn(lambda path: _sheet(path, scores, shown, scores.of_many_classes(right, SHOWN)), "Best predictions",
                     "Recognised, and the surest of their classes. Red: the right class.", say)
    if len(wrong):
        yield _drawn(lambda path: _sheet(path, scores, shown, wrong[:SHOWN]), "Worst predictions",
                     f"The surest of the {len(wrong):,} mistakes; the right class stands above each picture.", say)
    else:
        yield "<h2>Worst predictions</h2><p>None: every picture was recognised.</p>"


def _sheet(path, scores, shown, chosen):
    entries = [(shown.planes(int(scores.numbers[n])), name_of(scores.classes[scores.labels[n]]), scores.probabilities[n],
                int(scores.labels[n])) for n in chosen]
    predictions.sheet(path, "", "", entries, scores.classes)


def _confusion(scores, say):
    yield _drawn(lambda path: confusion.draw(path, scores), "Confusion matrix",
                 "A row for each class: what the network calls its pictures. Blue is right, red is a mistake.", say)


def _classes(scores):
    head = [("class", True), ("pictures", False), ("recognised", False), ("of what it is called, right", False),
            ("most often taken for", True)]
    rows = [(name_of(row["class"]), row["pictures"], _percent(row["recall"]), _percent(row["precision"]),
             name_of(row["mistaken_for"] or "")) for row in scores.by_class()]
    return "<h2>Classes</h2>" + _table(head, rows)


def _percent(value):
    return "" if value is None else f"{value:.0%}"


def _epochs(rows, times):
    seconds = {row["epoch"]: row for row in times}
    head = [(name, False) for name in ("epoch", "lr", "training loss", "top-1", "validation loss", "top-1", "top-5", "time",
                                       "images/s")]
    lines = []
    for row in rows:
        time = seconds.get(row["epoch"])
        lines.append((f"{row['epoch']:.0f}", f"{row['lr']:.3g}", f"{row['train_loss']:.3f}", f"{row['train_top1']:.1%}",
                      f"{row['val_loss']:.3f}", f"{row['val_top1']:.1%}", f"{row['val_top5']:.1%}",
                      duration(time["train_seconds"] + time["val_seconds"] + time.get("feature_seconds", 0)) if time else "",
                      f"{time['train_images_per_second']:.1f}" if time else ""))
    return f"<h2>Epochs</h2><details><summary>all {len(rows)}, with their times</summary>{_table(head, lines)}</details>"


def _settings(config):
    def lines(values):
        return [(name.replace("_", " "), value if isinstance(value, str) else json.dumps(value))
                for name, value in values.items()]
    rest = {name: value for name, value in config.items() if name not in ("settings", "classes") and not isinstance(value, dict)}
    versions = {f"{name} version": value for name, value in config.get("versions", {}).items()}
    parts = [_table([("setting", True), ("value", True)], lines(config["settings"])),
             _table([("run", True), ("", True)], lines(rest | versions))]
    return '<h2>Configuration</h2><div class="two">' + "".join(parts) + "</div>"


def _table(head, rows):
    kinds = [' class="text"' if text else "" for _, text in head]
    top = "".join(f"<th{kind}>{_text(name)}</th>" for (name, _), kind in zip(head, kinds))
    body = "".join("<tr>" + "".join(f"<td{kind}>{_text(cell)}</td>" for cell, kind in zip(row, kinds)) + "</tr>"
                   for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def of_trainer(trainer, say):
    """Write the report of a run that has just ended, from its best checkpoint."""
    experiment, run = trainer.experiment, trainer.record.folder

    def scores(device):
        return classifier.predict(classifier.load(run.path, device), experiment.val)

    try:
        seen = scores(trainer.device)
    except MemoryError:  # a GPU that training has filled: there is no room for a second network
        seen = scores("cpu")
    with attempt(NAME, say):  # a page of somebody's is in its place
        write(run, seen, experiment.val, say)


def of_run(path, device="cpu", say=print, force=False, seen=lambda count: None):
    """Write the report of a run folder from its best checkpoint and its pictures. Returns (path, Scores)."""
    if not Path(path).is_dir():
        raise UserError(f"there is no run folder {path}: check the path.")
    pictures.settings_of(path)  # a folder without a run is told before its missing weights
    page(folder.RunFolder(path), force).check()
    network = classifier.load(path, device)
    held_out = pictures.of_run(path, network.classes, network.size)
    if held_out.missing:
        raise UserError(f"{held_out.missing:,} of the pictures that {path} held out are no longer there: put them back. Its "
                        "report stays as it was.")
    scores = classifier.predict(network, held_out, seen=seen)
    return write(folder.RunFolder(path), scores, held_out, say, force), scores
