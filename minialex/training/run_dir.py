"""A run folder: the tables in it, its lock, and what makes a run this run.

    config.json     all settings
    metrics.csv     one line per epoch, nothing that depends on the clock
    timing.csv      one line per epoch, seconds
    checkpoint-last.npz, checkpoint-best.npz

A run that is at work holds a lock on its config.json, which the operating system takes away when
the program ends, however it ends: two programs never write into one folder.
"""

import csv
import io
import itertools
import json
import os
import platform
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import __version__, own_model
from ..errors import UserError, require
from ..evaluation import runs, seen
from ..folders.names import differing
from ..folders.problems import printable
from ..utils import marks
from ..utils.files import NotWritten, held, lock, remove_abandoned, replacing, sync_folder

RUNS = Path("runs")
LATEST = ".minialex-latest"  # in it, the name of the run that was worked on last
LAST_WRITTEN = "report.html"
KEPT = ("epochs", "data", "labels", "class_names")  # settings that may change where a run goes on
SYSTEM = ("Thumbs.db", "desktop.ini", "lost+found", "__MACOSX")  # what systems leave in folders


class Epoch(NamedTuple):
    """A line of metrics.csv: losses are means over the pictures, top1 and top5 parts of 1."""

    epoch: int
    lr: float
    train_loss: float
    train_top1: float
    val_loss: float
    val_top1: float
    val_top5: float


class Timing(NamedTuple):
    """A line of timing.csv."""

    epoch: int
    train_seconds: float
    train_images_per_second: float
    val_seconds: float
    val_images: int
    feature_seconds: float = 0  # of the frozen layers' pass; older runs do not have it


def versions() -> dict[str, str]:
    """Of what computes: other versions may round in another way."""
    python, numpy = platform.python_version(), np.__version__
    return {"minialex": __version__, "python": python, "numpy": numpy}


