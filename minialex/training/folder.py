"""A run folder and the tables in it.

    config.json   all settings        metrics.csv   one line per epoch, nothing that depends on the clock
    checkpoint-last.npz, checkpoint-best.npz        timing.csv    one line per epoch, seconds

A run that is at work holds a lock on its config.json, which the operating system takes away when the program ends, however
it ends: two programs never write into one folder.
"""

import csv
import io
import itertools
import json
import os
import time
from pathlib import Path

from ..data.pictures import printable
from ..errors import UserError
from ..utils import marks
from ..utils.files import remove_abandoned, replacing, sync_folder
from . import checkpoint

try:
    import fcntl
except ImportError:  # Windows, where a lock would also keep others from reading
    fcntl = None

RUNS = Path("runs")
LATEST = ".minialex-latest"  # in it, the name of the run that was worked on last
LAST_WRITTEN = "report.html"
SYSTEM = ("Thumbs.db", "desktop.ini", "lost+found", "__MACOSX")  # what systems leave in folders
BUSY = "another program is training in {} at this moment: wait for its end, or stop it."
METRICS = ("epoch", "lr", "train_loss", "train_top1", "val_loss", "val_top1", "val_top5")
TIMING = ("epoch", "train_seconds", "train_images_per_second", "val_seconds", "val_images", "feature_seconds")


