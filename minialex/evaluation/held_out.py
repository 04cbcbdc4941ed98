"""Which pictures may be counted: those that a run held out, or that it has not learnt from."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import data
from ..data import Picture
from ..errors import UserError
from .runs import Place, owner, settings_of
from .seen import Seen, other_classes


@dataclass
class Chosen:
    """Pictures for a network to judge, as a PictureSet. labels: numbers of the network's classes.

    part: which; learnt: how many of them the network has learnt from, None where nobody knows;
    missing: how many of the pictures that the run held out are not there; relabelled: how many of
    these have another class than when it was trained; notes: sentences about what was left out, or
    is not known.
    """

    pictures: list[Picture]
    labels: np.ndarray
    classes: list[str]
    part: str = "all"
    learnt: int | None = 0
    missing: int = 0
    relabelled: int = 0
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.pictures)

    def planes(self, index: int) -> np.ndarray:
        """uint8 (3, size, size), as PictureSet has it."""
        picture = self.pictures[index]
        return picture.source.planes(picture.index)

    @property
    def names(self) -> list[str]:
        return [picture.name for picture in self.pictures]

    @property
    def paths(self) -> list[str]:
        return [picture.path for picture in self.pictures]


def of_run(run: Place, classes: Sequence[str], size: int, part: str = "val",
           whole: list[Picture] | None = None, moved: dict[str, str] | None = None) -> Chosen:
    """A part of a run's own pictures, "train", "val", "test" or "all", as it divided them: a
    Chosen. classes: the network's.

    whole: its pictures, if they are open already; moved: other settings "data" and "labels" than
    then, where pictures are known by their content. Raises UserError when the classes have changed
    since.
    """
    settings = settings_of(run) | (moved or {})
    whole = whole or open_of(run, settings, size, moved or ())
    where = settings["data"] or "the built-in set"
    here = sorted({picture.label for picture in whole if picture.part in ("train", "all")}
                  or {p.label for p in whole})
    new = [name for name in here if name not in classes] if settings.get("subset") is None else []
    gone = [name for name in classes if name not in here]
    if new or gone:
        raise UserError(other_classes(run, where, new, gone))
    seen = Seen.of_run(run)
    if seen is None and part in ("train", "val"):
        raise UserError(f"the pictures in {where} have changed since {run} was trained, "
                        "and a run of its age keeps no list of those it held out: put them back, "
                        "or score all of them with --part all.")
    return choose(run, whole, classes, seen, part, own=True, moved=bool(moved))


def of_data(path: Place, whole: list[Picture], where: Place | None, classes: Sequence[str],
            part: str | None = None) -> Chosen:
    """The Chosen of a part of the pictures `whole` of a folder `where` (None: a built-in set) for a
    run or a file of weights."""
    run = owner(path)
    seen = Seen.of_run(run) if run else None
    learnt_at = settings_of(run).get("data") if run else None
    same = (where is not None and learnt_at is not None
            and os.path.realpath(where) == os.path.realpath(learnt_at))
    return choose(path, whole, classes, seen, part, same and seen is not None)


def open_of(run: Place, settings: dict[str, Any], size: int,
            moved: Collection[str] = ()) -> list[Picture]:
    """All pictures of the folder that a run was trained on, in which it chose its own. moved: the
    settings that are no longer the run's."""
    for name in {"data", "labels"}.difference(moved):
        if settings.get(name) and not os.path.exists(settings[name]):
            raise UserError(f"{run} was trained on {settings[name]}, which is no longer there: "
                            f"put it back, or say with --{name} where it is.")
    subset = settings.get("subset") if settings["data"] is None else None
    if subset is not None and subset != "imagenette":
        subset = ""
    return data.open_whole(settings["data"], subset, settings.get("labels"), size=size, tell=False)