class RunFolder:
    """The files of one run; `path` is where they are."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.shown = str(self.path)  # what messages call it
        self.config, self.last, self.best = (
            self.path / name for name in (marks.CONFIG, *marks.CHECKPOINTS))
        self.source = self.last  # the checkpoint to go on from
        self._lock: Any = None

    def __str__(self) -> str:
        return self.shown

    def holds_run(self) -> bool:
        """Is there a run in it? One that stopped before its first checkpoint may start over."""
        return any((self.path / name).exists() for name in ("metrics.csv", *marks.CHECKPOINTS))

    def begin(self, begun: Any, device: str) -> list[str]:
        """Make the folder and write what a run is (begun: a Beginning) into it, then take it.

        Returns what people must know about its pictures. Raises UserError when it cannot be made;
        then nothing of it is left.
        """
        with self._all_or_nothing():
            return self._begin(begun, device)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """What ends this block early removes what this run has made, and nothing else."""
        folders = [path for path in (self.path, *self.path.parents) if not path.exists()]
        written = [self.path / name for name in (marks.CONFIG, own_model.COPY, seen.NAME)]
        written = [path for path in written if not path.exists()]
        try:
            yield
        except BaseException:
            with held(self.path):
                ours = written if self._lock is not None else []  # else another program's
                self.release()
                for remove in (*(path.unlink for path in ours), *(path.rmdir for path in folders)):
                    with suppress(OSError):  # it was not made yet, or holds something else
                        remove()
            raise

    def _begin(self, begun: Any, device: str) -> list[str]:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot make the run folder {self.path}: {error.strerror}; choose "
                            "another with --out.") from error
        sync_folder(self.path.absolute().parent)
        classes = begun.train.classes
        config = {
            "settings": begun.config.settings(),
            "classes": classes, "class_names": differing(classes),
            **seen.fingerprint(begun.train, begun.val),
            "device": device, "versions": versions(),
        }
        with held(self.path):
            self.require_unused()  # again: reading the pictures has taken its time
            self._replace_config(config)
        if begun.own:
            begun.own.save(self.path)
        notes = seen.write(self.path, begun.train, begun.val, begun.config.init)
        self.take()
        return notes

    def go_on(self, begun: Any, device: str) -> list[str]:
        """Write what holds from here on to config.json: how many epochs, where the pictures are.

        Returns what may change the last digits of results: other libraries, another device.
        """
        before = runs.read_config(self.path)
        now = before["settings"] | {name: getattr(begun.config, name) for name in KEPT}
        if now != before["settings"]:
            with held(self.path):
                self._replace_config(before | {"settings": now})
        then = before.get("versions", {}) | {"device": before.get("device")}
        here = versions() | {"device": device}
        changed = ", ".join(f"{name} {then[name]} → {value}" for name, value in here.items()
                            if name != "python" and then.get(name, value) != value)
        said = f"{changed}: results may differ from here on in their last digits"
        return [said] if changed else []

    def take(self) -> None:
        """Keep other programs out until this one ends. Raises UserError when one is at work in it.

        What a killed program left half written is removed. The folder becomes the one that --resume
        auto means, unless it is a rehearsal's.
        """
        self.require_free()
        remove_abandoned(self.path)
        rehearsal = self.shown != str(self.path)
        if self.path.absolute().parent == RUNS.absolute() and not rehearsal:
            with (suppress(NotWritten),  # runs/ may be a class's, and only RUN the student's
                  replacing(RUNS / LATEST, "w", encoding="utf-8",
                            errors="surrogateescape") as file):
                file.write(self.path.name)

    def require_free(self) -> None:
        """Lock the folder. Raises UserError when another program has."""
        self._require(self.lock())

    def require_unused(self) -> None:
        """Raises UserError if there is a run in the folder."""
        require(not self.holds_run(), f"{self} holds a run already: go on with --resume {self}, or "
                                      "choose another folder with --out.")

    def lock(self) -> bool:
        """Lock the folder if nobody has; returns whether it is ours."""
        with held(self.path):
            return self._lock_config()

    def _require(self, free: bool) -> None:
        require(free, f"another program is training in {self} at this moment: wait for its end, "
                      "or stop it.")

    def _replace_config(self, config: dict[str, Any]) -> None:
        """Write config.json anew. The lock is on the file that goes: whoever asks meanwhile waits,
        since the folder is `held`."""
        self._require(self._lock_config())
        self.release()
        self.write_config(config)
        self._require(self._lock_config())

    def _lock_config(self) -> bool:
        if self._lock is None and os.access(self.config, os.R_OK):
            file = open(self.config, "rb")
            if not lock(file, unknown=True):
                file.close()
                return False
            self._lock = file
        return True

    def release(self) -> None:
        """Let others in again."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def write_config(self, settings: dict[str, Any]) -> None:
        """Write config.json."""
        self._write(marks.CONFIG, json.dumps(settings, indent=2) + "\n")

    def write_table(self, name: str, head: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
        """Write a table such as metrics.csv: its head, then rows of values."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([head, *rows])
        self._write(name, text.getvalue())

    def _write(self, name: str, text: str) -> None:
        with replacing(self.path / name, "w", encoding="utf-8", newline="") as file:
            file.write(text)


# ------------------------------------------------------------------------------------- which folder


def new(out: str | None, name: str) -> RunFolder:
    """The folder for a new run: `out`, or runs/<date>-<name>; it is not made yet.

    Raises UserError if it holds a run already or anything else, or if it could not be made or
    written to.
    """
    folder = RunFolder(_unused(name) if out is None else out)
    if marks.is_run(folder.path):
        folder.require_unused()
    else:
        others = list(_others(folder.path))
        named = ", ".join(map(printable, others[:3])) + ", ..." * (len(others) > 3)
        require(not others, f"{folder} holds other files ({named}) and no run: choose a new or "
                            "empty folder with --out.")
    folder.require_free()
    folder.release()  # config.json is about to be written anew
    there = nearest(folder.path)
    what = "may not be written to" if there.is_dir() else "is a file"
    require(there.is_dir() and os.access(there, os.W_OK | os.X_OK),
            f"the run folder cannot be {folder}, because {there} "
            f"{what if there.exists() else 'is a link to nothing'}: choose another with --out.")
    return folder


def _others(path: Path) -> list[str]:
    """The files in a folder that is no run's: config.json, report.html and others would go there.

    Names that begin with a dot do not count, such as .gitkeep and what systems leave everywhere.
    """
    try:
        found = sorted(os.listdir(path))
    except OSError:  # it is not there, no folder, or may not be looked into: the next check says so
        return []
    return [name for name in found if not name.startswith(".") and name not in SYSTEM]


def nearest(path: Path) -> Path:
    """What is there of a path: itself or one of the folders above it."""
    return next(place for place in [path, *path.absolute().parents] if os.path.lexists(place))


def _unused(name: str) -> Path:
    first = RUNS / f"{time.strftime('%Y-%m-%d-%H%M%S')}-{name}"
    others = (Path(f"{first}-{number}") for number in itertools.count(2))
    return next(path for path in itertools.chain([first], others) if not path.exists())


def existing(resume: str, out: str | None = None) -> RunFolder:
    """The folder that --resume means: a path to it or to a checkpoint in it, or "auto".

    "auto" is the run in `out` if that is given; otherwise the unfinished run below runs/ that was
    worked on last. Raises UserError when there is none.
    """
    if resume == "auto":
        return existing(out) if out is not None else _newest_unfinished()
    folder = RunFolder(resume)
    require(folder.path.exists(),
            f"there is no run {resume} to go on with: check the path given to --resume.")
    if folder.path.is_file():
        folder = RunFolder(folder.path.parent)
        folder.source = Path(resume)
    require(out is None or os.path.realpath(out) == os.path.realpath(folder.path),
            f"--resume {resume} goes on in its own folder, not in {out}: leave out --out, or start "
            f"a new run with --init {folder.source}.")
    there = folder.config.exists()
    what = "its config.json is not one that training wrote" if there else "there is no config.json"
    require(marks.is_run(folder.path),
            f"{resume} holds no run that could go on: {what}. Give the folder of a run.")
    return folder


def _newest_unfinished() -> RunFolder:
    found = [RunFolder(path.parent) for path in RUNS.glob("*/config.json")]
    waiting = [folder for folder in found if marks.is_run(folder.path)
               and not is_finished(folder) and folder.lock()]
    for folder in waiting:
        folder.release()
    require(waiting, f"--resume auto found no unfinished run in {RUNS.absolute()}: give the run's "
                     "folder.")
    try:  # clocks may be wrong, so the files' times are only asked without this name
        latest = (RUNS / LATEST).read_text("utf-8", errors="surrogateescape")
    except OSError:
        latest = ""
    return max(waiting, key=lambda run: (run.path.name == latest, os.path.getmtime(run.path)))


def is_finished(folder: RunFolder) -> bool:
    """Does metrics.csv have a line for every epoch, and is the page, the last file, written?"""
    try:
        rows = len(runs.rows_of(folder.path / "metrics.csv"))
        all_epochs = rows >= runs.read_config(folder.path)["settings"]["epochs"]
    except (KeyError, TypeError, UserError):
        return False
    return all_epochs and (folder.path / LAST_WRITTEN).exists()
