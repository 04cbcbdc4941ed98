"""What a tree of class folders holds: the name of a folder is the class of the pictures in it,
unless a file of labels says so.

    root/train/cat/1.jpg  root/val/cat/9.jpg  ...    the division into both is given (see layout),
    root/cat/1.jpg        root/dog/2.jpg      ...    or is made later (see opening)

Whatever cannot be used becomes one line with its path and the reason; only a tree that leaves
nothing to learn from is an error.
"""

import os
from dataclasses import dataclass, field
from typing import Any

from ..errors import UserError, require
from ..utils.files import Place
from . import layout
from .formats import ENDINGS, instead_of_pictures
from .labels import Labels, beside, naming
from .problems import Problems, printable, stop_at_problem
from .walk import (
    OTHER_ENDING,
    RUNS,
    Classes,
    Folder,
    pictures_below,
    spelled,
    type_of,
    without_masks,
)

PARTS = ("train", "val", "test", "all")  # in this order; "all" where there are no others


@dataclass
class Found:
    """What a tree or a pack holds. parts: {"train", "val", "test" or "all": (folder, Classes)};
    problems: what is left out; grave: those of them at which --strict stops; lines: {class: where a
    file of labels names it}; tables: the paths of such files; pack: the Pack, or None."""

    root: str
    parts: dict[str, tuple[str, Classes]] = field(default_factory=dict)
    problems: Problems = field(default_factory=list)
    grave: Problems = field(default_factory=list)
    lines: dict[str, str] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    pack: Any = None

    @property
    def train(self) -> tuple[str, Classes]:
        """(folder, Classes) of what there is to learn from."""
        return self.parts.get("train") or self.parts.get("all") or (self.root, {})

    def name(self, path: str) -> str:
        """Name a path within the tree."""
        return path.removeprefix(os.path.join(self.root, ""))

    def place(self, path: str) -> str:
        """Name a path within the tree, or, of a file of labels and of what lies elsewhere, the
        absolute path."""
        is_table = printable(path).startswith(tuple(map(printable, self.tables)))
        return os.path.abspath(path) if is_table or self.name(path) == path else self.name(path)

    def stop_if(self, strict: bool) -> None:
        """Raise UserError at the first contradiction, if there is one and --strict was given."""
        if strict and self.grave:
            stop_at_problem(*self.grave[0])


def scan(root: Place, labels: Place | None = None, to_learn: bool = True,
         strict: bool = False) -> Found:
    """Find what lies below the folder `root`; labels: a file that says what its pictures are, or
    None.

    A part of which `labels` names pictures is labelled by it; another one by its folders; one
    without class folders by the file that its publisher has put beside it. to_learn: leave the test
    part out, and refuse what cannot be learnt from; where `labels` has a column of parts, the
    pictures in the folder test are among those that it divides. Raises UserError with the path for
    a tree that cannot be used; strict: and at a contradiction.
    """
    root = os.fspath(root)
    table = Labels(labels) if labels else None
    divided, unused = layout.find(root, to_learn, table is not None)
    folders = {part: divided[part] for part in PARTS if part in divided
               and not (to_learn and part == "test")}
    found = Found(root)
    divisible = divided if table and table.split is not None else folders
    named = _labelled(root, table, {part: divisible[part] for part in PARTS if part in divisible},
                      found) if table else {}
    used = divisible.get("test") if "test" in named else None
    found.problems[:0] = [(folder.path, reason) for folder, reason in unused
                          if to_learn and (used is None or used not in (folder, folder.only))]
    for part in PARTS:
        folder = folders.get(part)
        if part in named:
            if to_learn and part == "test":
                if count := sum(map(len, named[part].values())):
                    found.problems.append((table.path,
                                           f"it calls {count:,} pictures test; they are not used"))
            elif named[part]:
                found.parts[part] = folder.path if folder else root, named[part]
        elif folder:
            flat = _is_flat(folder.checked())
            published = Labels(path) if flat and (path := beside(folder.path, part)) else None
            if published:
                labelled = _labelled(folder.path, published, {part: folder}, found)
                found.parts[part] = folder.path, labelled.get(part, {})
                table = published if part in ("train", "all") else table
            elif flat and (table or part == "test" and len(folders) > 1):
                found.problems.append((folder.path, "nothing says of which classes its pictures "
                                       "are; they are left out"))
            else:
                found.parts[part] = folder.path, _classes(folder, found.problems)
    require(any(classes for _, classes in found.parts.values()) or table, _no_pictures(root))
    if to_learn:
        _check_to_learn(found, table)
    found.stop_if(strict)
    return found


