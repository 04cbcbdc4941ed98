"""Which pictures a run has seen: pictures.csv in its folder.

    part (train, val, before), class, name within the folder of pictures, content

Written when a run starts. A picture is known by its name in that folder and by its content, so that
it is known again when the folder is moved, packed, divided in another way, or has got more
pictures. "before" are those that the network learnt from whose weights --init named. Older runs
have no list: theirs follows from their settings, while their pictures are unchanged.
"""

import csv
import hashlib
import os
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import data
from ..data import Picture
from ..data.pictures import planes_of
from ..data.transforms import luminance
from ..errors import UserError
from ..utils.ahead import ahead
from ..utils.files import replacing
from ..utils.marks import CHECKPOINTS
from .runs import Place, owner, picture_size, read_config, settings_of

NAME = "pictures.csv"
HEAD = ("part", "class", "name", "content")
# pictures; those of larger sets are known by their names alone: to open each of them takes too long
LOOKED_INTO = 100_000
SAMPLED = 1000  # pictures of each part that are looked into when a run goes on
LOOK, ALIKE = 32, 0.97  # pixels a side, and the correlation from which on two pictures are the same
BLOCK = 1 << 14  # bytes at the beginning, in the middle and at the end of a file

Row = tuple[str, ...]  # of pictures.csv


