"""What classes are called: a folder n01440764 stays that class, and people read "tench".

Names come from --class-names FILE, from the files that ImageNet's publishers put beside the
pictures, or from imagenet.txt, the thousand classes of ILSVRC with their words in WordNet 3.0
(WORDNET-LICENSE.txt). Of several words the first is shown.

    n01440764 tench, Tinca tinca         LOC_synset_mapping.txt, words.txt, synset_words.txt
    n01440764,tench                      any table of two columns
    {"n01440764": "tench"}               JSON; also {"0": ["n01440764", "tench"]}, as
                                         imagenet_class_index.json has it
"""

import ast
import codecs
import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UserError, require
from ..utils.files import Place
from .formats import instead_of_text
from .problems import printable

PUBLISHED = ("LOC_synset_mapping.txt", "words.txt", "synset_words.txt")
ABOVE = 4  # folders in which they are looked for: that of the pictures, and three around it
THOUSAND = "imagenet"  # what --classes takes for ImageNet's
_ID = r"n\d{8}"
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16",
          codecs.BOM_UTF16_BE: "utf-16"}


class ClassName(str):
    """A class's id, a string like any other, that also knows the name to be `shown`."""

    shown: str

    def __new__(cls, name: str, shown: str) -> "ClassName":
        made = super().__new__(cls, name)
        made.shown = shown
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return ClassName, (str(self), self.shown)


def shown(name: str) -> str:
    """What people read for a class: its name where it has one, else the class itself."""
    return getattr(name, "shown", name)


