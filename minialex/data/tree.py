"""What a tree of class folders holds: the name of a folder is the class of the pictures in it.

    root/train/cat/1.jpg  root/val/cat/9.jpg  ...    the division into training and validation is given,
    root/cat/1.jpg        root/dog/2.jpg      ...    or is made later (see folder)

Train/, training/, valid/ and validation/ mean the same. A folder is such a part when it holds folders; a train/ full of
pictures beside bus/ and car/ is a class. Whatever cannot be used becomes one line with its path and the reason; only a tree
that leaves nothing to learn from is an error.
"""

import os
import unicodedata
from dataclasses import dataclass

from minialex.data.pictures import ENDINGS, printable
from minialex.errors import UserError

TRAIN_NAMES = ("train", "training")
VALIDATION_NAMES = ("val", "valid", "validation")
TEST_NAMES = ("test", "testing")
PART_NAMES = TRAIN_NAMES + VALIDATION_NAMES + TEST_NAMES
SYSTEM_FILES = ("thumbs.db", "desktop.ini")


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


def scan(root):
    """The Tree below the folder `root`. Raises UserError with the path for one that cannot be used."""
    root = os.fspath(root)
    problems, grave = [], []
    train_root, val_root = _find_roots(root, problems)
    train = _classes(train_root, problems)
    val = None if val_root is None else _classes(val_root, problems)
    _check_classes(train, train_root)
    for name in [name for name in val or () if name not in train]:
        count = len(val.pop(name))
        grave.append((os.path.join(val_root, name), f"{train_root} has no pictures of this class; its pictures ({count:,}) are "
                      "left out of validation"))
    return Tree(root, train_root, val_root, train, val, problems + grave, grave)


def scan_parts(root):
    """({"train": {class: paths}, "val": ..., "test": ...}, problems): all that lies below `root`, whatever can be learnt from it.

    A folder without such parts is one part, "all". Raises UserError with the path for one that holds no class folders.
    """
    _check_folder(root)
    parts, problems = _parts(root, _list(root)[0]), []
    where = {names[0]: _part(root, parts, names) for names in (TRAIN_NAMES, VALIDATION_NAMES, TEST_NAMES)}
    roots = {part: os.path.join(root, name) for part, name in where.items() if name} or {"all": _real_root(root)}
    found = {part: _classes(folder, problems) for part, folder in roots.items()}
    if not any(found.values()):
        raise UserError(f"the class folders in {root} hold no pictures ({' '.join(ENDINGS)})")
    return found, problems


def _check_folder(root):
    if not os.path.exists(root):
        raise UserError(f"there is no folder {root}: check the path of the pictures")
    if not os.path.isdir(root):
        raise UserError(f"{root} is a file: give the folder that holds the class folders")


def _find_roots(root, problems):
    """(folder of the training classes, folder of the validation classes or None)."""
    _check_folder(root)
    folders, pictures = _list(root)
    parts = _parts(root, folders)
    train, val = _part(root, parts, TRAIN_NAMES), _part(root, parts, VALIDATION_NAMES)
    if train:
        unused = [name for name in folders if name not in (train, val)]
        problems += [(os.path.join(root, name), f"it lies beside {train}/ and is not used") for name in unused]
        return _not_nested(root, train), val and _not_nested(root, val)
    if parts and parts == folders:
        raise UserError(f"{root} has {'/, '.join(parts)}/ but no train/: there is nothing to learn from")
    real_root = _real_root(root)
    if real_root != root:
        raise UserError(f"{root} holds nothing but a folder that holds the class folders: give {real_root}")
    _check_that_folders_are_classes(root, folders)
    return root, None


def _not_nested(root, name):
    """root/train, unless it holds nothing but another train/, as after unpacking an archive in the wrong place."""
    part = os.path.join(root, name)
    folders, pictures = _list(part)
    if len(folders) == 1 and not pictures:
        inner = os.path.join(part, folders[0])
        if len(_list(inner)[0]) > 1 and not _is_inside_itself(part, inner):
            raise UserError(f"{part} holds nothing but {folders[0]}/ with the class folders: move them one folder up")
    return part


def _parts(root, folders):
    """Those of the folders that are parts of the data and no classes."""
    named = [name for name in folders if name.lower() in PART_NAMES]
    if named == folders:  # nothing that could be a class lies beside them
        return named
    return [name for name in named if _list(os.path.join(root, name))[0]]


def _part(root, parts, names):
    found = [name for name in parts if name.lower() in names]
    if len(found) > 1:
        raise UserError(f"{root} holds {' and '.join(found)}, which mean the same: keep one of them")
    return found[0] if found else None


