"""Runs side by side: their results, the settings in which they differ, their curves in one picture."""

import json
from pathlib import Path

from ..errors import UserError
from ..utils.progress import duration
from . import report, style
from .folder import RunFolder

COLOURS = ("#33658a", "#c8553d", "#5b8e5a", "#8a5a9e", "#c99a2e", "#4aa3a2", "#9c6b4a", "#6a6f78")
PATHS = ("data", "init")  # settings that are shown by the last part of the path


def read(path):
    """A run as a dict: name, settings, metrics, timing. Raises UserError when the folder holds no run with results."""
    if not Path(path).is_dir():
        raise UserError(f"there is no run folder {path}: check the path.")
    config = RunFolder(path).read_config()
    metrics = report.table(Path(path) / "metrics.csv")
    if not isinstance(config.get("settings"), dict) or not metrics:
        raise UserError(f"{path} holds no results yet: its metrics.csv has no epochs.")
    return {"path": str(path), "name": Path(path).resolve().name, "settings": config["settings"], "metrics": metrics,
            "timing": report.table(Path(path) / "timing.csv"), "pictures": config.get("pictures")}


def summary(run):
    """A dict of a run's results: epochs, best and last top-1, its epoch, top-5 and loss there, seconds, images/s."""
    best = max(run["metrics"], key=lambda row: (row["val_top1"], -row["val_loss"]))
    seconds = sum(row["train_seconds"] + row["val_seconds"] + row.get("feature_seconds", 0) for row in run["timing"])
    pictures = sum(row["train_seconds"] * row["train_images_per_second"] for row in run["timing"])
    training = sum(row["train_seconds"] for row in run["timing"])
    return {"run": run["name"], "epochs": len(run["metrics"]), "best_top1": best["val_top1"], "best_epoch": int(best["epoch"]),
            "top5": best["val_top5"], "loss": best["val_loss"], "last_top1": run["metrics"][-1]["val_top1"],
            "train_loss": run["metrics"][-1]["train_loss"], "seconds": seconds,
            "images_per_second": pictures / training if training else None}


def differences(runs):
    """{setting: [value of each run]} for the settings that are not the same in all of them."""
    names = list(dict.fromkeys(name for run in runs for name in run["settings"]))
    values = {name: [run["settings"].get(name) for run in runs] for name in names}
    return {name: found for name, found in values.items() if any(value != found[0] for value in found)}


def lines(runs):
    """The whole comparison as text."""
    labels = unique([run["name"] for run in runs])
    heads = ["run", "epochs", "best top-1", "in epoch", "top-5", "loss", "last top-1", "training loss", "time", "images/s"]
    rows = []
    for label, found in zip(labels, map(summary, runs)):
        rate = found["images_per_second"]
        rows.append([label, str(found["epochs"]), f"{found['best_top1']:.1%}", str(found["best_epoch"]), f"{found['top5']:.1%}",
                     f"{found['loss']:.3f}", f"{found['last_top1']:.1%}", f"{found['train_loss']:.3f}",
                     duration(found["seconds"]), "" if rate is None else f"{rate:.1f}"])
    yield from _table([heads, *rows])
    yield ""
    differing = differences(runs)
    if not differing:
        yield "all settings are the same"
    else:
        yield from _table([["setting", *labels], *([name.replace("_", " "), *(_value(name, v) for v in values)]
                                                   for name, values in differing.items())])
    if len({run["pictures"] for run in runs}) > 1:
        yield "note: these runs were not trained and validated on the same pictures, so their figures do not compare"


def unique(names):
    """The names, numbered where one comes twice."""
    return [name if names.count(name) == 1 else f"{name} ({names[:place].count(name) + 1})" for place, name in enumerate(names)]


def _value(name, value):
    if name in PATHS and isinstance(value, str):
        return Path(value).name
    return value if isinstance(value, str) else json.dumps(value)


def _table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                        for column, (cell, width) in enumerate(zip(row, widths))).rstrip()


def draw(path, runs):
    """Write a PNG of the runs' validation loss and top-1 (lines), with what they reach on the training pictures (dotted)."""
    labels = unique([run["name"] for run in runs])
    with style.figure(path, 11, 4.4 + 0.18 * len(runs)) as drawing:
        axes = drawing.subplots(1, 2)
        for one, title in zip(axes, ("loss", "top-1")):
            one.set_title(title, pad=10)
            one.set_xlabel("epoch")
            one.grid(axis="y", color="#eceef1", linewidth=0.8)
            one.xaxis.get_major_locator().set_params(integer=True)
        for number, (run, label) in enumerate(zip(runs, labels)):
            colour = COLOURS[number % len(COLOURS)]
            epochs = [row["epoch"] for row in run["metrics"]]
            marker = "o" if len(epochs) == 1 else ""
            for one, name in zip(axes, ("loss", "top1")):
                one.plot(epochs, [row[f"val_{name}"] for row in run["metrics"]], color=colour, linewidth=1.8, marker=marker,
                         label=style.shorten(label, 60))
                one.plot(epochs, [row[f"train_{name}"] for row in run["metrics"]], color=colour, linewidth=1, marker=marker,
                         linestyle=(0, (1, 2)), alpha=0.8)
        axes[0].set_ylim(bottom=0)
        axes[1].set_ylim(0, 1.02)
        axes[1].yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        height = (0.5 + 0.2 * len(runs)) / (4.4 + 0.18 * len(runs))
        drawing.subplots_adjust(left=0.05, right=0.98, top=0.9, bottom=height + 0.06, wspace=0.14)
        drawing.legend(*axes[0].get_legend_handles_labels(), loc="lower left", bbox_to_anchor=(0.04, 0), frameon=False,
                       fontsize=8.5)
        drawing.text(0.98, 0.03, "lines: validation; dotted: training", ha="right", fontsize=8.5, color=style.QUIET)