def content(path: Place) -> str:
    """A few letters for what a file holds: its size and a checksum, for large files of three parts.
    "": it cannot be read."""
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            checksum = 0
            for start, length in ((0, BLOCK), (size // 2, BLOCK),
                                  (size - BLOCK, BLOCK)) if size > 3 * BLOCK else ((0, -1),):
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


def copies(rows: Iterable[Row]) -> dict[str, str]:
    """{name held out: name learnt from} of pictures in both parts, as in a val/ that is a link to
    train/: by their content."""
    learnt = {found: name for part, _, name, found in rows if part == "train" and found}
    return {name: learnt[found] for part, _, name, found in rows if part == "val"
            and found in learnt}


def write(folder: Place, train: data.PictureSet, val: data.PictureSet, init: str) -> list[str]:
    """Write pictures.csv into a run's folder. init: the weights that the run begins with, perhaps
    another run's. Returns what people must know about the pictures, in sentences."""
    rows = list(rows_of(train, val))
    run = owner(init)
    before = Seen.of_run(run) if run else None
    learnt = [("before", *row[1:]) for row in before.rows if row[0] != "val"] if before else []
    with replacing(Path(folder, NAME), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows([*rows, *learnt])
    return list(_doubts(rows, train.classes))


def _doubts(rows: list[Row], classes: Sequence[str]) -> Iterator[str]:
    """What speaks against a run's pictures, in sentences."""
    both = copies(rows)
    for held_out, name in list(both.items())[:1]:
        yield (f"{len(both):,} of the {sum(row[0] == 'val' for row in rows):,} validation pictures "
               f"are also among those to train on, such as {held_out}, which is {name}: "
               "the accuracy says too much")
    labelled: dict[str, dict[str, str]] = {}
    for _, label, name, found in rows:
        labelled.setdefault(found or name, {}).setdefault(label, name)
    several = [list(names.values()) for names in labelled.values() if len(names) > 1]
    for first, second, *_ in several[:1]:
        yield (f"{len(several):,} pictures lie in several classes, such as {first}, which is "
               f"{second}: one of the two teaches a mistake")
    alike: dict[str, list[str]] = {}
    for name in classes:
        alike.setdefault(re.sub(r"[\W_]+", "", name.casefold()) or name, []).append(name)
    for names in (names for names in alike.values() if len(names) > 1):
        yield f"{' and '.join(names)} are {len(names)} classes: if they are one, give them one name"


class Seen:
    """What a run has seen. rows: as in pictures.csv; root: the folder of its pictures, or None."""

    def __init__(self, rows: list[Row], root: Place | None = None) -> None:
        self.root, self.stems = root, {os.path.splitext(name)[0]: name for part, _, name, _ in rows
                                       if part != "before"}
        self.rows, self.copies = rows, copies(rows)
        self.read: dict[str, str] = {}  # {path: content}
        self.names = {name: (part, found) for part, _, name, found in rows if part != "before"}
        self.contents = _parts((found, part) for part, _, _, found in rows if found)
        self.ends = _parts(((label, name.rpartition("/")[2]), part)
                           for part, label, name, _ in rows)
        self.labels: dict[str, set[str]] = {}  # by contents and by names
        for key, label in ((key, label) for part, label, name, found in rows if part != "before"
                           for key in (found, name)):
            self.labels.setdefault(key, set()).add(label)
        self.before = {(label, found) for part, label, _, found in rows if part == "before"
                       and found}

    @classmethod
    def of_run(cls, folder: Place) -> "Seen | None":
        """Of a run's folder; None where it cannot be known any more. Raises UserError for a damaged
        list."""
        path = Path(folder, NAME)
        try:
            with open(path, encoding="utf-8", newline="") as file:
                head, *rows = map(tuple, csv.reader(file))
        except FileNotFoundError:
            return cls._of_settings(folder)
        except (OSError, ValueError, csv.Error) as error:
            raise UserError(f"cannot read {path}: {error}.") from error
        if head != HEAD or any(len(row) != len(HEAD) for row in rows):
            raise UserError(f"{path} is damaged: it needs the columns {', '.join(HEAD)}.")
        return cls(rows, settings_of(folder).get("data"))

    @classmethod
    def _of_settings(cls, run: Place) -> "Seen | None":
        """Of a run without a list, if its pictures are still the same."""
        try:
            settings = settings_of(run)
            train, val = data.open_data(settings["data"], settings["subset"],
                                        labels=settings.get("labels"), progress=False, report=None,
                                        val_fraction=settings["val_fraction"],
                                        size=picture_size(settings))
            check_same_pictures(run, read_config(run), train, val)
        except UserError:
            return None
        return cls(list(rows_of(train, val)))

    def content(self, path: Place) -> str:
        """`content` of a file, which is read once."""
        if (path := os.fspath(path)) not in self.read:
            self.read[path] = content(path)
        return self.read[path]

    def parts(self, pictures: Sequence[Picture], own: bool) -> list[str | None]:
        """`part` of each, but a picture that was held out counts once: beside it, a copy under
        another name is a new one."""
        found = [self.part(picture, own) for picture in pictures]
        held_out = [index for index, part in enumerate(found) if part == "val"
                    and pictures[index].is_file]
        there: set[str] = set()
        # the names of then come first
        for index in sorted(held_out, key=lambda index: pictures[index].name not in self.names):
            same = self.content(pictures[index].path)
            if same in there and pictures[index].name not in self.names:
                found[index] = None
            there.add(same)
        return found

    def part(self, picture: Picture, own: bool) -> str | None:
        """ "train", "val", or None for a data.Picture that the run has not seen. What was learnt
        anywhere counts as train.

        own: it lies in the run's own folder, where a name stays the same picture's also if its file
        is written anew.
        """
        found = self.content(picture.path) if picture.is_file else ""
        if (picture.label, found) in self.before:
            return "train"
        part, known = self.names.get(picture.name, (None, ""))
        if part and (not known or not found or known == found):
            return part
        if part and own:
            return self.contents.get(found, part)
        if found and self.contents:
            return self.contents.get(found) or self._in_another_form(picture)
        return self.ends.get((picture.label, picture.name.rpartition("/")[2]))

    def _in_another_form(self, picture: Picture) -> str | None:
        """The part of the run's own picture of this name, but for the ending, where it is still
        there and looks the same: the other one was made of it, in another size or format."""
        name = self.stems.get(os.path.splitext(picture.name)[0], "")
        part, known = self.names.get(name, (None, ""))
        original = os.path.join(self.root or "", name)
        if not part or self.content(original) != known or picture.label not in self.labels[name]:
            return None
        try:
            both = [luminance(planes_of(path, LOOK)).astype(np.float32)
                    for path in (original, picture.path)]
        except data.UnreadablePicture:
            return None
        first, second = (grey - grey.mean() for grey in both)
        alike = (first * second).sum() > ALIKE * np.sqrt((first**2).sum() * (second**2).sum())
        return part if alike else None

    def relabelled(self, label: str, name: str, path: Place) -> bool:
        """Had a picture other classes than `label` when the run began, but not this one?"""
        known = (self.labels.get(self.content(path) or name)
                 or self.labels.get(name.replace(os.sep, "/")))
        return known is not None and label not in known

    def changed(self, picture: Picture) -> bool:
        """Is a picture's file another one than when the run began? False where nobody looked into
        it then."""
        _, known = self.names.get(picture.name, ("", ""))
        return known != "" and picture.is_file and self.content(picture.path) != known


def _parts(seen: Iterable[tuple[Any, str]]) -> dict[Any, str]:
    """{key: "val"} for what was only ever held out, {key: "train"} for all else."""
    learnt: dict[Any, bool] = {}
    for key, part in seen:
        learnt[key] = learnt.get(key, False) or part != "val"
    return {key: "train" if it_is else "val" for key, it_is in learnt.items()}


# -------------------------------------------------------------------------------- the same pictures


def fingerprint(train: Any, val: Any) -> dict:
    """How many, and a few letters that change when a picture is added, removed or renamed, or gets
    another class."""
    names = "\n".join([*_with_classes(train), "", *_with_classes(val)]).replace(os.sep, "/")
    digest = hashlib.sha256(names.encode()).hexdigest()[:16]
    return {"train_pictures": len(train), "val_pictures": len(val), "pictures": digest}


def _with_classes(pictures):
    """The pictures' names, followed by their classes where no folder is called like them."""
    for name, label in zip(pictures.names, pictures.labels.tolist()):
        folders = unicodedata.normalize("NFC", name).split(os.sep)[:-1]
        yield name if pictures.classes[label] in folders else f"{name}\t{pictures.classes[label]}"


def check_same_pictures(run: Any, before: dict, train: Any, val: Any) -> None:
    """Raises UserError when classes or pictures are not those of a run's config.json. run: what
    messages call it."""
    known, here = before.get("classes") or [], train.classes
    if here != known:
        raise UserError(other_classes(run, "these pictures",
                                      [name for name in here if name not in known],
                                      [name for name in known if name not in here]))
    if any(before.get(name, value) != value for name, value in fingerprint(train, val).items()):
        raise UserError(f"the pictures have changed since {run} was started, "
                        f"on {before.get('train_pictures')} for training and "
                        f"{before.get('val_pictures')} for validation; "
                        f"now there are {len(train)} and {len(val)}, or others: put them back, "
                        f"or start a new run with --init {Path(str(run), CHECKPOINTS[0])}.")
    seen = Seen.of_run(str(run)) if Path(str(run), NAME).exists() else None
    for part in (train, val) if seen else ():
        for index in range(0, len(part), -(-len(part) // SAMPLED)):
            name, label = part.names[index], part.classes[part.labels[index]]
            if seen.relabelled(label, name, part.paths[index]):
                raise UserError(f"the pictures have changed since {run} was started, {name} had "
                                f"another class than {label}: put them back, or start a new run.")


def other_classes(run: Any, where: str, new: list, gone: list) -> str:
    """The sentence about classes that have changed since a run was trained. new, gone: their
    names."""
    changes = [f"{what}: {', '.join(map(str, names[:5]))}{', ...' * (len(names) > 5)}"
               for what, names in (("new", new), ("gone", gone)) if names]
    return (f"the classes of {where} have changed since {run} was trained "
            f"({'; '.join(changes) or 'their order'}): put its pictures back, or train a new run.")
