"""What --data, --subset and --labels mean together: which pictures to train on and to validate
with, or to judge a network on.

    --data DIR                   all of a tree of class folders, or of what minialex.pack made of it
    --data DIR --subset 10       ten of its classes
    --data DIR --subset 10x100   100 pictures of each of ten classes
    --subset                     the built-in ten classes
    --subset 5x60                five of them, 60 pictures each
    --subset imagenette          ten classes of ImageNet, downloaded

Which classes and pictures a smaller number keeps, and which are set aside for validation where the
tree has no val/, is the same every time: it depends on the seed and the names alone.
"""

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import require
from ..folders.labels import Labels
from ..folders.problems import Reporter, report_first, report_problem, stop_at_problem
from ..folders.tree import Found, scan
from ..folders.walk import Classes
from ..sets import sources
from ..sets.subset import SOURCES, Subset, parse_subset
from ..utils.files import Place
from .packing import Pack, PackedSet, is_pack
from .pictures import SIZE, PictureSet

Pair = tuple[PictureSet, PictureSet]


def open_data(data: Place | None = None, subset: str | None = None, cache_dir: Place | None = None,
              progress: bool = True, labels: Place | None = None, **options: Any) -> Pair:
    """Open what the user asked for: (train, val). data: a folder or None; subset: the text after
    --subset or None.

    labels: a file that says what the pictures in `data` are (see labels), or None. options:
    open_folder's val_fraction, seed, size, cache_bytes. Raises UserError if the two do not go
    together.
    """
    chosen = parse_subset(subset) if subset is not None else Subset()
    require((data, subset) != (None, None), "no pictures are named: give --data DIR, "
            "or --subset for the built-in ones")
    if data is None:
        require(labels is None, f"--labels {labels} says what pictures of your own are: "
                "give their folder with --data DIR")
        data = SOURCES[chosen.source or "builtin"](cache_dir, progress)
    else:
        require(chosen.source is None, f"--data and --subset {chosen.source} name two sets of "
                "pictures: leave one of them out")
        require(subset is None or chosen.max_classes, "--subset after --data needs a number of "
                "classes, such as --subset 10 or --subset 10x100")
    return open_folder(data, max_classes=chosen.max_classes, max_images=chosen.max_images,
                       labels=labels, **options)


def builtin(cache_dir: Place | None = None, progress: bool = True, **options: Any) -> Pair:
    """Open the built-in set: (train, val), ten classes of patterns with 120 and 40 pictures each,
    the same on every machine.

    cache_dir, progress: see sources.drawn. options: open_folder's max_classes, max_images, seed,
    size, cache_bytes. Raises UserError if they cannot be written.
    """
    return open_folder(sources.drawn(cache_dir, progress), **options)


def imagenette(cache_dir: Place | None = None, url: str = sources.URL,
               sha256: str | None = sources.SHA256, progress: bool = True, timeout: float = 30,
               **options: Any) -> Pair:
    """Open Imagenette with the shorter side at 320 pixels: (train, val), 9,469 and 3,925
    photographs of ten easily told classes of ImageNet, by fast.ai. Downloads 342 MB on first use
    (see sources.downloaded). options: open_folder's. Raises UserError.
    """
    return open_folder(sources.downloaded(cache_dir, progress, url, sha256, timeout), **options)


def open_folder(root: Place, val_fraction: float = 0.2, seed: int = 0,
                max_classes: int | None = None, max_images: int | None = None, *,
                labels: Place | None = None, size: int = SIZE, cache_bytes: int = 2**30,
                report: Reporter = report_problem, strict: bool = False) -> Pair:
    """Open a tree of class folders: (train, val), two PictureSets with the same classes in
    alphabetical order.

    Where the tree has no val/, `val_fraction` of each class is set aside by `seed`, the same
    pictures every time. max_classes, max_images: take only so many classes, and so many pictures
    from each class folder; the choice depends on `seed` and the names alone, and a smaller choice
    is part of a larger one. labels: a file that says what the pictures are, where no class folders
    do (see labels). size: pixels a side of a decoded picture; cache_bytes: memory for decoded
    pictures (train and val share it; a pack needs none, since the operating system keeps what is
    read in free memory). report(path, reason): called for the first 10 files that are no pictures,
    once for the rest of them, and for each damaged picture; by default it prints a line. strict:
    raise UserError at a damaged picture, or at a class of val/ that train/ does not have, instead.
    Raises UserError with the path for a tree that cannot be used. Files that are no pictures are
    left out and listed in train.problems; damaged pictures join the .problems of their own set when
    they are first read.
    """
    require(0 < val_fraction < 1, "the validation fraction must lie between 0 and 1, such as 0.2, "
            f"but it is {val_fraction}")
    for number, what in ((max_classes, "a classifier needs at least 2 classes"),
                         (max_images, "each class needs at least 2 pictures")):
        require(number is None or number >= 2, f"{what}, but the subset asks for {number}")
    found = look_into(root, labels, size, strict=strict)
    (train_root, classes), (val_root, given) = found.train, found.parts.get("val", (None, {}))
    require(max_classes is None or max_classes <= len(classes),
            f"the subset asks for {max_classes} classes, but {train_root} holds {len(classes)}")
    chosen = sorted(_shuffled(list(classes), "", seed)[:max_classes])
    train, val = ({name: _shuffled(part.get(name, []), name, seed)[:max_images] for name in chosen}
                  for part in (classes, given))
    if val_root is None:
        train, val = _split(train, val_fraction)
    where = val_root or found.root
    require(any(val.values()), f"{where} leaves no picture for validation: " + (
        "every class needs at least two pictures" if val_root is None else "it has none of the "
        f"classes of {train_root} ({', '.join(chosen[:3])}{', ...' * (len(chosen) > 3)})"))
    counts = [sum(map(len, part.values())) for part in (train, val)]
    damaged = stop_at_problem if strict else report
    sets = [picture_set(found, chosen, part, size, round(cache_bytes * count / sum(counts)),
                        damaged) for part, count in zip((train, val), counts)]
    missing = [(where, f"no picture for validation of the class {name}")
               for name in chosen if not val[name]]
    sets[0].problems = report_first([*found.problems, *missing], found.root, report)
    return sets[0], sets[1]


