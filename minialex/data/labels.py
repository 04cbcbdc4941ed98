"""Labels from a file, for pictures that lie in no class folders: a table with a picture and its class in each row.

    id,breed                        ImageId,PredictionString                       val_0.JPEG	n03444034	0	32	44	62
    000bec18,boston_bull            ILSVRC2012_val_00048981,n03995372 85 1 499 272     (no header, tabs, a box behind the class)

Columns are told apart by commas, semicolons, tabs or blanks; a header is not needed; the picture's ending and the folders in
front of its name may be left out. A column of 0 and 1 for each class says it too. Tiny ImageNet's val_annotations.txt and
LOC_val_solution.csv are found without --labels.
"""

import csv
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from .pictures import ENDINGS, printable
from .text import read_text

CLASS_COLUMNS = ("class", "label", "breed", "species", "category", "class_name", "classname", "label_name", "target",
                 "predictionstring", "diagnosis", "labels", "variety", "category_name", "classid",
                 "class_id", "category_id", "dx")
FOUND_BY_THEMSELVES = ("val_annotations.txt", "LOC_val_solution.csv")
_ONE, _NULL = {"1", "1.0"}, {"0", "0.0"}
_WANTED = "write a picture, a comma and its class on each line"
ABOVE = 5  # folders in which they are looked for: a part's own, and those around it


@dataclass
class Row:
    """One line of the table: cells[0] is the picture's name, cells[1] the class."""

    line: int
    cells: list


class Labels:
    """A file of labels. found: {path of a picture: class}; lines: {class: first line that names it}; raises UserError."""

    def __init__(self, path):
        self.path = os.fspath(path)
        self.rows = _rows(self.path)
        self.lines = {}

    def at(self, line):
        """How a line is named in a message."""
        return f"{printable(self.path)}:{line}"

    def assign(self, root, parts, problems, grave):
        """{part: {class: paths}} of the parts of which the file names pictures. parts: {part: paths below `root`}.

        Appends rows that cannot be used to `problems`, contradictions to `grave`. A name that several parts have means the
        first of them. Raises UserError when the file names no picture at all.
        """
        index = _Index(root, parts)
        self._choose_columns(index)
        seen, bad = {}, set()
        for row in self.rows:
            name, label = row.cells[0], _label(row.cells[1])
            path = index.find(name) if name and label else "it names no picture or no class"
            if path not in index.part_of:
                problems.append((self.at(row.line), path or f"there is no picture {printable(name)} in {printable(root)}"))
            elif path not in seen:
                seen[path] = label, row.line
            elif seen[path][0] == label:
                problems.append((self.at(row.line), f"line {seen[path][1]} names the picture {printable(name)} already"))
            else:
                bad.add(path)
                grave.append((self.at(row.line), f"it calls {printable(name)} {label}, line {seen[path][1]} calls it "
                              f"{seen[path][0]}: the picture is left out"))
        if not seen:
            first = f", such as {printable(self.rows[0].cells[0])} in line {self.rows[0].line}" if self.rows else ""
            raise UserError(f"{printable(self.path)} names no picture that lies in {printable(root)}{first}")
        found = {}
        for path, (label, line) in seen.items():
            self.lines.setdefault(label, line)
            if path not in bad:
                found.setdefault(index.part_of[path], {}).setdefault(label, []).append(path)
        for part in found:
            if (count := len(parts[part]) - sum(index.part_of[path] == part for path in seen)) > 0:
                problems.append((printable(self.path), f"it names no class for {count:,} of the pictures in {printable(root)} "
                                 "that lie beside the others; they are left out"))
        return {part: {name: sorted(classes[name]) for name in sorted(classes)} for part, classes in found.items()}

    def _choose_columns(self, index):
        """Bring each row into the order picture, class, and drop the header."""
        sample = self.rows[:200]
        wide = min(len(row.cells) for row in self.rows)
        picture = max(range(wide), key=lambda column: sum(index.has(row.cells[column]) for row in sample))
        head = [cell.strip().lower() for cell in self.rows[0].cells]
        named = [head.index(name) for name in CLASS_COLUMNS if name in head[:wide] and head.index(name) != picture]
        if not named and self._is_one_hot(picture, wide):
            names = [cell.strip() for cell in self.rows.pop(0).cells]
            for row in self.rows:
                ones = [name for name, cell in zip(names, row.cells) if cell.strip() in _ONE]
                row.cells = [row.cells[picture].strip(), ones[0] if len(ones) == 1 else ""]
            return
        label = named[0] if named else picture + 1 if picture + 1 < wide else picture - 1
        for row in self.rows:
            row.cells = [row.cells[picture].strip(), row.cells[label].strip()]
        first = self.rows[0].cells
        others = {row.cells[1] for row in self.rows[1:]}
        is_file = first[0].lower().endswith(ENDINGS)
        if named or not (index.has(first[0]) or is_file or first[1] in others):
            del self.rows[0]


    def _is_one_hot(self, picture, wide):
        """Has each class a column of its own, with 1 for its pictures and 0 for all others?"""
        others = [[row.cells[column].strip() for column in range(wide) if column != picture] for row in self.rows[1:]]
        return wide > 2 and bool(others) and not {"0", "1"} & set(self.rows[0].cells) and all(
            set(cells) <= _ONE | _NULL for cells in others)


