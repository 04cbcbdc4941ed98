"""Labels from a file, for pictures that lie in no class folders: a table with a picture and its
class in each row.

    id,breed                 ImageId,PredictionString
    000bec18,boston_bull     ILSVRC2012_val_00048981,n03995372 85 1 499 272

    val_0.JPEG	n03444034	0	32	44	62     (no header, tabs, a box behind the class)

Columns are told apart by commas, semicolons, tabs or blanks; a header is not needed; the picture's
ending and the folders in front of its name may be left out. A column of 0 and 1 for each class says
it too, and so does JSON, {"0001.png": "cat"} or {"file_name": "0001.png", "label": "cat"} for each
picture. A column called split whose cells say train, val or test divides the pictures, whatever the
folders say. Tiny ImageNet's val_annotations.txt, LOC_val_solution.csv, and Roboflow's and Hugging
Face's tables in each part are found without --labels.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..errors import UserError, require
from ..utils.files import Place
from .formats import ENDINGS
from .layout import kind
from .problems import Problems, printable
from .tables import CLASS_COLUMNS, letters, read_table
from .walk import Classes, is_picture, spelled

SPLIT_COLUMNS = ("split", "dataset", "set", "subset", "partition")
_PARTS = ("train", "val", "test")
IN_EACH_PART = ("_classes.csv", "metadata.csv", "metadata.jsonl")  # Roboflow's, Hugging Face's
# Found without --labels in a part's own folder and, ImageNet's, in the four around it.
FOUND_BY_THEMSELVES = {"val_annotations.txt": 1, "LOC_val_solution.csv": 5}
_ONE, _NULL = {"1", "1.0", "true"}, {"0", "0.0", "false", "-1", "-1.0"}
_MISSING = {"nan", "<na>", "#n/a", "null"}  # what programs write where there is no class
_TABLES, _LARGEST = (".csv", ".tsv", ".txt", ".json", ".jsonl"), 5e6  # bytes: a table to propose


class _Row(NamedTuple):
    """What a row says. part: "train", "val", "test"; None where the folders say it; "" for a split
    that is none of them."""

    line: int
    name: str
    label: str
    part: str | None

    def __str__(self) -> str:
        return self.label + (f" for {self.part}" if self.part else "")


class Labels:
    """A file of labels. columns: the cells of its table, row by row, whose `lines` are known.
    split: the number of the column that says of which part a picture is, or None. Raises UserError
    for no table."""

    def __init__(self, path: Place):
        self.path, table = os.fspath(path), read_table(path)
        self.lines = [line for line, _ in table]
        rows = [[spelled(cell.strip()) for cell in cells] for _, cells in table]
        has_head = not any(map(is_picture, rows[0]))
        # Under a header a shorter row lacks its last cells, and the others keep theirs.
        width = len(rows[0]) if has_head else min(map(len, rows))
        self.columns = list(map(list, zip(*([*cells, *[""] * width][:width] for cells in rows))))
        self.split = self._split()

    def at(self, line: int) -> str:
        """Name a line in a message."""
        return f"{printable(self.path)}:{line}"

    def assign(self, root: str, parts: dict[str, list[str]], problems: Problems, grave: Problems,
               lines: dict[str, str]) -> dict[str, Classes]:
        """Say which picture has which class: {part: {class: paths}} of the parts of which the file
        names pictures, or which its column of parts names.

        parts: {part: paths below `root`}. Appends rows that cannot be used to `problems`,
        contradictions to `grave`; adds to `lines` where a class is named first. A name that several
        parts have means the first of them. Raises UserError when the file names no picture at all.
        """
        index = _Index(root, parts)
        rows = self._rows(index, problems)
        self._check_that_one_class_is_meant(rows)
        seen: dict[str, _Row] = {}
        bad: dict[str, _Row] = {}
        for row in rows:
            path = index.named(row)
            before = seen.setdefault(path, row) if path in index.part_of else None
            if before is None:
                problems.append((self.at(row.line), path))
            elif before is not row and before[2:] == row[2:]:
                problems.append((self.at(row.line), f"line {before.line} names the "
                                 f"picture {printable(row.name)} already"))
            elif before is not row:
                bad[path] = row
                grave.append((self.at(row.line), f"it calls {printable(row.name)} {row}, "
                              f"line {before.line} calls it {before}: the picture is left out"))
        require(seen, self._none(root, index, rows))
        for path, row in bad.items():
            require(len(bad) < len(seen), f"{printable(self.path)} calls every picture by several "
                    f"classes, such as {row.name} in lines {seen[path].line} and {row.line}")
        labelled = Counter(index.part_of[path] for path in seen)
        found: dict[str, Classes] = {part: {} for part in labelled}
        for path, row in seen.items():
            lines.setdefault(row.label, self.at(row.line))
            if row.part == "":
                problems.append((self.at(row.line), "its split is none of train, val and test; "
                                 "the picture is left out"))
            elif path not in bad:
                found.setdefault(row.part or index.part_of[path], {}).setdefault(row.label,
                                                                                 []).append(path)
        for part in found:
            if (left := len(parts.get(part, ())) - labelled[part]) > 0:
                problems.append((printable(self.path), f"it names no class for {left:,} of the "
                                 f"pictures in {printable(root)} that lie beside the others; "
                                 "they are left out"))
        return {part: {name: sorted(classes[name]) for name in sorted(classes)}
                for part, classes in found.items()}

    def _check_that_one_class_is_meant(self, rows: list[_Row]) -> None:
        combined = _combined({row.label for row in rows})
        if several := [row for row in rows if row.label in combined]:
            raise UserError(f"{self.at(several[0].line)} gives a picture several classes, "
                            f"{several[0].label}, as {len(several):,} of {len(rows):,} lines do, "
                            "but a network learns one for each: keep one, leave these lines out, "
                            "or write what is a class together as one word")

    def _check_that_one_column_is_meant(self, columns: list[list[str]], label: int) -> None:
        """Raise UserError where findings, each a column of yes and no, stand behind others."""
        names = [column[0] for column in _flags(columns)]
        if len(names) > 2 and self.columns[label][0] not in names:
            raise UserError(f"{self.at(self.lines[0])} has columns that say yes or no, "
                            f"{', '.join(names[:3])}{', …' * (len(names) > 3)}, and none called "
                            "label, but a network learns one class for each picture: write it "
                            "into a column called label")

    def _none(self, root: str, index: "_Index", rows: list[_Row]) -> str:
        """Why no row names a picture."""
        what = f"{printable(self.path)} names no picture that lies in {printable(root)}"
        if not rows:
            return what
        first, there = rows[0], next(iter(index.part_of), None)
        if not first.label or index.find(first.name, first.part):
            return f"{self.at(first.line)}: {index.named(first)}"
        called = f"; one there is called {printable(os.path.basename(there))}" if there else ""
        return f"{what}, such as {printable(first.name)} in line {first.line}{called}"

    def _rows(self, index: "_Index", problems: Problems) -> list[_Row]:
        """What each row says, without the header."""
        columns, head, split = self.columns, self._head(), self.split
        picture = max(range(len(columns)),
                      key=lambda number: _names_pictures(columns[number], index))
        named = [head.index(name) for name in CLASS_COLUMNS if name in head
                 and head.index(name) != picture]
        beside = ([number for number in range(picture + 1, len(columns)) if number != split]
                  or [number for number in range(picture)[::-1] if number != split])
        label = named[0] if named else beside[0]
        ones = [] if named or index.has(columns[picture][0]) else _one_hot(columns[:picture]
                                                                           + columns[picture + 1:])
        if not named and not ones and not index.has(columns[picture][0]):
            self._check_that_one_column_is_meant([columns[number] for number in beside], label)
        labels = ones or map(_label, columns[label])
        parts = [None] * len(self.lines) if split is None else map(_part, columns[split])
        first, *others = rows = list(map(_Row, self.lines, columns[picture], labels, parts))
        has_head = named or ones or split is not None or not (index.has(first.name) or is_picture(
            first.name) or first.label in {row.label for row in others})
        unused = [] if ones else list(self._unused(picture, label))
        if has_head and not named and not ones and len(beside) > 1:
            unused.append(f"its column {columns[label][0]} is taken for the class, the others are "
                          "not used: call the column of the classes label")
        problems += [(self.at(self.lines[0]), reason) for reason in unused]
        return others if has_head else rows

    def _unused(self, picture: int, label: int) -> Iterator[str]:
        """What columns say about parts in a form that does not divide the pictures."""
        head, number = self._head(), None
        if self.split is None and "split" in head and len(head) > 2:
            yield "its column split says neither train nor val nor test; it is not used"
        for number, column in enumerate(self.columns):
            if self.split is not None or number in (picture, label) or len(column) < 2:
                continue
            if all(map(_part, column[1:])):
                yield (f"its column {number + 1} says train, val or test, but is not called split, "
                       "so it is not used: call it so in the first line, as in file,label,split")
            elif _part(head[number].removeprefix("is")) and {
                    cell.lower() for cell in column[1:]} <= _ONE | _NULL:
                yield (f"its column {column[0]} divides the pictures, but is not used: write "
                       "a column split with train and val in it")

    def _head(self) -> list[str]:
        return [letters(column[0]) for column in self.columns]

    def _split(self) -> int | None:
        """The column that says of which part a picture is: it is called so, and some of its cells
        are names of parts."""
        head = self._head()
        called = [head.index(name) for name in SPLIT_COLUMNS if name in head and len(head) > 2]
        return next((number for number in called if any(map(_part, self.columns[number][1:]))),
                    None)


def _part(cell: str) -> str:
    part = kind(cell)
    return part if part in _PARTS else ""


def _names_pictures(column: list[str], index: "_Index") -> tuple[int, int, bool]:
    """Sorts the columns: that of the pictures names most of them. A count, such as the index that
    pandas writes in front, and classes that are numbers can be names of pictures too, but have no
    ending or no head, or name few pictures many times."""
    names, head = column[:200], column[0].lower()
    return (len({index.find(name) for name in names} & index.part_of.keys()),
            sum(map(is_picture, names)), head != "" and not head.startswith("unnamed:"))


def _one_hot(columns: list[list[str]]) -> list[str]:
    """The class of each row where columns hold 1 for the pictures of one class and 0 for all
    others, "" for other rows, or a|b where more rows have several than one; [] where none do: it
    must be all of these columns, or most rows must have a single 1."""
    flags = _flags(columns)
    rows = [[column[0] for column, cell in zip(flags, cells) if cell.lower() in _ONE]
            for cells in zip(*flags)]
    single = sum(len(row) == 1 for row in rows[1:])
    found = len(flags) > 1 and (len(flags) == len(columns) or 2 * single > len(rows) - 1)
    combine = single < sum(len(row) > 1 for row in rows[1:])
    return ["|".join(row) if combine or len(row) == 1 else "" for row in rows] if found else []


def _flags(columns: list[list[str]]) -> list[list[str]]:
    """Those that hold 1 and 0, and, as at the end of a short row, empty cells."""
    said = [{cell.lower() for cell in column[1:]} - {""} for column in columns]
    return [column for column, cells in zip(columns, said) if cells and cells <= _ONE | _NULL]


def _combined(labels: set[str]) -> set[str]:
    """Those of the labels that are several classes: a|b, or a list; a;b where other labels have
    both parts, too. Or a third of all labels or more are made of others: a,b or a b. (One alone may
    be a sea lion.)"""
    found = {label for label in labels
             if re.search(r".\|.", label) or re.match(r"[\[{].*['\"].*,", label)}
    parts = {label: set(re.split(r"\s*;\s*", label)) for label in labels}
    times = Counter(part for several in parts.values() for part in several)
    found |= {label for label, several in parts.items()
              if len(several) > 1 and min(map(times.__getitem__, several)) > 1}
    made = {label for label in labels if len(words := set(re.split(r"[\s;,]+", label))) > 1
            and labels.issuperset(words)}
    return found | made if 3 * len(made) >= len(labels) else found


class _Index:
    """Pictures by their names, with and without endings. part_of: {path: part}, in the order of the
    parts."""

    def __init__(self, root: str, parts: dict[str, list[str]]):
        self.root, self.order = os.path.join(root, ""), list(parts)
        self.part_of = {path: part for part, paths in reversed(parts.items()) for path in paths}
        self.by_name: dict[str, list[str]] = {}
        for path in self.part_of:
            name = spelled(os.path.basename(path)).casefold()
            for key in {name, _stem(name)}:
                self.by_name.setdefault(key, []).append(path)

    def has(self, name: str) -> bool:
        return self.find(name) in self.part_of

    def named(self, row: _Row) -> str:
        """The path that a row means, or why there is none."""
        if not (row.name and row.label):
            return "it names no picture, or not one class"
        return self.find(row.name, row.part) or (
            f"there is no picture {printable(row.name)} in {printable(self.root[:-1])}")

    def find(self, name: str, part: str | None = None) -> str | None:
        """The path that is meant, a sentence when several are, or None. part: where it lies, if
        pictures of that name lie in several; else it is in the first of these."""
        wanted = "/".join(part for part in spelled(name).replace("\\", "/").split("/")
                          if part not in ("", "."))
        last = wanted.rpartition("/")[2].casefold()
        found = [path for path in self.by_name.get(last) or self.by_name.get(_stem(last), [])
                 if self._agrees(path, wanted, str.casefold)]
        found = [path for path in found if self._agrees(path, wanted)] or found
        exact = [path for path in found if self._relative(path) == wanted]
        parts = {self.part_of[path] for path in found}
        part = part if part in parts else min(parts, key=self.order.index, default=None)
        found = exact or [path for path in found if self.part_of[path] == part]
        if len(found) > 1:
            several = " or ".join(printable(self._relative(path)) for path in sorted(found)[:2])
            return f"{printable(name)} may be {several}: add the folder or the ending to it"
        return found[0] if found else None

    def _relative(self, path: str) -> str:
        return spelled(path.removeprefix(self.root)).replace(os.sep, "/")

    def _agrees(self, path: str, wanted: str, as_: Callable[[str], str] = str) -> bool:
        """Is the shorter of the two paths the end of the longer, but for endings?"""
        here, there = as_(f"/{_stem(self._relative(path))}"), as_(f"/{wanted}")
        return any(here.endswith(name) or name.endswith(here) for name in (there, _stem(there)))


def _stem(name: str) -> str:
    """Without the ending of a picture; other dots belong to the name."""
    return os.path.splitext(name)[0] if os.path.splitext(name)[1].lower() in ENDINGS else name


def _label(text: str) -> str:
    """The class, without the boxes that follow an ImageNet id; "" where it is missing."""
    box = re.match(r"(n\d{8})(?:\s+-?\d+)+", text)
    return box[1] if box else "" if text.lower() in _MISSING else text


def naming(root: str, paths: list[str]) -> str:
    """Path of the table in a folder, or in the one around it, that names most of these pictures in
    it, as what --labels needs; FILE where there is none."""
    index, found = _Index(root, {"all": paths}), {"FILE": 1}
    for path in sorted(path for place in (Path(root), Path(root).absolute().parent)
                       for path in place.glob("*") if path.name.lower().endswith(_TABLES)):
        with suppress(UserError, OSError):
            if path.is_file() and path.stat().st_size < _LARGEST:
                found[printable(path)] = max(_names_pictures(column, index)[0]
                                             for column in Labels(path).columns)
    return max(found, key=found.__getitem__)


def beside(folder: str, part: str) -> str | None:
    """Path of the file of labels that a publisher has put into `folder`, of a part of the pictures,
    or for some into a folder around it, or None."""
    here = Path(folder).absolute()
    names = dict.fromkeys(IN_EACH_PART, 1) | (FOUND_BY_THEMSELVES if part != "train" else {})
    places = [place / name for name, above in names.items()
              for place in (here, *here.parents)[:above]]
    return next((str(place) for place in places if place.is_file()), None)
