"""The rows of a table that a user brings: CSV as any spreadsheet writes it, blanks between columns,
or JSON in the forms that programs write a picture's class in."""

import csv
import io
import json
import re
from typing import Any

from ..errors import UserError, require
from ..utils.files import Place
from .names import read_text
from .problems import printable
from .walk import is_picture

Table = list[tuple[int, list[str]]]  # (number of the line, cells)
WANTED = "write a picture, a comma and its class on each line"
# Heads of the column of classes, without blanks and signs; the first of them that is there counts.
CLASS_COLUMNS = ("class label breed species category classname labelname target predictionstring "
                 "diagnosis labels variety categoryname classid categoryid dx classlabel choice "
                 "findinglabels level type").split()

# How texts begin that say otherwise what is in pictures, and what they are.
_OTHERS = [(re.compile(form, re.DOTALL), what) for form, what in (
    (r'\s*\{.*"annotations"\s*:\s*\[\s*\{.*"(image_id|bbox)"',
     "COCO's list of objects, several in a picture"),
    (r'\s*\[\s*\{.*"annotations"\s*:.*"result"\s*:\s*\[',
     "Label Studio's JSON, which it also exports as CSV"),
    (r"\s*<", "XML, as CVAT and Pascal VOC write it"),
    (r"\s*(\d+\s*\n)+\d+\s*$", "a number on each line, as in ImageNet's devkit, whose pictures are "
     "named in Kaggle's LOC_val_solution.csv"),
    (r"\s*\d+( [01]?\.\d+){4,}\s", "YOLO's boxes, which have no picture's name"))]


def read_table(path: Place) -> Table:
    """The table's rows. Raises UserError when the file is no table of at least two columns."""
    text = read_text(path)
    for form, what in _OTHERS:
        require(not re.match(form, text), f"{printable(path)} is no table but {what}: {WANTED}")
    try:
        table = _records(text) if text.lstrip()[:1] in ("{", "[") else _rows(text)
    except (csv.Error, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{printable(path)} is no table ({printable(str(error))}): "
                        f"{WANTED}") from error
    table = [(number, [*cells, "", ""][:max(2, len(cells))]) for number, cells in table]
    require(any(cells[1] for _, cells in table), f"{printable(path)} names no classes: {WANTED}")
    return table


def letters(head: str) -> str:
    """A column's head without case, blanks and signs."""
    return re.sub(r"[\W_]+", "", head.lower())


def _rows(text: str) -> Table:
    """Of a text whose columns some letter or, if none does, blanks tell apart. Raises csv.Error."""
    first, _, rest = text.partition("\n")
    text = "\n" + rest if first.lower().startswith("sep=") else text  # Excel's own first line
    problem, tables = None, list[Table]()
    for delimiter in "\t;,|":
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter,
                            skipinitialspace=True, strict=True)
        try:
            table = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
        except csv.Error as error:
            problem = error
        else:
            if sum(len(cells) > 1 for _, cells in table) * 2 > len(table):
                tables.append(table)
    if tables:  # the letter that stands within classes leaves no picture's name alone in a cell
        return max(tables, key=lambda table: sum(
            any(is_picture(cell.strip()) for cell in cells) for _, cells in table))
    if problem:
        raise problem
    return _blanks([(number, line) for number, line in enumerate(text.splitlines(), 1)
                    if line.strip()])


def _blanks(lines: list[tuple[int, str]]) -> Table:
    """Two columns, since a class may have two words, or as many as there are where all behind the
    first are numbers."""
    rows = [(number, line.split()) for number, line in lines
            if not line.startswith("#") or is_picture(line.split()[0])]
    numbers = all(re.fullmatch(r"-?[\d.]+", cell) for _, cells in rows for cell in cells[1:])
    return rows if numbers else [(number, [cells[0], " ".join(cells[1:])])
                                 for number, cells in rows]


def _records(text: str) -> Table:
    """Of JSON: objects in a list or one a line (metadata.jsonl), whose keys are the header; pairs;
    an object of pictures and classes, of classes and their pictures, or of columns.

    Raises any of what read_table expects.
    """
    try:
        found = json.loads(text)
    except ValueError:
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
    head, rows = _uneven(found)
    return [(number, list(map(_cell, cells))) for number, cells in enumerate(rows, not head)]


def _uneven(found: Any) -> tuple[bool, list[Any]]:
    """(is the first a header, the rows) of what JSON holds."""
    if not isinstance(found, dict):
        if all(isinstance(each, list) for each in found):
            return False, found
        head = list(dict.fromkeys(name for each in found for name in each.keys()))
        return True, [head, *([each.get(name, "") for name in head] for each in found)]
    values = list(found.values())
    if any(letters(name) in CLASS_COLUMNS for name in found) and all(
            isinstance(column, list | dict) for column in values):
        columns = [list(each.values()) if isinstance(each, dict) else each for each in values]
        return True, [list(found), *zip(*columns, strict=True)]
    if (all(isinstance(value, list) for value in values) and not any(map(is_picture, found))
        and not any(isinstance(each, list | dict) for value in values for each in value)):
        return False, [(each, name) for name, several in found.items() for each in several]
    return False, list(found.items())


def _cell(value: Any) -> str:
    """As a text, a|b for several; "" for nothing, and for what holds others."""
    if isinstance(value, list) and not any(isinstance(each, list | dict) for each in value):
        value = "|".join(map(str, value))
    return "" if value is None or isinstance(value, list | dict) else str(value)
