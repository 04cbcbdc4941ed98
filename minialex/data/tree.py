"""What a tree of class folders holds: the name of a folder is the class of the pictures in it, unless a file of labels says so.

    root/train/cat/1.jpg  root/val/cat/9.jpg  ...    the division into training and validation is given (see layout),
    root/cat/1.jpg        root/dog/2.jpg      ...    or is made later (see folder)

Whatever cannot be used becomes one line with its path and the reason; only a tree that leaves nothing to learn from is an
error.
"""

import os
import unicodedata
from dataclasses import dataclass, field

from minialex.data import labels as label_files
from minialex.data import layout
from minialex.data.listing import RUNS, entries, is_file, is_folder, listing
from minialex.data.pictures import ENDINGS, printable
from minialex.errors import UserError
from minialex.utils.marks import is_own_picture


@dataclass
class Tree:
    """train, val: class name -> paths of its pictures, in the order in which they were found; val: None where the tree has
    none. problems: list of (path, reason): what is left out; grave: those of them at which --strict stops."""

    root: str
    train_root: str
    val_root: str | None
    train: dict
    val: dict | None
    problems: list
    grave: list


@dataclass
class Found:
    """parts: {"train", "val", "test" or "all": (folder, {class: paths})}; there: names of all the parts that the tree has;
    problems, grave: as a Tree has them; lines: {class: where a file of labels names it}."""

    there: list
    parts: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)
    grave: list = field(default_factory=list)
    lines: dict = field(default_factory=dict)


def scan(root, labels=None):
    """The Tree below the folder `root`; labels: a file that says what its pictures are, or None.

    Raises UserError with the path for one that cannot be used.
    """
    root = os.fspath(root)
    found = scan_parts(root, labels, ("train", "all", "val"))
    train_root, train = found.parts.get("train") or found.parts.get("all") or (root, {})
    val_root, val = found.parts.get("val", (None, None))
    if not train:
        raise UserError(f"the class folders in {train_root} hold no pictures ({' '.join(ENDINGS)})")
    if labels is None:
        layout.check_classes(train, train_root)
    elif len(train) == 1:
        raise UserError(f"{printable(labels)} names one class only ({next(iter(train))}): a classifier needs at least two")
    for name in [name for name in val or () if name not in train]:
        where = found.lines.get(name) or os.path.join(val_root, name)
        count = len(val.pop(name))
        found.grave.append((where, f"{train_root} has no pictures of this class; its pictures ({count:,}) are left out of "
                            "validation"))
    return Tree(root, train_root, val_root, train, val, found.problems + found.grave, found.grave)


def scan_parts(root, labels=None, wanted=("train", "val", "test", "all"), to_learn=True):
    """What lies in those parts of the tree that are wanted: Found. to_learn: refuse a tree without training pictures.

    A part of which `labels` names pictures is labelled by it; another one by its folders; one without class folders by the
    file that its publisher has put beside it. Raises UserError.
    """
    root = os.fspath(root)
    given = label_files.Labels(labels) if labels else None
    places = layout.find(root, to_learn, given is not None)
    found = Found(list(places.parts), problems=places.unused if to_learn else [])
    folders = {part: places.parts[part] for part in wanted if part in places.parts}
    named = _labelled(root, given, folders, found) if given else {}
    for part, folder in folders.items():
        if part in named:
            found.parts[part] = folder, named[part]
        elif (beside := _is_flat(folder) and part != "train" and label_files.beside(folder)):
            inner = _labelled(folder, label_files.Labels(beside), {part: folder}, found)
            found.parts[part] = folder, inner[part]
        elif part == "test" and len(folders) > 1 and _is_flat(folder):
            found.problems.append((folder, "nothing says of which classes its pictures are; they are left out"))
        elif not given or not _is_flat(folder):
            found.parts[part] = folder, _classes(folder, found.problems, places.excluded if folder == root else [])
    return found


