"""A run folder: the tables in it, its lock, and what makes a run this run.

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
import platform
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..data.names import differing
from ..data.problems import printable
from ..errors import UserError
from ..evaluation.runs import read_config
from ..evaluation.seen import fingerprint
from ..utils import marks
from ..utils.files import remove_abandoned, replacing, sync_folder
from . import checkpoint

try:
    import fcntl
except ImportError:  # Windows, where a lock would also keep others from reading
    fcntl = None  # type: ignore[assignment]

RUNS = Path("runs")
LATEST = ".minialex-latest"  # in it, the name of the run that was worked on last
LAST_WRITTEN = "report.html"
SYSTEM = ("Thumbs.db", "desktop.ini", "lost+found", "__MACOSX")  # what systems leave in folders
BUSY = "another program is training in {} at this moment: wait for its end, or stop it."
class RunFolder:
    """The files of one run; `path` is where they are."""

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.shown = str(self.path)  # what messages call it
        self.config, self.last, self.best = (self.path / name for name in (marks.CONFIG, checkpoint.LAST, checkpoint.BEST))
        self.source = self.last  # the checkpoint to go on from
        self._lock: Any = None

    def __str__(self) -> str:
        return self.shown

    def holds_run(self) -> bool:
        """Is there a run in this folder already? One that stopped before its first checkpoint may be started over."""
        return any((self.path / name).exists() for name in ("metrics.csv", checkpoint.LAST, checkpoint.BEST))

    def create(self) -> None:
        """Make the folder. Raises UserError when it cannot be made or written to."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot make the run folder {self.path}: {error.strerror}; choose another with --out.") from error
        sync_folder(self.path.absolute().parent)

    def take(self) -> None:
        """Keep other programs out until this one ends. Raises UserError when one is at work in it.

        What a killed program left half written is removed. The folder becomes the one that --resume auto means.
        """
        if not self.lock():
            raise UserError(BUSY.format(self))
        remove_abandoned(self.path)
        if self.path.absolute().parent == RUNS.absolute():
            with replacing(RUNS / LATEST, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(self.path.name)

    def lock(self) -> bool:
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

    def release(self) -> None:
        """Let others in again."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def write_config(self, settings: dict) -> None:
        """Write config.json."""
        self.write(marks.CONFIG, json.dumps(settings, indent=2) + "\n")

    def write_table(self, name: str, head: Iterable[str], rows: Iterable) -> None:
        """Write a table such as metrics.csv: its head, then rows of values."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([head, *rows])
        self.write(name, text.getvalue())

    def write(self, name: str, text: str) -> None:
        """Write a text file, whole or not at all."""
        with replacing(self.path / name, "w", encoding="utf-8", newline="") as file:
            file.write(text)


# ------------------------------------------------------------------------------------------------ which folder


def new(out: str | None, name: str) -> RunFolder:
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
    problem = "may not be written to" if there.is_dir() else "is a file" if there.exists() else "is a link to nothing"
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise UserError(f"the run folder cannot be {folder.path}, because {there} {problem}: choose another with --out.")
    return folder


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


def existing(resume: str, out: str | None = None) -> RunFolder:
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
    try:  # clocks may be wrong, so the files' times are only asked without this name
        latest = (RUNS / LATEST).read_text("utf-8", errors="surrogateescape")
    except OSError:
        latest = None
    return max(waiting, key=lambda folder: (folder.path.name == latest, os.path.getmtime(folder.path)))


def is_finished(folder: RunFolder) -> bool:
    """Does metrics.csv have a line for every epoch, and is the page about them written, which is done last?"""
    try:
        with open(folder.path / "metrics.csv", encoding="utf-8") as file:
            all_epochs = sum(1 for _ in file) > read_config(folder.path)["settings"]["epochs"]
    except (OSError, KeyError, TypeError, UserError):
        return False
    return all_epochs and (folder.path / LAST_WRITTEN).exists()


# ------------------------------------------------------------------------------------------------ what is in it


def describe(experiment: Any, device: Any) -> dict:
    """What config.json holds."""
    return {
        "settings": experiment.config.settings(),
        "classes": experiment.train.classes, "class_names": differing(experiment.train.classes),
        **fingerprint(experiment.train, experiment.val),
        "device": device.name, "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Of what computes: other versions may round in another way."""
    return {"minialex": __version__, "python": platform.python_version(), "numpy": np.__version__}
