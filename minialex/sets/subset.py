"""What the text after --subset says: how many classes and pictures, or which set."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import UserError, require
from ..utils.files import Place
from . import sources

SOURCES: dict[str, Callable[..., Place]] = {"builtin": sources.drawn,
                                            "imagenette": sources.downloaded}


@dataclass(frozen=True)
class Subset:
    """source: "builtin", "imagenette" or None (the text named none); max_classes, max_images: int
    or None (all)."""

    source: str | None = None
    max_classes: int | None = None
    max_images: int | None = None


def parse_subset(text: str) -> Subset:
    """Read the text after --subset: "", "10", "10x100", "builtin", "imagenette". Raises UserError
    for anything else."""
    text = text.strip().lower()
    if text == "" or text in SOURCES:
        return Subset(text or None)
    numbers = re.fullmatch(r"([0-9]{1,9})(?:x([0-9]{1,9}))?", text)
    if numbers is None:
        raise UserError(f"the subset {text!r} is none of: 10 (classes), "
                        "10x100 (classes x pictures of each), builtin, imagenette")
    chosen = [int(number) for number in numbers.groups() if number]
    require(min(chosen) >= 2, f"the subset {text!r} is too small: "
            "at least 2 classes and 2 pictures of each, such as 10x100")
    return Subset(None, *chosen)