class _Index:
    """Pictures by their names, with and without endings. part_of: {path: part}, in the order of the parts."""

    def __init__(self, root, parts):
        self.root = os.path.join(root, "")
        self.part_of = {path: part for part, paths in reversed(parts.items()) for path in paths}
        self.order = list(parts)
        self.by_name = {}
        for path in self.part_of:
            name = os.path.basename(path)
            for key in {name, _stem(name)}:
                self.by_name.setdefault(key, []).append(path)

    def has(self, name):
        return self.find(name) in self.part_of

    def find(self, name):
        """The path that is meant, a sentence when several are, or None."""
        wanted = "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
        last = wanted.rpartition("/")[2]
        found = self.by_name.get(last) or self.by_name.get(_stem(last)) or []
        found = [path for path in found if self._agrees(path, wanted)]
        exact = [path for path in found if self._relative(path) == wanted]
        first = min((self.order.index(self.part_of[path]) for path in found), default=0)
        found = exact or [path for path in found if self.part_of[path] == self.order[first]]
        if len(found) > 1:
            several = " or ".join(printable(self._relative(path)) for path in sorted(found)[:2])
            return f"{printable(name)} may be {several}: add the folder to it"
        return found[0] if found else None

    def _relative(self, path):
        return path.removeprefix(self.root).replace(os.sep, "/")

    def _agrees(self, path, wanted):
        """Is the shorter of the two paths the end of the longer, but for endings?"""
        here, there = f"/{_stem(self._relative(path))}", f"/{wanted}"
        return any(here.endswith(name) or name.endswith(here) for name in (there, _stem(there)))


def _stem(name):
    """Without the ending of a picture; other dots belong to the name."""
    stem, ending = os.path.splitext(name)
    return stem if ending.lower() in ENDINGS else name


def _label(text):
    """The class, without the boxes that follow an ImageNet id."""
    box = re.match(r"(n\d{8})(?:\s+-?\d+)+", text)
    return box[1] if box else text


def _rows(path):
    """The table's rows. Raises UserError when the file is no table of at least two columns."""
    lines = [(number, line) for number, line in enumerate(read_text(path).splitlines(), 1) if line.strip()]
    if lines and lines[0][1].lower().startswith("sep="):  # Excel's own first line
        del lines[0]
    texts = [line for _, line in lines]
    for delimiter in "\t;,":
        try:
            cells = list(csv.reader(texts, delimiter=delimiter))
        except csv.Error as error:
            raise UserError(f"{printable(path)} is no table ({error}): {_WANTED}") from error
        if cells and len(cells) == len(lines) and sum(len(row) > 1 for row in cells) * 2 > len(cells):
            break
    else:
        cells = [line.split(None, 1) for line in texts]
    rows = [Row(number, [*row, "", ""][:max(2, len(row))]) for (number, _), row in zip(lines, cells)]
    if not any(row.cells[1] for row in rows):
        raise UserError(f"{printable(path)} names no classes: {_WANTED}")
    return rows


def beside(folder):
    """Path of the file of labels that a publisher has put into `folder` or a folder around it, or None."""
    for name in FOUND_BY_THEMSELVES:
        for place in (here := Path(folder).absolute(), *here.parents)[: 1 if name.endswith("txt") else ABOVE]:
            if (place / name).is_file():
                return str(place / name)
    return None
