"""Pictures in class folders: the name of a folder is the class of the pictures in it.

    root/train/cat/1.jpg  root/val/cat/9.jpg  ...    the division into training and validation is given,
    root/cat/1.jpg        root/dog/2.jpg      ...    or is made here

and then it is the same one every time. Train/, training/, valid/ and validation/ mean the same. A folder is such a part
when it holds folders; a train/ full of pictures beside bus/ and car/ is a class.
"""

import os
import unicodedata
import zlib

import numpy as np

from minialex.data.pictures import ENDINGS, SIZE, PictureSet, printable, report_problem, stop_at_problem
from minialex.errors import UserError

TRAIN_NAMES = ("train", "training")
VALIDATION_NAMES = ("val", "valid", "validation")
TEST_NAMES = ("test", "testing")
PART_NAMES = TRAIN_NAMES + VALIDATION_NAMES + TEST_NAMES
SHOWN = 10  # lines about what is left out; the others are counted
SYSTEM_FILES = ("thumbs.db", "desktop.ini")


def open_folder(
    root,
    val_fraction=0.2,
    seed=0,
    max_classes=None,
    max_images=None,
    *,
    size=SIZE,
    cache_bytes=2**30,
    report=report_problem,
    strict=False,
):
    """Open a tree of class folders: (train, val), two PictureSets with the same classes in alphabetical order.

    Where the tree has no val/, `val_fraction` of each class is set aside by `seed`, the same pictures every time.
    max_classes, max_images: take only so many classes, and so many pictures from each class folder; the choice depends
    on `seed` and the names alone, and a smaller choice is part of a larger one.
    size: pixels a side of a decoded picture; cache_bytes: memory for decoded pictures (train and val share it);
    report(path, reason): called for the first 10 files that are no pictures, once for the rest of them, and for each
    damaged picture; by default it prints a line. strict: raise UserError at a damaged picture instead.
    Raises UserError with the path for a tree that cannot be used. Files that are no pictures are left out and listed in
    train.problems; damaged pictures join the .problems of their own set when they are first read.
    """
    root = os.fspath(root)
    _check_arguments(val_fraction, max_classes, max_images)
    problems = []
    train_root, val_root = _find_roots(root, problems)
    train = _scan(train_root, problems)
    val = {} if val_root is None else _scan(val_root, problems)
    _check_classes(train, val, train_root, val_root)
    chosen = _choose_classes(train, train_root, max_classes, seed)
    train = {name: _shuffled(train[name], name, seed)[:max_images] for name in chosen}
    val = {name: _shuffled(val.get(name, []), name, seed)[:max_images] for name in chosen}
    if val_root is None:
        train, val = _split(train, val_fraction)
    problems += [(val_root or root, f"no picture for validation of the class {n}") for n in chosen if not val[n]]
    if not any(val.values()):
        raise UserError(f"{val_root or root} leaves no picture for validation: every class needs at least two pictures")
    total = sum(len(files) for part in (train, val) for files in part.values())
    sets = []
    for part in (train, val):
        labelled = [(label, path) for label, name in enumerate(chosen) for path in sorted(part[name])]
        labels, paths = [label for label, _ in labelled], [path for _, path in labelled]
        names = [os.path.relpath(path, root) for path in paths]
        sets.append(PictureSet(chosen, labels, paths, names, size, cache_bytes * len(paths) // total,
                               stop_at_problem if strict else report))
    sets[0].problems = [(printable(path), reason) for path, reason in problems]
    if report is not None:
        _report_first(sets[0].problems, root, report)
    return tuple(sets)


def _report_first(problems, root, report):
    for path, reason in problems[:SHOWN]:
        report(path, reason)
    if len(problems) > SHOWN:
        report(printable(root), f"{len(problems) - SHOWN:,} more files or folders in it that cannot be used")


def _check_arguments(val_fraction, max_classes, max_images):
    if not 0 < val_fraction < 1:
        raise UserError(f"the validation fraction must lie between 0 and 1, such as 0.2, but it is {val_fraction}")
    if max_classes is not None and max_classes < 2:
        raise UserError(f"a classifier needs at least 2 classes, but the subset asks for {max_classes}")
    if max_images is not None and max_images < 2:
        raise UserError(f"each class needs at least 2 pictures, but the subset asks for {max_images}")