def named(classes: Sequence[str],
          known: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> list[ClassName]:
    """The classes, each with the name to be shown. known: {class: name}, asked before ImageNet's
    own names.

    Two classes of the same name are shown with their ids: "crane (n03126707)".
    """
    known = (thousand() if any(re.fullmatch(_ID, name) for name in classes)
             else {}) | differing(classes) | dict(known)
    names = [known.get(name, name) for name in classes]
    return [ClassName(name, seen if names.count(seen) == 1 or seen == name else f"{seen} ({name})")
            for name, seen in zip(classes, names)]


def differing(classes: Iterable[str]) -> dict[str, str]:
    """{class: name} of those that are shown by another name: what config.json keeps."""
    return {str(name): shown(name) for name in classes if shown(name) != name}


def of_data(root: Place | None, classes: Sequence[str],
            path: Place | None = None) -> list[ClassName]:
    """The classes, named by the file `path` (None: none is given) and by those that lie beside the
    folder `root`.

    Raises UserError when `path` cannot be read, or names none of the classes.
    """
    known = read_mapping(path, classes) if path else {}
    return named(classes, (_beside(root) if root
                           and any(re.fullmatch(_ID, name) for name in classes) else {}) | known)


def _beside(root: Place) -> dict[str, str]:
    """{ImageNet's id: name} from the nearest of the publishers' files."""
    here = Path(root).absolute()
    for place in [place / name for place in (here, *here.parents)[:ABOVE] for name in PUBLISHED]:
        try:
            if place.is_file() and (found := {name: seen for name, seen in _pairs(place)
                                              if re.fullmatch(_ID, name)}):
                return found
        except UserError:  # another program's words.txt
            continue
    return {}


def read_mapping(path: Place, classes: Sequence[str]) -> dict[str, str]:
    """Read {class: name} from a file. Raises UserError when it cannot be read, or names none of the
    classes."""
    known = {name: seen for name, seen in _pairs(path) if name in set(classes)}
    require(known, f"{printable(path)} names none of the classes ({', '.join(classes[:3])}, ...): "
            "it needs lines of a class and its name")
    return known


def read_classes(path: Place) -> list[ClassName]:
    """Read a network's classes in the order of its outputs, one a line or as JSON; "imagenet": the
    thousand. Raises UserError."""
    if str(path) == THOUSAND and not Path(path).exists():
        return named(list(thousand()))
    pairs = list(_pairs(path, tables=False))
    require(pairs, f"{printable(path)} holds no class names: it needs one on each line")
    if (ordered := _by_numbers([name for name, _ in pairs])) is not None:
        pairs = [(name, name) for name in ordered]
    return named([name for name, _ in pairs], {name: seen for name, seen in pairs if seen != name})


def _by_numbers(lines: list[str]) -> list[str] | None:
    """The names in the order of the numbers before or behind them, "0 cat" or "cat,0", below a
    header or without; None where the numbers are not those of outputs, but belong to the names."""
    head = 1 if re.search(r"[,;\t]", lines[0]) else 0
    for form in (r"(?P<number>\d+)[\s,;:.)]+(?P<name>.+)",
                 r"(?P<name>.+?)\s*[,;:\t]\s*(?P<number>\d+)"):
        for rows in (lines, lines[head:]):
            found = [match for match in (re.fullmatch(form, row) for row in rows) if match]
            names = {int(match["number"]): match["name"].strip(" \"'") for match in found}
            if len(rows) == len(found) == len(set(names.values())) and _counts(names):
                return [names[number] for number in sorted(names)]
    return None


def _counts(numbers: Iterable[int]) -> bool:
    """Are these at least two numbers, counted from 0 or 1?"""
    numbers = sorted(numbers)
    return len(numbers) > 1 and numbers[0] in (0, 1) and numbers == list(
        range(numbers[0], numbers[0] + len(numbers)))


def thousand() -> dict[str, str]:
    """ImageNet's classes: {id: name}, in the order of a network's outputs."""
    return dict(_pairs(Path(__file__).with_name("imagenet.txt")))


def _pairs(path: Place, tables: bool = True) -> Iterator[tuple[str, str]]:
    """(class, name) of each line or entry; tables: a line that is no ImageNet id and words is a
    table's row, else a name."""
    text = read_text(path, "the class names in")
    if text.lstrip()[:1] in ("{", "["):
        yield from _json(text, path)
        return
    for line in filter(None, map(str.strip, text.splitlines())):
        delimiter = next((mark for mark in "\t;," if mark in line), " ")
        if words := re.fullmatch(rf"[\"']?({_ID})[\"']?[\s,;:]+(.+)", line):
            yield words[1], words[2].strip(" \"'").partition(",")[0].strip()
        elif tables and len(line) < csv.field_size_limit():
            name, *rest = next(csv.reader([line], delimiter=delimiter))
            yield name.strip(), " ".join(rest[:1] if delimiter != " "
                                         else rest).strip() if rest else name.strip()
        else:
            yield line, line


def _json(text: str, path: Place) -> Iterator[tuple[str, str]]:
    try:
        try:
            found = json.loads(text)
        except ValueError:
            # a Python dictionary, as ImageNet's names are passed around
            found = ast.literal_eval(text)
        if isinstance(found, dict) and all(type(number) is int for number in found.values()) \
                and _counts(found.values()):  # Keras' class_indices, torchvision's class_to_idx
            found = sorted(found, key=found.__getitem__)
        items = list(found.items() if isinstance(found, dict) else enumerate(found))
        numbered = all(str(key).isdecimal() for key, _ in items)
        for key, value in sorted(items, key=lambda item: int(item[0])) if numbered else items:
            name, seen = value if isinstance(value, list | tuple) else (value if numbered else key,
                                                                        value)
            yield str(name), str(seen)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise UserError(f"cannot read the class names in {printable(path)}: "
                        f"it begins like JSON and is none ({error})") from error


def read_text(path: Place, what: str = "the file") -> str:
    """Read a text that a user brings: UTF-8 or, with a byte-order mark, UTF-16, whatever ends its
    lines. Raises UserError."""
    try:
        content = Path(path).read_bytes()
        text = content.decode(next((coding for mark, coding in _MARKS.items()
                                    if content.startswith(mark)), "utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {what} {path}: {error.strerror}") from error
    except UnicodeError:
        text = "\0"
    require("\0" not in text, f"cannot read {what} {path}: it is {instead_of_text(path)}; "
            "save it as text, such as CSV, in UTF-8")
    return text
