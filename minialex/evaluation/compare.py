"""Runs side by side: their results, the settings in which they differ, their curves in one
picture."""

import json
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..utils import console, drawing
from ..utils.progress import duration
from ..utils.table import columns, shorten
from .plots import QUIET, over_epochs, page
from .report import seconds_of
from .runs import read_config, rows_of

COLOURS = ("#33658a", "#c8553d", "#5b8e5a", "#8a5a9e", "#c99a2e", "#4aa3a2", "#9c6b4a", "#6a6f78")
PATHS = ("data", "init")  # settings that are shown by the last part of the path
COLUMNS = {  # of the table: what it is in summary(), and how it is written
    "epochs": ("epochs", str), "best top-1": ("best_top1", "{:.1%}".format),
    "in epoch": ("best_epoch", str),
    "top-5": ("top5", "{:.1%}".format), "loss": ("loss", "{:.3f}".format),
    "last top-1": ("last_top1", "{:.1%}".format),
    "training loss": ("train_loss", "{:.3f}".format), "time": ("seconds", duration),
    "images/s": ("images_per_second", lambda rate: "" if rate is None else f"{rate:.1f}"),
}

Run = dict[str, Any]


def compare(options: Namespace) -> None:
    """`minialex compare`: runs, out, force, json. Raises UserError."""
    picture = drawing.named(options.out, "comparison", "compare.png", force=options.force)
    runs = [read(path) for path in options.runs]
    if options.json:
        print(json.dumps({"runs": [summary(run) for run in runs], "differences": differences(runs),
                          "curves": str(picture)}, indent=2))
    else:
        print(*lines(runs), sep="\n")
    if drawing.drawn(picture, console.warn("minialex.compare"), draw, runs,
                     asked=options.out is not None) and not options.json:
        print(f"\ncurves: {picture}")


def read(path: str) -> Run:
    """A run as a dict: path, name, settings, metrics, timing, pictures. Raises UserError for a
    folder without results."""
    if not Path(path).is_dir():
        raise UserError(f"there is no run folder {path}: check the path.")
    config = read_config(path)
    metrics = rows_of(Path(path) / "metrics.csv")
    if not isinstance(config.get("settings"), dict):
        raise UserError(f"{path} is no run: its config.json holds no settings.")
    if not metrics:
        raise UserError(f"{path} holds no results yet: its metrics.csv has no epochs, "
                        "or lacks columns.")
    return {"path": str(path), "name": Path(path).resolve().name, "settings": config["settings"],
            "metrics": metrics, "timing": rows_of(Path(path) / "timing.csv"),
            "pictures": config.get("pictures")}


def summary(run: Run) -> dict[str, Any]:
    """A dict of a run's results: epochs, best and last top-1, its epoch, top-5 and loss there,
    seconds, images/s."""
    best, last = max(run["metrics"],
                     key=lambda row: (row["val_top1"], -row["val_loss"])), run["metrics"][-1]
    seconds = sum(map(seconds_of, run["timing"]))
    pictures = sum(row["train_seconds"] * row["train_images_per_second"] for row in run["timing"])
    training = sum(row["train_seconds"] for row in run["timing"])
    return {"run": run["name"], "epochs": len(run["metrics"]), "best_top1": best["val_top1"],
            "best_epoch": int(best["epoch"]), "top5": best["val_top5"], "loss": best["val_loss"],
            "last_top1": last["val_top1"], "train_loss": last["train_loss"], "seconds": seconds,
            "images_per_second": pictures / training if training else None}


def differences(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """{setting: [value of each run]} for the settings that are not the same in all of them."""
    names = dict.fromkeys(name for run in runs for name in run["settings"])
    values = {name: [run["settings"].get(name) for run in runs] for name in names}
    return {name: found for name, found in values.items()
            if any(value != found[0] for value in found)}


def lines(runs: Sequence[Run]) -> Iterator[str]:
    """The whole comparison as text."""
    labels = unique([run["name"] for run in runs])
    yield from columns([["run", *COLUMNS],
                        *([label, *(write(found[name]) for name, write in COLUMNS.values())]
                          for label, found in zip(labels, map(summary, runs)))])
    yield ""
    differing = differences(runs)
    if not differing:
        yield "all settings are the same"
    else:
        yield from columns([["setting", *labels],
                            *([name.replace("_", " "), *(_value(name, v) for v in values)]
                              for name, values in differing.items())])
    if len({run["pictures"] for run in runs}) > 1:
        yield ("note: these runs were not trained and validated on the same pictures, "
               "so their figures do not compare")


def unique(names: Sequence[str]) -> list[str]:
    """The names, numbered where one comes twice."""
    return [name if names.count(name) == 1 else f"{name} ({names[:place].count(name) + 1})"
            for place, name in enumerate(names)]


def _value(name, value):
    # a network of the user's own: its file may have changed between the runs
    if name == "model" and value:
        return f"{Path(value['file']).name}:{value['name']} ({value['sha256'][:8]})"
    if name in PATHS and isinstance(value, str):
        return Path(value).name
    return value if isinstance(value, str) else json.dumps(value)


def draw(path: Any, runs: Sequence[Run]) -> None:
    """Write a PNG of the runs' validation loss and top-1 (lines), with what they reach on the
    training pictures (dotted)."""
    room = 4.4 + 0.18 * len(runs)
    with page(path, 11, room) as paper:
        axes = paper.canvas.subplots(1, 2)
        for number, (run, label) in enumerate(zip(runs, unique([run["name"] for run in runs]))):
            look = {"color": COLOURS[number % len(COLOURS)],
                    "marker": "o" if len(run["metrics"]) == 1 else ""}
            for one, name in zip(axes, ("loss", "top1")):
                epochs, val, train = zip(*((row["epoch"], row[f"val_{name}"], row[f"train_{name}"])
                                           for row in run["metrics"]))
                one.plot(epochs, val, linewidth=1.8, label=shorten(label, 60), **look)
                one.plot(epochs, train, linewidth=1, linestyle=(0, (1, 2)), alpha=0.8, **look)
        over_epochs(axes[0], "loss", 10)
        axes[0].set_ylim(bottom=0)
        over_epochs(axes[1], "top-1", 10, percent=True)
        paper.canvas.subplots_adjust(left=0.05, right=0.98, top=0.9,
                                     bottom=(0.5 + 0.2 * len(runs)) / room + 0.06, wspace=0.14)
        paper.canvas.legend(*axes[0].get_legend_handles_labels(), loc="lower left",
                            bbox_to_anchor=(0.04, 0), frameon=False, fontsize=8.5)
        paper.text(10.78, room - 0.2, "lines: validation; dotted: training", color=QUIET,
                   ha="right")
