"""Training and validation pictures from a tree of class folders, or from a pack: which pictures, and how they are divided.

A division that is made here is the same one every time: it depends on the seed and the names alone.
"""

import zlib

import numpy as np

from ..errors import require
from ..utils.files import Place
from .packing import Pack, PackedSet, is_pack
from .pictures import SIZE, PictureSet
from .problems import Reporter, report_first, report_problem, stop_at_problem
from .tree import Found, scan
from .walk import Classes

Pair = tuple[PictureSet, PictureSet]


def open_folder(root: Place, val_fraction: float = 0.2, seed: int = 0, max_classes: int | None = None,
                max_images: int | None = None, *, labels: Place | None = None, size: int = SIZE,
                cache_bytes: int = 2**30, report: Reporter = report_problem, strict: bool = False) -> Pair:
    """Open a tree of class folders: (train, val), two PictureSets with the same classes in alphabetical order.

    Where the tree has no val/, `val_fraction` of each class is set aside by `seed`, the same pictures every time.
    max_classes, max_images: take only so many classes, and so many pictures from each class folder; the choice depends
    on `seed` and the names alone, and a smaller choice is part of a larger one.
    labels: a file that says what the pictures are, where no class folders do (see labels).
    size: pixels a side of a decoded picture; cache_bytes: memory for decoded pictures (train and val share it; a pack needs
    none, since the operating system keeps what is read in free memory).
    report(path, reason): called for the first 10 files that are no pictures, once for the rest of them, and for each
    damaged picture; by default it prints a line. strict: raise UserError at a damaged picture, or at a class of val/ that
    train/ does not have, instead.
    Raises UserError with the path for a tree that cannot be used. Files that are no pictures are left out and listed in
    train.problems; damaged pictures join the .problems of their own set when they are first read.
    """
    require(0 < val_fraction < 1, f"the validation fraction must lie between 0 and 1, such as 0.2, but it is {val_fraction}")
    for number, what in (
            (max_classes, "a classifier needs at least 2 classes"), (max_images, "each class needs at least 2 pictures")):
        require(number is None or number >= 2, f"{what}, but the subset asks for {number}")
    found = look_into(root, labels, size, strict=strict)
    (train_root, classes), (val_root, given) = found.train, found.parts.get("val", (None, {}))
    require(max_classes is None or max_classes <= len(classes),
            f"the subset asks for {max_classes} classes, but {train_root} holds {len(classes)}")
    chosen = sorted(_shuffled(list(classes), "", seed)[:max_classes])
    train, val = ({name: _shuffled(part.get(name, []), name, seed)[:max_images] for name in chosen} for part in (classes, given))
    if val_root is None:
        train, val = _split(train, val_fraction)
    where = val_root or found.root
    require(any(val.values()), f"{where} leaves no picture for validation: " + (
        "every class needs at least two pictures" if val_root is None else
        f"it has none of the classes of {train_root} ({', '.join(chosen[:3])}{', ...' * (len(chosen) > 3)})"))
    counts = [sum(map(len, part.values())) for part in (train, val)]
    damaged = stop_at_problem if strict else report
    sets = [picture_set(found, chosen, part, size, round(cache_bytes * count / sum(counts)), damaged)
            for part, count in zip((train, val), counts)]
    missing = [(where, f"no picture for validation of the class {name}") for name in chosen if not val[name]]
    sets[0].problems = report_first([*found.problems, *missing], found.root, report)
    return sets[0], sets[1]


def look_into(root: Place, labels: Place | None, size: int, to_learn: bool = True,
              strict: bool = False) -> Found:
    """Find what a tree or a pack holds. to_learn: refuse what cannot be learnt from. Raises UserError; strict: see scan."""
    if not is_pack(root):
        return scan(root, labels, to_learn, strict)
    require(not (labels and to_learn), f"{root} was packed with the classes of its pictures: give --labels when packing")
    pack = Pack(root)
    require(pack.size == size, f"{pack.folder} holds pictures of {pack.size}×{pack.size}, this network needs {size}×{size}: "
            f"pack the tree again with --size {size}")
    pack.found.stop_if(strict)
    return pack.found


def picture_set(found: Found, classes: list[str], files: Classes, size: int, cache_bytes: int, report: Reporter) -> PictureSet:
    """Make a PictureSet of these files, sorted by class and path."""
    labelled = [(label, path) for label, name in enumerate(classes) for path in sorted(files.get(name, ()))]
    labels, paths = [label for label, _ in labelled], [path for _, path in labelled]
    about = classes, labels, paths, [found.name(path) for path in paths], size, cache_bytes, report
    return PictureSet(*about) if found.pack is None else PackedSet(found.pack, *about)


def _shuffled(items: list[str], name: str, seed: int) -> list[str]:
    """The items in an order that depends on `seed` and `name` alone, not on what else the tree holds."""
    order = np.random.default_rng([seed, zlib.crc32(name.encode())]).permutation(len(items))
    return [items[i] for i in order]


def _split(found: Classes, val_fraction: float) -> tuple[Classes, Classes]:
    counts = {name: min(max(round(len(files) * val_fraction), 1), len(files) - 1) for name, files in found.items()}
    return ({name: files[counts[name]:] for name, files in found.items()},
            {name: files[:counts[name]] for name, files in found.items()})