class RunFolder:
    """The files of one run; `path` is where they are."""

    def __init__(self, path):
        self.path = Path(path)
        self.source = self.last  # the checkpoint to go on from
        self.shown = str(self.path)  # what messages call it
        self._lock = None

    def __str__(self):
        return self.shown

    @property
    def config(self):
        return self.path / marks.CONFIG

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
        sync_folder(self.path.absolute().parent)

    def take(self):
        """Keep other programs out until this one ends. Raises UserError when one is at work in it.

        What a killed program left half written is removed. The folder becomes the one that --resume auto means.
        """
        if not self.lock():
            raise UserError(BUSY.format(self))
        remove_abandoned(self.path)
        if self.path.absolute().parent == RUNS.absolute():
            with replacing(RUNS / LATEST, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(self.path.name)

    def lock(self):
        """Lock the folder if nobody has; returns whether it is ours. Where there are no locks, it always is."""
        if fcntl is None or self._lock is not None:
            return True
        try:
            file = open(self.config, "rb")
        except OSError:
            return True
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        except OSError:  # a network file system without locks
            pass
        self._lock = file
        return True

    def release(self):
        """Let others in again."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def write_config(self, settings):
        """Write config.json."""
        self._write(marks.CONFIG, json.dumps(settings, indent=2) + "\n")

    def read_config(self):
        """What write_config wrote. Raises UserError when it is not there or damaged."""
        path = self.config
        try:
            config = json.loads(path.read_text("utf-8"))
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror or error}.") from error
        except ValueError as error:
            raise UserError(f"cannot read {path}: {error}.") from error
        if not isinstance(config, dict):
            raise UserError(f"{path} is not the config.json of a run: it holds a {type(config).__name__} instead of settings.")
        return config

    def write_metrics(self, history):
        """Write metrics.csv: a list of rows, each with the values of METRICS."""
        self._write("metrics.csv", _table(METRICS, map(_metrics_row, history)))

    def write_timing(self, rows):
        """Write timing.csv: a list of rows, each with the values of TIMING; those of older runs end before the last."""
        filled = ([*row, *[0] * (len(TIMING) - len(row))] for row in rows)
        self._write("timing.csv", _table(TIMING, ([row[0], *(round(value, 3) for value in row[1:])] for row in filled)))

    def _write(self, name, text):
        with replacing(self.path / name, "w", encoding="utf-8", newline="") as file:
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

    Raises UserError if it holds a run already or anything else, or if it could not be made or written to.
    """
    folder = RunFolder(_unused(name) if out is None else out)
    if not marks.is_run(folder.path):
        _check_empty(folder.path)
    elif folder.holds_run():
        raise UserError(f"{out} holds a run already: go on with --resume {out}, or choose another folder with --out.")
    if not folder.lock():
        raise UserError(BUSY.format(folder))
    folder.release()  # config.json is about to be written anew
    there = next(path for path in [folder.path, *folder.path.absolute().parents] if os.path.lexists(path))
    problem = _problem(there)
    if problem:
        raise UserError(f"the run folder cannot be {folder.path}, because {there} {problem}: choose another with --out.")
    return folder


def _problem(path):
    """Why no folder can be made in this place; "" when it can."""
    if not path.is_dir():
        return "is a file" if path.exists() else "is a link to nothing"
    return "" if os.access(path, os.W_OK | os.X_OK) else "may not be written to"


def _check_empty(path):
    """Raise UserError when a folder that is no run's holds files: a run writes config.json, report.html and others into it.

    Names that begin with a dot do not count, such as .gitkeep and what systems leave in every folder.
    """
    try:
        found = sorted(name for name in os.listdir(path) if not name.startswith(".") and name not in SYSTEM)
    except OSError:  # it is not there, no folder, or may not be looked into: the next check says so
        return
    if found:
        names = ", ".join(map(printable, found[:3])) + (", ..." if len(found) > 3 else "")
        raise UserError(f"{path} holds other files ({names}) and no run: choose a new or empty folder with --out.")


def _unused(name):
    first = RUNS / f"{time.strftime('%Y-%m-%d-%H%M%S')}-{name}"
    names = (first if number == 1 else Path(f"{first}-{number}") for number in itertools.count(1))
    return next(path for path in names if not path.exists())


def existing(resume, out=None):
    """The folder that --resume means: a path to it or to a checkpoint in it, or "auto".

    "auto" is the run in `out` if that is given; otherwise the unfinished run below runs/ that was worked on last.
    Raises UserError when there is none.
    """
    if resume == "auto":
        return existing(out) if out is not None else _newest_unfinished()
    folder = RunFolder(resume)
    if not folder.path.exists():
        raise UserError(f"there is no run {resume} to go on with: check the path given to --resume.")
    if folder.path.is_file():
        folder = RunFolder(folder.path.parent)
        folder.source = Path(resume)
    if out is not None and os.path.realpath(out) != os.path.realpath(folder.path):
        raise UserError(f"--resume {resume} goes on in its own folder, not in {out}: leave out --out, or start a new run with "
                        f"--init {folder.source}.")
    if not marks.is_run(folder.path):
        what = "its config.json is not one that training wrote" if folder.config.exists() else "there is no config.json"
        raise UserError(f"{resume} holds no run that could go on: {what}. Give the folder of a run.")
    return folder


def _newest_unfinished():
    waiting = [RunFolder(path.parent) for path in RUNS.glob("*/config.json") if marks.is_run(path.parent)]
    waiting = [folder for folder in waiting if not is_finished(folder) and folder.lock()]
    for folder in waiting:
        folder.release()
    if not waiting:
        raise UserError(f"--resume auto found no unfinished run in {RUNS.absolute()}: give the run's folder.")
    return max(waiting, key=lambda folder: (folder.path.name == _latest(), os.path.getmtime(folder.path)))


def _latest():
    """The run that was begun or gone on with last. Clocks may be wrong, so the files' times are only asked without it."""
    try:
        return (RUNS / LATEST).read_text("utf-8", errors="surrogateescape")
    except OSError:
        return None


def is_finished(folder):
    """Does metrics.csv have a line for every epoch, and is the page about them written, which is done last?"""
    try:
        with open(folder.path / "metrics.csv", encoding="utf-8") as file:
            all_epochs = sum(1 for _ in file) > folder.read_config()["settings"]["epochs"]
    except (OSError, KeyError, TypeError, UserError):
        return False
    return all_epochs and (folder.path / LAST_WRITTEN).exists()