def look_into(root: Place, labels: Place | None, size: int, to_learn: bool = True,
              strict: bool = False) -> Found:
    """Find what a tree or a pack holds. to_learn: refuse what cannot be learnt from. Raises
    UserError; strict: see scan."""
    if not is_pack(root):
        return scan(root, labels, to_learn, strict)
    pack = Pack(root)
    if labels and to_learn:
        _check_agreement(pack.found, labels)
    require(pack.size == size, f"{pack.folder} holds pictures of {pack.size}×{pack.size}, "
            f"this network needs {size}×{size}: pack the tree again with --size {size}")
    pack.found.stop_if(strict)
    return pack.found


def _check_agreement(found: Found, labels: Place) -> None:
    """Raise UserError where a file of labels gives a picture another class than its pack does."""
    def by_path(parts):
        return {path: name for classes in parts for name, paths in classes.items()
                for path in paths}

    parts = {part: classes for part, (_, classes) in found.parts.items()}
    said = by_path(Labels(labels).assign(
        found.root, {part: list(by_path([classes])) for part, classes in parts.items()}, [], [], {}
    ).values())
    for path, name in by_path(parts.values()).items():
        require(said.get(path, name) == name, f"{found.root} was packed with other classes than "
                f"{labels} has, such as {name} for {found.name(path)} instead of {said.get(path)}: "
                "give --labels when packing")


def picture_set(found: Found, classes: list[str], files: Classes, size: int, cache_bytes: int,
                report: Reporter) -> PictureSet:
    """Make a PictureSet of these files, sorted by class and path."""
    labelled = [(label, path) for label, name in enumerate(classes)
                for path in sorted(files.get(name, ()))]
    labels, paths = [label for label, _ in labelled], [path for _, path in labelled]
    about = classes, labels, paths, [found.name(path) for path in paths], size, cache_bytes, report
    return PictureSet(*about) if found.pack is None else PackedSet(found.pack, *about)


def _shuffled(items: list[str], name: str, seed: int) -> list[str]:
    """The items in an order that depends on `seed` and `name` alone, not on what else the tree
    holds."""
    order = np.random.default_rng([seed, zlib.crc32(name.encode())]).permutation(len(items))
    return [items[i] for i in order]


def _split(found: Classes, val_fraction: float) -> tuple[Classes, Classes]:
    counts = {name: min(max(round(len(files) * val_fraction), 1), len(files) - 1)
              for name, files in found.items()}
    return ({name: files[counts[name]:] for name, files in found.items()},
            {name: files[:counts[name]] for name, files in found.items()})


@dataclass(frozen=True)
class Picture:
    """One of open_whole's. part: "train", "val", "test", or "all" where the folder has no parts;
    label: its class's name; name: relative to the folder; path: where it lies; its pixels are
    number `index` of the PictureSet `source`."""

    part: str
    label: str
    name: str
    path: str
    source: PictureSet
    index: int

    @property
    def is_file(self) -> bool:
        """Does it lie in a file of its own, not in a pack?"""
        return not isinstance(self.source, PackedSet)


def open_whole(data: Place | None, subset: str | None = None, labels: Place | None = None, *,
               size: int, report: Reporter = report_problem, tell: bool = True,
               progress: bool = False) -> list[Picture]:
    """List every picture that --data, --subset and --labels mean together, whatever part it lies
    in: for a network that is judged, nothing has to be learnt, so a single class is enough, and so
    is a test/ without train/. A folder that can be trained on gives the same names here as there.
    tell: also report what is no picture.

    Raises UserError as open_data does, but takes any folder with at least one picture in a class
    folder.
    """
    if data is None or subset is not None:
        train, val = open_data(data, subset, labels=labels, progress=progress, size=size)
        return [*_listed("train", train), *_listed("val", val)]
    found = look_into(data, labels, size, to_learn=False)
    report_first(found.problems, found.root, report if tell else None)
    return [picture for part, (_, classes) in found.parts.items()
            for picture in _listed(part, picture_set(found, sorted(classes), classes, size, 2**28,
                                                     report))]


def _listed(part: str, pictures: PictureSet) -> Iterator[Picture]:
    for index, (label, name, path) in enumerate(zip(pictures.labels.tolist(), pictures.names,
                                                    pictures.paths)):
        yield Picture(part, pictures.classes[label], name.replace(os.sep, "/"), path, pictures,
                      index)