def _no_pictures(root: str) -> str:
    return instead_of_pictures(root) or (
        f"the class folders in {root} hold no pictures ({' '.join(ENDINGS)})")


def _check_to_learn(found: Found, table: Labels | None) -> None:
    """Take the classes out of val that train does not have. Raises UserError when there is nothing
    to learn from."""
    train_root, train = found.train
    if table is None:
        require(train, _no_pictures(train_root))
        layout.check_classes(train, train_root,
                             lambda: naming(train_root, sum(train.values(), [])))
    else:
        path, root = printable(table.path), printable(found.root)
        require(train or table.split is not None, f"{path} names none of the pictures in {root} to "
                "learn from: write their classes into it, too")
        require(train, f"{path} calls none of the pictures in {root} train: "
                "write train in its split column for those to learn from")
        require(len(train) > 1, f"{path} names one class only ({next(iter(train))}): "
                "a classifier needs at least two")
        require("val" in found.parts or max(map(len, train.values())) > 1, f"{path} gives each "
                f"picture a class of its own, such as {next(iter(train))}: call the column of the "
                "classes label")
    val_root, val = found.parts.get("val", ("", {}))
    for name in [name for name in val if name not in train]:
        found.grave.append((found.lines.get(name) or os.path.join(val_root, name),
                            f"{train_root} has no pictures of this class; "
                            f"its pictures ({len(val.pop(name)):,}) are left out of validation"))
    found.problems += found.grave


def _labelled(root: str, table: Labels, folders: dict[str, Folder],
              found: Found) -> dict[str, Classes]:
    """{part: Classes} by a file of labels."""
    found.tables.append(table.path)
    around, unused = os.path.dirname(os.path.realpath(root)), Problems()
    paths = {part: list(pictures_below(folder.path, unused, around))
             for part, folder in folders.items()}
    found.problems += [(path, reason) for path, reason in unused if reason != OTHER_ENDING]
    return table.assign(root, paths, found.problems, found.grave, found.lines)


def _is_flat(folder: Folder) -> bool:
    """Does it hold pictures, or nothing but one folder of them, instead of class folders?"""
    folders = list(folder.folders)
    return (not folders and bool(folder.pictures) or len(folders) == 1
            and layout.is_doubtful(folders[0]))


def _classes(here: Folder, problems: Problems) -> Classes:
    """Classes by the names of the folders, in alphabetical order. Appends what is left out to
    `problems`."""
    root = here.path
    if here.pictures and not here.folders:
        table = naming(root, [os.path.join(root, name) for name in here.pictures])
        raise UserError(f"{root} holds {len(here.pictures)} pictures but no class folders: "
                        "put each class into a folder of its own, or say in a file what each "
                        f"picture is (--labels {table})")
    require(here.folders, instead_of_pictures(root) or f"{root} holds no class folders: "
            "give the folder whose folders are named after the classes")
    problems += [(os.path.join(root, name), "it lies outside the class folders")
                 for name in here.pictures]
    problems += [(entry.path, f"minialex keeps its runs in folders called {RUNS}, "
                  "so it is no class") for entry in here.entries() if entry.name.lower() == RUNS
                 and type_of(entry) == "folder" and any(Folder(entry.path).checked().inside)]
    classes: Classes = {}
    for folder in here.folders.values():
        name, before = spelled(folder.name), len(problems)
        require(name not in classes, f"{root} holds two folders named {name}, "
                "spelled with different code points: join them")
        below = pictures_below(folder.path, problems, os.path.realpath(root))
        classes[name] = without_masks(list(below), problems)
        if not classes[name] and len(problems) == before:
            problems.append((folder.path, "the class folder holds no pictures"))
    return {name: classes[name] for name in sorted(classes) if classes[name]}
