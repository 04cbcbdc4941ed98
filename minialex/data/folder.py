"""Training and validation pictures from a tree of class folders: which pictures, and how they are divided.

A division that is made here is the same one every time: it depends on the seed and the names alone.
"""

import os
import zlib

import numpy as np

from minialex.data.pictures import SIZE, PictureSet, printable, report_problem, stop_at_problem
from minialex.data.tree import scan
from minialex.errors import UserError

SHOWN = 10  # lines about what is left out; the others are counted


def open_folder(
    root,
    val_fraction=0.2,
    seed=0,
    max_classes=None,
    max_images=None,
    *,
    labels=None,
    size=SIZE,
    cache_bytes=2**30,
    report=report_problem,
    strict=False,
):
    """Open a tree of class folders: (train, val), two PictureSets with the same classes in alphabetical order.

    Where the tree has no val/, `val_fraction` of each class is set aside by `seed`, the same pictures every time.
    max_classes, max_images: take only so many classes, and so many pictures from each class folder; the choice depends
    on `seed` and the names alone, and a smaller choice is part of a larger one.
    labels: a file that says what the pictures are, where no class folders do (see labels).
    size: pixels a side of a decoded picture; cache_bytes: memory for decoded pictures (train and val share it);
    report(path, reason): called for the first 10 files that are no pictures, once for the rest of them, and for each
    damaged picture; by default it prints a line. strict: raise UserError at a damaged picture, or at a class of val/ that
    train/ does not have, instead.
    Raises UserError with the path for a tree that cannot be used. Files that are no pictures are left out and listed in
    train.problems; damaged pictures join the .problems of their own set when they are first read.
    """
    check_arguments(val_fraction, max_classes, max_images)
    tree = scan(root, labels)

    def picture_set(classes, labels, paths, names, share):
        return PictureSet(classes, labels, paths, names, size, round(cache_bytes * share), stop_at_problem if strict else report)

    return divide(tree, picture_set, val_fraction, seed, max_classes, max_images, report, strict)


def divide(tree, picture_set, val_fraction, seed, max_classes, max_images, report, strict):
    """(train, val) of a Tree, each made by picture_set(classes, labels, paths, names, share of all pictures)."""
    if strict and tree.grave:
        stop_at_problem(*tree.grave[0])
    chosen = _choose_classes(tree.train, tree.train_root, max_classes, seed)
    train = {name: _shuffled(tree.train[name], name, seed)[:max_images] for name in chosen}
    val = {name: _shuffled((tree.val or {}).get(name, []), name, seed)[:max_images] for name in chosen}
    if tree.val_root is None:
        train, val = _split(train, val_fraction)
    where = tree.val_root or tree.root
    problems = [*tree.problems, *((where, f"no picture for validation of the class {n}") for n in chosen if not val[n])]
    if not any(val.values()):
        raise UserError(f"{where} leaves no picture for validation: " + (
            "every class needs at least two pictures" if tree.val_root is None else
            f"it has none of the classes of {tree.train_root} ({', '.join(chosen[:3])}{', ...' * (len(chosen) > 3)})"))
    total = sum(len(files) for part in (train, val) for files in part.values())
    sets = []
    for part in (train, val):
        labelled = [(label, path) for label, name in enumerate(chosen) for path in sorted(part[name])]
        labels, paths = [label for label, _ in labelled], [path for _, path in labelled]
        names = [path.removeprefix(os.path.join(tree.root, "")) for path in paths]
        sets.append(picture_set(chosen, labels, paths, names, len(paths) / total))
    sets[0].problems = [(printable(path), reason) for path, reason in problems]
    if report is not None:
        report_first(sets[0].problems, tree.root, report)
    return tuple(sets)


def report_first(problems, root, report):
    """Report the first problems one by one, and how many more there are."""
    for path, reason in problems[:SHOWN]:
        report(path, reason)
    if len(problems) > SHOWN:
        report(printable(root), f"{len(problems) - SHOWN:,} more files or folders in it that cannot be used")


def check_arguments(val_fraction, max_classes, max_images):
    """Raises UserError for numbers that no division can have."""
    if not 0 < val_fraction < 1:
        raise UserError(f"the validation fraction must lie between 0 and 1, such as 0.2, but it is {val_fraction}")
    if max_classes is not None and max_classes < 2:
        raise UserError(f"a classifier needs at least 2 classes, but the subset asks for {max_classes}")
    if max_images is not None and max_images < 2:
        raise UserError(f"each class needs at least 2 pictures, but the subset asks for {max_images}")


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