def _check_that_folders_are_classes(root, folders):
    """Parts of the data with names of their own show in this: they hold the same folders, and no pictures beside them."""
    inside = [_list_or_nothing(os.path.join(root, name)) for name in folders]
    if len(folders) < 2 or any(pictures for _, pictures in inside):
        return
    shared = sorted(set.intersection(*(set(inner) for inner, _ in inside)))
    if len(shared) > 1:  # a single one is often called "images"
        raise UserError(f"the folders {', '.join(folders[:3])} in {root} all hold {', '.join(shared[:3])}: if these are the "
                        "classes, name the outer folders train and val; if not, put each class's pictures into its folder itself")


def _real_root(root):
    """Where the tree branches: the folder itself, or one below it if on the way there is nothing but one folder."""
    here = root
    while True:
        folders, pictures = _list_or_nothing(here)
        if len(folders) != 1 or pictures or folders[0].lower() in PART_NAMES:
            return here
        inner = os.path.join(here, folders[0])
        is_class = not _list_or_nothing(inner)[0]
        if is_class or _is_inside_itself(here, inner):
            return here
        here = inner


def _is_inside_itself(outer, inner):
    return os.path.realpath(outer).startswith(os.path.realpath(inner))


def _list(folder):
    """Names of the folders and of the picture files in a folder, sorted, without hidden ones."""
    entries = _entries(folder)
    folders = [entry.name for entry in entries if _is_folder(entry)]
    return folders, [entry.name for entry in entries if entry.name.lower().endswith(ENDINGS) and not _is_folder(entry)]


def _list_or_nothing(folder):
    try:
        return _list(folder)
    except UserError:
        return [], []


def _entries(folder):
    try:
        with os.scandir(folder) as entries:
            visible = [e for e in entries if not e.name.startswith(".") and e.name.lower() not in SYSTEM_FILES]
    except OSError as error:
        raise UserError(f"cannot look into the folder {printable(folder)}: {error.strerror}") from error
    return sorted(visible, key=lambda entry: entry.name)


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link that points to itself
        return False


def _is_file(entry):
    try:
        return entry.is_file()
    except OSError:
        return False


def _classes(root, problems):
    """Class name -> list of picture paths, classes in alphabetical order. Appends what is left out to `problems`."""
    folders, pictures = _list(root)
    if not folders and pictures:
        count = len(pictures)
        raise UserError(f"{root} holds {count} pictures but no class folders: put each class into a folder of its own")
    if not folders:
        raise UserError(f"{root} holds no class folders: give the folder whose folders are named after the classes")
    problems += [(os.path.join(root, name), "it lies outside the class folders") for name in pictures]
    classes = {}
    for name in folders:
        folder, spelled = os.path.join(root, name), unicodedata.normalize("NFC", printable(name))
        if spelled in classes:
            raise UserError(f"{root} holds two folders named {spelled}, spelled with different code points: join them")
        before = len(problems)
        classes[spelled] = list(_pictures_below(folder, problems, os.path.realpath(root)))
        if not classes[spelled] and len(problems) == before:
            problems.append((folder, "the class folder holds no pictures"))
    return {name: classes[name] for name in sorted(classes) if classes[name]}


def _pictures_below(folder, problems, root):
    """Paths of the pictures in a class folder and the folders in it, following links, but into no folder twice."""
    seen = set()
    waiting = [(folder, root)]  # (path, real path of the folder it lies in); a stack, since folders can lie 2,000 deep
    while waiting:
        path, outside = waiting.pop()
        if isinstance(path, str):
            waiting += reversed(_enter(path, outside, seen, problems))
        elif _is_folder(path) and not path.name.lower().endswith(ENDINGS):
            waiting.append((path.path, outside))
        elif not _is_file(path):
            what = "it is a folder, not a picture" if _is_folder(path) else "it is not a file, or a link to nothing"
            problems.append((path.path, what))
        elif path.name.lower().endswith(ENDINGS):
            yield path.path
        else:
            problems.append((path.path, f"its name ends in none of {' '.join(ENDINGS)}"))


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
        return [(entry, here) for entry in _entries(folder)]
    except UserError as error:
        problems.append((folder, f"{str(error.__cause__.strerror)}: what is in this folder cannot be used"))
        return []


def _check_classes(train, train_root):
    if not train:
        raise UserError(f"the class folders in {train_root} hold no pictures ({' '.join(ENDINGS)})")
    if len(train) == 1:
        only = next(iter(train))
        raise UserError(f"{train_root} holds pictures of one class only ({only}): a classifier needs at least two")