def _find_roots(root, problems):
    """(folder of the training classes, folder of the validation classes or None)."""
    if not os.path.exists(root):
        raise UserError(f"there is no folder {root}: check the path of the pictures")
    if not os.path.isdir(root):
        raise UserError(f"{root} is a file: give the folder that holds the class folders")
    folders, pictures = _list(root)
    parts = _parts(root, folders)
    train, val = _part(root, parts, TRAIN_NAMES), _part(root, parts, VALIDATION_NAMES)
    if train:
        unused = [name for name in folders if name not in (train, val)]
        problems += [(os.path.join(root, name), f"it lies beside {train}/ and is not used") for name in unused]
        return os.path.join(root, train), val and os.path.join(root, val)
    if parts and parts == folders:
        raise UserError(f"{root} has {'/, '.join(parts)}/ but no train/: there is nothing to learn from")
    real_root = _real_root(root)
    if real_root != root:
        raise UserError(f"{root} holds nothing but a folder that holds the class folders: give {real_root}")
    _check_that_folders_are_classes(root, folders)
    return root, None


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
    inside = [_list(os.path.join(root, name)) for name in folders]
    if len(folders) < 2 or any(pictures for _, pictures in inside):
        return
    shared = sorted(set.intersection(*(set(inner) for inner, _ in inside)))
    if len(shared) > 1:  # a single one is often called "images"
        raise UserError(f"the folders {', '.join(folders[:3])} in {root} all hold {', '.join(shared[:3])}: if these are the "
                        "classes, name the outer folders train and val; if not, put each class's pictures into its folder itself")


def _real_root(root):
    """Where the tree branches: the folder itself, or one below it if on the way there is nothing but one folder."""
    folders, pictures = _list(root)
    if len(folders) != 1 or pictures or folders[0].lower() in PART_NAMES:
        return root
    inner = os.path.join(root, folders[0])
    is_class = not _list(inner)[0]
    return root if is_class or _is_inside_itself(root, inner) else _real_root(inner)


def _is_inside_itself(outer, inner):
    return os.path.realpath(outer).startswith(os.path.realpath(inner))


def _list(folder):
    """Names of the folders and of the picture files in a folder, sorted, without hidden ones."""
    entries = _entries(folder)
    folders = [entry.name for entry in entries if _is_folder(entry)]
    return folders, [entry.name for entry in entries if entry.name.lower().endswith(ENDINGS)]


def _entries(folder):
    try:
        with os.scandir(folder) as entries:
            visible = [e for e in entries if not e.name.startswith(".") and e.name.lower() not in SYSTEM_FILES]
    except OSError as error:
        raise UserError(f"cannot look into the folder {folder}: {error.strerror}") from error
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


def _scan(root, problems):
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
        classes[spelled] = list(_pictures_below(folder, problems, {os.path.realpath(root)}))
        if not classes[spelled]:
            problems.append((folder, "the class folder holds no pictures"))
    return {name: classes[name] for name in sorted(classes) if classes[name]}


def _pictures_below(folder, problems, above):
    """Paths of the pictures in a folder and the folders in it, following links but never in a circle."""
    here = os.path.realpath(folder)
    if here in above:
        problems.append((folder, "this link leads back to a folder that contains it"))
        return
    for entry in _entries(folder):
        if _is_folder(entry):
            yield from _pictures_below(entry.path, problems, above | {here})
        elif not _is_file(entry):
            problems.append((entry.path, "it is not a file, or a link to nothing"))
        elif entry.name.lower().endswith(ENDINGS):
            yield entry.path
        else:
            problems.append((entry.path, f"its name ends in none of {' '.join(ENDINGS)}"))


def _check_classes(train, val, train_root, val_root):
    if not train:
        raise UserError(f"the class folders in {train_root} hold no pictures ({' '.join(ENDINGS)})")
    if len(train) == 1:
        only = next(iter(train))
        raise UserError(f"{train_root} holds pictures of one class only ({only}): a classifier needs at least two")
    unknown = [name for name in val if name not in train]
    if unknown:
        listed = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        raise UserError(f"{val_root} holds classes of which {train_root} has no pictures: {listed}; add or remove them")


def _choose_classes(found, root, max_classes, seed):
    if max_classes is not None and max_classes > len(found):
        raise UserError(f"the subset asks for {max_classes} classes, but {root} holds {len(found)}")
    return sorted(_shuffled(list(found), "", seed)[:max_classes])


def _shuffled(items, name, seed):
    """The items in an order that depends on `seed` and `name` alone, not on what else the tree holds."""
    order = np.random.default_rng([seed, zlib.crc32(name.encode())]).permutation(len(items))
    return [items[i] for i in order]


def _split(found, val_fraction):
    train, val = {}, {}
    for name, files in found.items():
        count = min(max(round(len(files) * val_fraction), 1), len(files) - 1)
        train[name], val[name] = files[count:], files[:count]
    return train, val
