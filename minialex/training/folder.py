"""A run folder and the tables in it.

    config.json   all settings        metrics.csv   one line per epoch, nothing that depends on the clock
    checkpoint-last.npz, checkpoint-best.npz        timing.csv    one line per epoch, seconds
"""

import csv
import io
import itertools
import json
import os
import time
from pathlib import Path

from ..errors import UserError
from . import checkpoint

RUNS = Path("runs")
METRICS = ("epoch", "lr", "train_loss", "train_top1", "val_loss", "val_top1", "val_top5")
TIMING = ("epoch", "train_seconds", "train_images_per_second", "val_seconds", "val_images")


class RunFolder:
    """The files of one run; `path` is where they are."""

    def __init__(self, path):
        self.path = Path(path)

    def __str__(self):
        return str(self.path)

    @property
    def last(self):
        return self.path / checkpoint.LAST

    @property
    def best(self):
        return self.path / checkpoint.BEST

    def holds_run(self):
        """Is there a run in this folder already? One that stopped before its first checkpoint may be started over."""
        return any((self.path / name).exists() for name in ("metrics.csv", checkpoint.LAST, checkpoint.BEST))

    def create(self):
        """Make the folder. Raises UserError when it cannot be made or written to."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot make the run folder {self.path}: {error.strerror}; choose another with --out.") from error

    def write_config(self, settings):
        """Write config.json."""
        self._write("config.json", json.dumps(settings, indent=2) + "\n")

    def read_config(self):
        """What write_config wrote. Raises UserError when it is not there or damaged."""
        try:
            return json.loads((self.path / "config.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"cannot read {self.path / 'config.json'}: {error}.") from error

    def write_metrics(self, history):
        """Write metrics.csv: a list of rows, each with the values of METRICS."""
        self._write("metrics.csv", _table(METRICS, map(_metrics_row, history)))

    def write_timing(self, rows):
        """Write timing.csv: a list of rows, each with the values of TIMING."""
        self._write("timing.csv", _table(TIMING, ([row[0], *(round(value, 3) for value in row[1:])] for row in rows)))

    def _write(self, name, text):
        with checkpoint.replacing(self.path / name, "w", encoding="utf-8", newline="") as file:
            file.write(text)


def _table(head, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _metrics_row(row):
    epoch, lr, *numbers = row
    return [epoch, f"{lr:.6g}", *(f"{number:.6f}" for number in numbers)]


def new(out, name):
    """The folder for a new run: `out`, or runs/<date>-<name>; it is not made yet.

    Raises UserError if it holds a run already, or if it could not be made or written to.
    """
    folder = RunFolder(_unused(name) if out is None else out)
    if folder.holds_run():
        raise UserError(f"{out} holds a run already: go on with --resume {out}, or choose another folder with --out.")
    there = next(path for path in [folder.path, *folder.path.absolute().parents] if os.path.lexists(path))
    problem = "is a file" if not there.is_dir() else "" if os.access(there, os.W_OK | os.X_OK) else "may not be written to"
    if problem:
        raise UserError(f"the run folder cannot be {folder.path}, because {there} {problem}: choose another with --out.")
    return folder


def _unused(name):
    first = RUNS / f"{time.strftime('%Y-%m-%d-%H%M%S')}-{name}"
    names = (first if number == 1 else Path(f"{first}-{number}") for number in itertools.count(1))
    return next(path for path in names if not path.exists())


def existing(resume):
    """The folder that --resume means: a path, or "auto" for the newest run below runs/ that is not finished.

    Raises UserError when there is none.
    """
    if resume != "auto":
        folder = RunFolder(resume)
        if not folder.path.exists():
            raise UserError(f"there is no run {resume} to go on with: check the path given to --resume.")
        if not folder.last.exists() and (folder.path / "config.json").exists():
            raise UserError(f"the run {resume} stopped before it had saved a checkpoint: start it again, with --out {resume}.")
        if not folder.last.exists():
            raise UserError(f"{resume} holds no {checkpoint.LAST} to go on from: give the folder of a run that has saved one.")
        return folder
    waiting = [RunFolder(path.parent) for path in RUNS.glob(f"*/{checkpoint.LAST}")]
    waiting = [folder for folder in waiting if not is_finished(folder)]
    if not waiting:
        raise UserError(f"--resume auto found no unfinished run in {RUNS.absolute()}: give the run's folder.")
    return max(waiting, key=lambda folder: os.path.getmtime(folder.last))


def is_finished(folder):
    """Does metrics.csv have a line for every epoch?"""
    try:
        with open(folder.path / "metrics.csv", encoding="utf-8") as file:
            return sum(1 for _ in file) > folder.read_config()["settings"]["epochs"]
    except (OSError, KeyError, TypeError, UserError):
        return False
