"""What --data, --subset and --labels mean together: which pictures to train on, or to judge a network on.

    --data DIR                   all of a tree of class folders, or of what minialex.pack made of it
    --data DIR --subset 10       ten of its classes
    --data DIR --subset 10x100   100 pictures of each of ten classes
    --subset                     the built-in ten classes
    --subset 5x60                five of them, 60 pictures each
    --subset imagenette          ten classes of ImageNet, downloaded

Which classes and pictures a smaller number keeps is the same every time.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import UserError, require
from ..utils.files import Place
from .folder import look_into, open_folder, picture_set
from .packing import PackedSet
from .pictures import PictureSet
from .problems import Reporter, report_first, report_problem
from .sources import builtin, imagenette

SOURCES: dict[str, Callable[..., tuple[PictureSet, PictureSet]]] = {"builtin": builtin, "imagenette": imagenette}


@dataclass(frozen=True)
class Subset:
    """source: "builtin", "imagenette" or None (the text named none); max_classes, max_images: int or None (all)."""

    source: str | None = None
    max_classes: int | None = None
    max_images: int | None = None


def parse_subset(text: str) -> Subset:
    """Read the text after --subset: "", "10", "10x100", "builtin", "imagenette". Raises UserError for anything else."""
    text = text.strip().lower()
    if text == "" or text in SOURCES:
        return Subset(text or None)
    numbers = re.fullmatch(r"([0-9]{1,9})(?:x([0-9]{1,9}))?", text)
    if numbers is None:
        raise UserError(f"the subset {text!r} is none of: 10 (classes), 10x100 (classes x pictures of each), builtin, imagenette")
    chosen = [int(number) for number in numbers.groups() if number]
    require(min(chosen) >= 2, f"the subset {text!r} is too small: at least 2 classes and 2 pictures of each, such as 10x100")
    return Subset(None, *chosen)


def open_data(data: Place | None = None, subset: str | None = None, cache_dir: Place | None = None,
              progress: bool = True, labels: Place | None = None, **options: Any) -> tuple[PictureSet, PictureSet]:
    """Open what the user asked for: (train, val). data: a folder or None; subset: the text after --subset or None.

    labels: a file that says what the pictures in `data` are (see labels), or None.
    options: open_folder's val_fraction, seed, size, cache_bytes. Raises UserError if the two do not go together.
    """
    chosen = parse_subset(subset) if subset is not None else Subset()
    options |= {"max_classes": chosen.max_classes, "max_images": chosen.max_images}
    require((data, subset) != (None, None), "no pictures are named: give --data DIR, or --subset for the built-in ones")
    if data is None:
        require(labels is None, f"--labels {labels} says what pictures of your own are: give their folder with --data DIR")
        return SOURCES[chosen.source or "builtin"](cache_dir, progress=progress, **options)
    require(chosen.source is None, f"--data and --subset {chosen.source} name two sets of pictures: leave one of them out")
    require(subset is None or chosen.max_classes,
            "--subset after --data needs a number of classes, such as --subset 10 or --subset 10x100")
    return open_folder(data, labels=labels, **options)


@dataclass(frozen=True)
class Picture:
    """One of open_whole's. part: "train", "val", "test", or "all" where the folder has no parts; label: its class's name; name:
    relative to the folder; path: where it lies; its pixels are number `index` of the PictureSet `source`."""

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


def open_whole(data: Place | None, subset: str | None = None, labels: Place | None = None, *, size: int,
               report: Reporter = report_problem, tell: bool = True, progress: bool = False) -> list[Picture]:
    """List every picture that --data, --subset and --labels mean together, whatever part it lies in: for a network that is
    judged, nothing has to be learnt, so a single class is enough, and so is a test/ without train/. A folder that can be trained
    on gives the same names here as there. tell: also report what is no picture.

    Raises UserError as open_data does, but takes any folder with at least one picture in a class folder.
    """
    if data is None or subset is not None:
        train, val = open_data(data, subset, labels=labels, progress=progress, size=size)
        return [*_listed("train", train), *_listed("val", val)]
    found = look_into(data, labels, size, to_learn=False)
    report_first(found.problems, found.root, report if tell else None)
    return [picture for part, (_, classes) in found.parts.items()
            for picture in _listed(part, picture_set(found, sorted(classes), classes, size, 2**28, report))]


def _listed(part: str, pictures: PictureSet) -> Iterator[Picture]:
    for index, (label, name, path) in enumerate(zip(pictures.labels.tolist(), pictures.names, pictures.paths)):
        yield Picture(part, pictures.classes[label], name.replace(os.sep, "/"), path, pictures, index)