def choose(run: Place, whole: list[Picture], classes: Sequence[str], seen: Seen | None,
           part: str | None = None, own: bool = False, moved: bool = False) -> Chosen:
    """The Chosen of a part of any pictures. seen: a Seen, or None where nobody knows; own: they are
    the run's; moved: but lie elsewhere now.

    part None: those held out where these are the run's pictures, else all that it has not learnt
    from. Raises UserError when nothing is left.
    """
    status = seen.parts(whole, own and not moved) if seen else [None] * len(whole)
    held_out = sum(row[0] == "val" for row in seen.rows) if seen else 0
    found = status.count("val")
    own = own or found > 0 and 2 * found >= held_out
    notes = []
    if part is None:
        part = "val" if own else "all"
        keep = [s == "val" if own else s != "train" for s in status]
        if not own and "train" in status:
            notes.append(f"{status.count('train'):,} pictures are left out, "
                         f"since {run} has learnt from them")
    elif part == "all":
        keep = [True] * len(whole)
    elif part in ("train", "val") and (own or all(picture.part == "all" for picture in whole)):
        keep = [s == part for s in status]
    else:
        keep = [picture.part == part and (part == "train" or s != "train")
                for picture, s in zip(whole, status)]
    missing = max(0, held_out - found) if own and part == "val" else 0
    if missing:
        notes.append(f"{missing:,} of the {held_out:,} pictures that {run} held out are not here")
    new = sum(s is None and picture.part != "test" for picture, s in zip(whole, status))
    if own and part == "val" and new:
        notes.append(f"{new:,} pictures are new since {run} was trained: "
                     "--part all counts them too")
    chosen = [picture for picture, kept in zip(whole, keep) if kept]
    learnt = sum(kept and s == "train" for s, kept in zip(status, keep))
    if not chosen:
        raise UserError(_why_none(run, whole, status, part, missing))
    relabelled = sum(seen.relabelled(picture.label, picture.name, picture.path)
                     for picture in chosen) if seen else 0
    if relabelled:
        notes.append(f"{relabelled:,} of these pictures have another class now than when {run} "
                     "was trained")
    copied = sum(picture.name in seen.copies
                 for picture in chosen) if seen and own and part == "val" else 0
    notes += _of_learning(run, None if seen is None else learnt, copied, part)
    return Chosen(chosen, _labels(run, chosen, classes), list(classes), part,
                  learnt if seen else None, missing, relabelled, notes)


def _of_learning(run: Place, learnt: int | None, copied: int, part: str) -> Iterator[str]:
    """What is to be said of the chosen pictures that the run has learnt from."""
    if learnt is None:
        yield (f"{run} does not say which pictures it has learnt from: "
               "some of these may be among them")
    elif copied:
        yield (f"{copied:,} of these pictures are also, under other names, "
               f"among those that {run} has learnt from")
    elif part == "all" and learnt:
        yield f"{run} has learnt from {learnt:,} of these pictures"


def _why_none(run: Place, whole: list[Picture], status: list[str | None], part: str,
              missing: int) -> str:
    if missing:
        return f"none of the {missing:,} pictures that {run} held out is here: put them back."
    if part in ("train", "val", "test") and not any(picture.part == part for picture in whole):
        there = ", ".join(sorted({picture.part for picture in whole} - {"all"}))
        return (f"there is no part {part} among these pictures, which have "
                f"{f'the parts {there}' if there else 'no parts'}: --part all takes all of them.")
    return (f"{run} has learnt from {status.count('train'):,} of these {len(whole):,} pictures, "
            "and none is left to score: --part train scores those that it has learnt from, "
            "--part all takes all.")


def _labels(run: Place, chosen: list[Picture], classes: Sequence[str]) -> np.ndarray:
    numbers = {name: number for number, name in enumerate(classes)}
    unknown = sorted({picture.label for picture in chosen} - set(numbers))
    if unknown:
        here = sorted({picture.label for picture in chosen})
        raise UserError(f"{run} knows {_some(classes)}, these pictures are of {_some(here)}: "
                        "give the pictures that it was trained with, "
                        "or --classes FILE with the names of its classes.")
    return np.array([numbers[picture.label] for picture in chosen], dtype=np.int64)


def _some(classes: Sequence[str]) -> str:
    """How many classes, and the first of them."""
    return f"{len(classes)} classes ({', '.join(classes[:4])}{', ...' if len(classes) > 4 else ''})"
