"""Which pictures a run has learnt from, which it held out, and so which may be counted.

    pictures.csv    part (train, val, before), class, name within the folder of pictures, content

Written when a run starts. A picture is known by its name in that folder and by its content, so that it is known again when the
folder is moved, packed, divided in another way, or has got more pictures. "before" are those that the network learnt from
whose weights --init named. Older runs have no list: theirs follows from their settings, while their pictures are unchanged.
"""

import csv
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import data
from ..data import Picture
from ..data.threads import ahead
from ..errors import UserError
from ..utils.files import replacing
from . import own_model
from .config import picture_size
from .run_dir import RunFolder, check_same_pictures, other_classes

NAME = "pictures.csv"
HEAD = ("part", "class", "name", "content")
LOOKED_INTO = 100_000  # pictures; those of larger sets are known by their names alone: to open each of them takes too long
BLOCK = 1 << 14  # bytes at the beginning, in the middle and at the end of a file

Place = str | os.PathLike[str]
Row = tuple[str, ...]  # of pictures.csv


def content(path: Place) -> str:
    """A few letters for what a file holds: its size and a checksum, for large files of three parts. "": it cannot be read."""
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            checksum = 0
            for start, length in ((0, BLOCK), (size // 2, BLOCK), (size - BLOCK, BLOCK)) if size > 3 * BLOCK else ((0, -1),):
                file.seek(start)
                checksum = zlib.crc32(file.read(length), checksum)
            return f"{size:x}-{checksum:08x}"
    except OSError:
        return ""


def rows_of(train: data.PictureSet, val: data.PictureSet) -> Iterator[Row]:
    """Rows of pictures.csv for two PictureSets."""
    few = len(train) + len(val) <= LOOKED_INTO
    for part, pictures in (("train", train), ("val", val)):
        contents = ahead(content, pictures.paths, 2) if few else [""] * len(pictures)
        for label, name, found in zip(pictures.labels.tolist(), pictures.names, contents):
            yield part, pictures.classes[label], name.replace(os.sep, "/"), found


def write(folder: Place, train: data.PictureSet, val: data.PictureSet, init: str) -> None:
    """Write pictures.csv into a run's folder. init: the weights that the run begins with, perhaps another run's."""
    run = owner(init)
    before = Seen.of_run(run) if run else None
    learnt = [("before", *row[1:]) for row in before.rows if row[0] != "val"] if before else []
    with replacing(Path(folder, NAME), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows([*rows_of(train, val), *learnt])


def owner(path: Place) -> Path | None:
    """The run that a path means: a run's folder, or the one in which a checkpoint lies. None for any other file."""
    path = Path(path)
    folder = path if path.is_dir() else path.parent if path.name.startswith("checkpoint-") else None
    return folder if folder is not None and (folder / "config.json").is_file() else None


def own_model_of(path: Place, variant: str) -> own_model.OwnModel:
    """The network, written by a user, that the weights in a run were learnt by. Raises UserError for weights elsewhere."""
    run = owner(path)
    if run is None:
        raise UserError(f"{path} holds weights of {variant}, a network that a user has written: give the folder of its run, "
                        "which keeps the network's program, or to train on, name it with --model.")
    return own_model.of_run(run, settings_of(run).get("model"))


class Seen:
    """What a run has seen. rows: as in pictures.csv."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.names: dict[str, tuple[str, str]] = {}
        self.contents: dict[str, str] = {}
        self.ends: dict[tuple[str, str], str] = {}
        for part, label, name, found in rows:
            if part != "before":
                self.names[name] = part, found
            self._learnt(self.contents, found, part)
            self._learnt(self.ends, (label, name.rpartition("/")[2]), part)
        self.contents.pop("", None)
        self.before = {(label, found) for part, label, _, found in rows if part == "before" and found}

    @staticmethod
    def _learnt(where: dict[Any, str], key: Any, part: str) -> None:
        where[key] = "val" if part == "val" and where.get(key, "val") == "val" else "train"

    @classmethod
    def of_run(cls, folder: Place) -> "Seen | None":
        """Of a run's folder; None where it cannot be known any more. Raises UserError for a damaged list."""
        path = Path(folder, NAME)
        try:
            with open(path, encoding="utf-8", newline="") as file:
                head, *rows = map(tuple, csv.reader(file))
        except FileNotFoundError:
            return cls._of_settings(RunFolder(folder))
        except (OSError, ValueError, csv.Error) as error:
            raise UserError(f"cannot read {path}: {error}.") from error
        if head != HEAD or any(len(row) != len(HEAD) for row in rows):
            raise UserError(f"{path} is damaged: it needs the columns {', '.join(HEAD)}.")
        return cls(rows)

    @classmethod
    def _of_settings(cls, run: RunFolder) -> "Seen | None":
        """Of a run without a list, if its pictures are still the same."""
        try:
            settings = settings_of(run.path)
            train, val = data.open_data(settings["data"], settings["subset"], labels=settings.get("labels"), progress=False,
                                        report=None, val_fraction=settings["val_fraction"], size=picture_size(settings))
            check_same_pictures(run, train, val)
        except UserError:
            return None
        return cls(list(rows_of(train, val)))

    def part(self, picture: Picture, own: bool) -> str | None:
        """ "train", "val", or None for a data.Picture that the run has not seen. What was learnt anywhere counts as train.

        own: it lies in the run's own folder, where a name stays the same picture's also if its file is written anew.
        """
        found = content(picture.path) if picture.is_file else ""
        if (picture.label, found) in self.before:
            return "train"
        part, known = self.names.get(picture.name, (None, ""))
        if part and (not known or not found or known == found):
            return part
        if part and own:
            return self.contents.get(found, part)
        if found and self.contents:
            return self.contents.get(found)
        return self.ends.get((picture.label, picture.name.rpartition("/")[2]))


def settings_of(run: Place) -> dict[str, Any]:
    """The settings in a run's config.json. Raises UserError where there is none."""
    if not Path(run).is_dir():
        raise UserError(f"{run} does not say with which pictures it was trained: give them with --data DIR.")
    try:
        return dict(RunFolder(run).read_config()["settings"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{run} holds no config.json of a run: give the pictures with --data DIR.") from error


@dataclass
class Chosen:
    """Pictures for a network to judge, as a PictureSet. labels: numbers of the network's classes.

    part: which; learnt: how many of them the network has learnt from, None where nobody knows; missing: how many of the pictures
    that the run held out are not there; notes: sentences about what was left out, or is not known.
    """

    pictures: list[Picture]
    labels: np.ndarray
    classes: list[str]
    part: str = "all"
    learnt: int | None = 0
    missing: int = 0
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.pictures)

    def planes(self, index: int) -> np.ndarray:
        """uint8 (3, size, size), as PictureSet has it."""
        picture = self.pictures[index]
        return picture.source.planes(picture.index)

    @property
    def names(self) -> list[str]:
        return [picture.name for picture in self.pictures]

    @property
    def paths(self) -> list[str]:
        return [picture.path for picture in self.pictures]


def of_run(run: Place, classes: Sequence[str], size: int, part: str = "val", whole: list[Picture] | None = None) -> Chosen:
    """A part of a run's own pictures, "train", "val", "test" or "all", as it divided them: a Chosen. classes: the network's.

    whole: its pictures, if they are open already. Raises UserError when the classes have changed since.
    """
    settings = settings_of(run)
    whole = whole or open_of(settings, size)
    where = settings["data"] or "the built-in set"
    here = sorted({picture.label for picture in whole if picture.part in ("train", "all")} or {p.label for p in whole})
    new = [name for name in here if name not in classes] if settings.get("subset") is None else []
    gone = [name for name in classes if name not in here]
    if new or gone:
        raise UserError(other_classes(run, where, new, gone))
    seen = Seen.of_run(run)
    if seen is None and part in ("train", "val"):
        raise UserError(f"the pictures in {where} have changed since {run} was trained, and a run of its age keeps no list of "
                        "those it held out: put them back, or score all of them with --part all.")
    return choose(run, whole, classes, seen, part, own=True)


def of_data(path: Place, whole: list[Picture], where: Place | None, classes: Sequence[str], part: str | None = None) -> Chosen:
    """The Chosen of a part of the pictures `whole` of a folder `where` (None: a built-in set) for a run or a file of weights."""
    run = owner(path)
    seen = Seen.of_run(run) if run else None
    learnt_at = settings_of(run).get("data") if run else None
    same = where is not None and learnt_at is not None and os.path.realpath(where) == os.path.realpath(learnt_at)
    return choose(path, whole, classes, seen, part, same and seen is not None)


def open_of(settings: dict[str, Any], size: int) -> list[Picture]:
    """All pictures of the folder that a run was trained on, in which it chose its own."""
    subset = settings.get("subset") if settings["data"] is None else None
    if subset is not None and subset != "imagenette":
        subset = ""
    return data.open_whole(settings["data"], subset, settings.get("labels"), size=size, tell=False)


def choose(run: Place, whole: list[Picture], classes: Sequence[str], seen: Seen | None, part: str | None = None,
           own: bool = False) -> Chosen:
    """The Chosen of a part of any pictures. seen: a Seen, or None where nobody knows; own: they are the run's.

    part None: those held out where these are the run's pictures, else all that it has not learnt from.
    Raises UserError when nothing is left.
    """
    status = [seen.part(picture, own) if seen else None for picture in whole]
    held_out = sum(row[0] == "val" for row in seen.rows) if seen else 0
    found = status.count("val")
    own = own or found > 0 and 2 * found >= held_out
    notes = []
    if part is None:
        part = "val" if own else "all"
        keep = [s == "val" if own else s != "train" for s in status]
        if not own and "train" in status:
            notes.append(f"{status.count('train'):,} pictures are left out, since {run} has learnt from them")
    elif part == "all":
        keep = [True] * len(whole)
    elif part in ("train", "val") and (own or all(picture.part == "all" for picture in whole)):
        keep = [s == part for s in status]
    else:
        keep = [picture.part == part and (part == "train" or s != "train") for picture, s in zip(whole, status)]
    missing = held_out - found if own and part == "val" else 0
    if missing:
        notes.append(f"{missing:,} of the {held_out:,} pictures that {run} held out are not here")
    if own and part == "val" and None in status:
        notes.append(f"{status.count(None):,} pictures are new since {run} was trained: --part all counts them too")
    chosen = [picture for picture, kept in zip(whole, keep) if kept]
    learnt: int | None = sum(kept and s == "train" for s, kept in zip(status, keep))
    if not chosen:
        raise UserError(_why_none(run, whole, status, part))
    if seen is None:
        notes.append(f"{run} does not say which pictures it has learnt from: some of these may be among them")
        learnt = None
    elif part == "all" and learnt:
        notes.append(f"{run} has learnt from {learnt:,} of these pictures")
    return Chosen(chosen, _labels(run, chosen, classes), list(classes), part, learnt, missing, notes)


def _why_none(run: Place, whole: list[Picture], status: list[str | None], part: str) -> str:
    if part in ("train", "val", "test") and not any(picture.part == part for picture in whole):
        there = ", ".join(sorted({picture.part for picture in whole} - {"all"}))
        return (f"there is no part {part} among these pictures, which have {f'the parts {there}' if there else 'no parts'}: "
                "--part all takes all of them.")
    return (f"{run} has learnt from {status.count('train'):,} of these {len(whole):,} pictures, and none is left to score: "
            "--part train scores those that it has learnt from, --part all takes all.")


def _labels(run: Place, chosen: list[Picture], classes: Sequence[str]) -> np.ndarray:
    numbers = {name: number for number, name in enumerate(classes)}
    unknown = sorted({picture.label for picture in chosen} - set(numbers))
    if unknown:
        here = sorted({picture.label for picture in chosen})
        raise UserError(f"{run} knows {_some(classes)}, these pictures are of {_some(here)}: give the pictures that it was "
                        "trained with, or --classes FILE with the names of its classes.")
    return np.array([numbers[picture.label] for picture in chosen], dtype=np.int64)


def _some(classes: Sequence[str]) -> str:
    """How many classes, and the first of them."""
    return f"{len(classes)} classes ({', '.join(classes[:4])}{', ...' if len(classes) > 4 else ''})"
