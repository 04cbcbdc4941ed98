"""What --data and --subset mean together: which pictures to train on.

    --data DIR                   all of a tree of class folders, or of what minialex.pack made of it
    --data DIR --subset 10       ten of its classes
    --data DIR --subset 10x100   100 pictures of each of ten classes
    --subset                     the built-in ten classes
    --subset 5x60                five of them, 60 pictures each
    --subset imagenette          ten classes of ImageNet, downloaded

Which classes and pictures a smaller number keeps is the same every time.
"""

import re
from dataclasses import dataclass

from minialex.data.folder import open_folder
from minialex.data.packed import is_pack, open_pack
from minialex.data.sources import builtin, imagenette
from minialex.errors import UserError

SOURCES = {"builtin": builtin, "imagenette": imagenette}


@dataclass(frozen=True)
class Subset:
    """source: "builtin", "imagenette" or None (the text named none); max_classes, max_images: int or None (all)."""

    source: str | None = None
    max_classes: int | None = None
    max_images: int | None = None


def parse_subset(text):
    """Read the text after --subset: "", "10", "10x100", "builtin", "imagenette". Raises UserError for anything else."""
    text = text.strip().lower()
    if text == "" or text in SOURCES:
        return Subset(text or None)
    numbers = re.fullmatch(r"([0-9]{1,9})(?:x([0-9]{1,9}))?", text)
    if numbers is None:
        raise UserError(
            f"the subset {text!r} is none of: 10 (classes), 10x100 (classes x pictures of each), builtin, imagenette"
        )
    classes, images = int(numbers[1]), numbers[2] and int(numbers[2])
    if classes < 2 or (images is not None and images < 2):
        raise UserError(f"the subset {text!r} is too small: at least 2 classes and 2 pictures of each, such as 10x100")
    return Subset(None, classes, images)


def open_data(data=None, subset=None, cache_dir=None, progress=True, labels=None, **options):
    """Open what the user asked for: (train, val). data: a folder or None; subset: the text after --subset or None.

    labels: a file that says what the pictures in `data` are (see labels), or None.
    options: open_folder's val_fraction, seed, size, cache_bytes. Raises UserError if the two do not go together.
    """
    chosen = parse_subset(subset) if subset is not None else Subset()
    limits = {"max_classes": chosen.max_classes, "max_images": chosen.max_images}
    if data is None and subset is None:
        raise UserError("no pictures are named: give --data DIR, or --subset for the built-in ones")
    if labels is not None and data is None:
        raise UserError(f"--labels {labels} says what pictures of your own are: give their folder with --data DIR")
    if data is None:
        return SOURCES[chosen.source or "builtin"](cache_dir, progress=progress, **limits, **options)
    if chosen.source is not None:
        raise UserError(f"--data and --subset {chosen.source} name two sets of pictures: leave one of them out")
    if subset is not None and chosen.max_classes is None:
        raise UserError("--subset after --data needs a number of classes, such as --subset 10 or --subset 10x100")
    if not is_pack(data):
        return open_folder(data, labels=labels, **limits, **options)
    _check_unlabelled(data, labels)
    return open_pack(data, **limits, **options)


def _check_unlabelled(pack, labels):
    if labels is not None:
        raise UserError(f"{pack} was packed with the classes of its pictures: give --labels when packing")