def _labelled(root, labels, folders, found):
    """{part: {class: paths}} by a file of labels."""
    outside, unnamed = os.path.realpath(root), []
    paths = {part: list(_pictures_below(folder, unnamed, os.path.dirname(outside))) for part, folder in folders.items()}
    found.problems += [(path, reason) for path, reason in unnamed if not reason.startswith(_OTHER_ENDING)]
    parts = labels.assign(root, paths, found.problems, found.grave)
    found.lines |= {name: labels.at(line) for name, line in labels.lines.items()}
    return {part: {unicodedata.normalize("NFC", printable(name)): files for name, files in classes.items()}
            for part, classes in parts.items()}


def _is_flat(folder):
    """Does it hold pictures, or nothing but one folder of them, instead of class folders?"""
    folders, pictures = listing(folder)
    return not folders and bool(pictures) or len(folders) == 1 and layout.is_doubtful(folders[0])


def _classes(root, problems, excluded=()):
    """Class name -> list of picture paths, classes in alphabetical order. Appends what is left out to `problems`."""
    folders, pictures = listing(root)
    if not folders and pictures:
        raise UserError(f"{root} holds {len(pictures)} pictures but no class folders: put each class into a folder of its own, "
                        "or say in a file what each picture is (--labels FILE)")
    if not folders:
        raise UserError(f"{root} holds no class folders: give the folder whose folders are named after the classes")
    problems += [(os.path.join(root, name), "it lies outside the class folders") for name in pictures]
    problems += [(entry.path, f"minialex keeps its runs in folders called {RUNS}, so it is no class") for entry in entries(root)
                 if entry.name.lower() == RUNS and is_folder(entry) and any(listing(entry.path))]
    classes = {}
    for name in folders:
        if name in excluded:
            continue
        folder, spelled = os.path.join(root, name), unicodedata.normalize("NFC", printable(name))
        if spelled in classes:
            raise UserError(f"{root} holds two folders named {spelled}, spelled with different code points: join them")
        before = len(problems)
        classes[spelled] = list(_pictures_below(folder, problems, os.path.realpath(root)))
        if not classes[spelled] and len(problems) == before:
            problems.append((folder, "the class folder holds no pictures"))
    return {name: classes[name] for name in sorted(classes) if classes[name]}


def files_below(path):
    """Paths of the pictures in a folder and the folders in it, in order of their names, without those that minialex has drawn;
    of a file, its own. Raises UserError when a folder holds none.
    """
    if not os.path.isdir(path):
        return [path]
    below = _pictures_below(os.fspath(path), [], os.path.dirname(os.path.realpath(path)))
    found = [picture for picture in below if not is_own_picture(picture)]
    if not found:
        raise UserError(f"{printable(path)} holds no pictures ({' '.join(ENDINGS)})")
    return found


_OTHER_ENDING = "its name ends in none of"


def _pictures_below(folder, problems, root):
    """Paths of the pictures in a class folder and the folders in it, following links, but into no folder twice."""
    seen = set()
    waiting = [(folder, root)]  # (path, real path of the folder it lies in); a stack, since folders can lie 2,000 deep
    while waiting:
        path, outside = waiting.pop()
        if isinstance(path, str):
            waiting += reversed(_enter(path, outside, seen, problems))
        elif is_folder(path) and not path.name.lower().endswith(ENDINGS):
            waiting.append((path.path, outside))
        elif not is_file(path):
            what = "it is a folder, not a picture" if is_folder(path) else "it is not a file, or a link to nothing"
            problems.append((path.path, what))
        elif path.name.lower().endswith(ENDINGS):
            yield path.path
        else:
            problems.append((path.path, f"{_OTHER_ENDING} {' '.join(ENDINGS)}"))


def _enter(folder, outside, seen, problems):
    """What lies in a folder, as (entry, the folder's real path); nothing when it was entered before or cannot be."""
    here = os.path.realpath(folder)
    back = (outside + os.sep).startswith(here.rstrip(os.sep) + os.sep)
    if back or here in seen:
        problems.append((folder, "this link leads back to a folder that contains it" if back
                         else "this link leads to a folder whose pictures the class has already"))
        return []
    seen.add(here)
    try:
        return [(entry, here) for entry in entries(folder)]
    except UserError as error:
        problems.append((folder, f"{str(error.__cause__.strerror)}: what is in this folder cannot be used"))
        return []
