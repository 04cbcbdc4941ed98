"""Which folders of a tree hold training, validation and test pictures, by their names and by what
lies in them.

    root/train/cat  root/val/cat  root/test/cat     also training_set/, seg_train/, train1/, Valid/,
                                                    ILSVRC2012_img_val/, ...
    root/train/train/cat  root/test/test/cat        an archive's folder in each part: found where
                                                    all parts are like that
    root/cat  root/dog                              no parts

A name alone decides nothing, since trains and tests can be classes: a part holds class folders, or
lies beside nothing but parts, or beside a part of another kind. What stays doubtful is refused with
the folder that should be given instead.
"""

import os
import re
from collections.abc import Callable, Iterable

from ..errors import UserError, require
from .formats import instead_of_pictures
from .walk import Folder

_PARTS = {
    "train": "train|training|trn|trainval",
    "val": "val|valid|validation|validate|dev|eval|evaluation|holdout",
    "test": "test|testing|tst",
    "unlabelled": "pred|predict|prediction|predictions|unlabell?ed|submission",
}
_FILLER = "(?:data|dataset|sets?|split|images?|imgs?|pictures?|pics?|photos?|jpe?g|png|all|seg|" \
          "crop(?:s|ped)?|resized|ilsvrc|" \
    "imagenet|raw|small|mini|full)*"
# Folders of one set of pictures that came in pieces: images_001, HAM10000_images_part_1,
# data-20240101T000000Z-002.
_PIECE = re.compile(r"images?|imgs?|pictures?|photos?|parts?|batch|\d{8}t\d{6}z")
_PICTURES = "images?|imgs?|jpegimages|pictures|data|datasets?"
_ASIDE = ("annotations?|labels?|masks?|trimaps?|bbox(?:es)?|groundtruth|imagesets|"
          "segmentation(?:s|class|object)?")
_CONTENT = f"{_PICTURES}|{_ASIDE}"
# how far, and into how many folders, the folder to be given instead is searched
DEEPEST, MOST = 6, 2000
Layout = tuple[dict[str, Folder], list[tuple[Folder, str]]]


def kind(name: str) -> str | None:
    """"train", "val", "test", "unlabelled", or None: what a folder of this name usually is."""
    letters = re.sub(r"[\W\d_]+", "", name.lower())
    return next((part for part, words in _PARTS.items()
                 if re.fullmatch(f"{_FILLER}(?:{words}){_FILLER}", letters)), None)


def is_doubtful(name: str) -> bool:
    """Is this rather the name of a part, or of a kind of file, than of a class?"""
    return kind(name) is not None or re.fullmatch(_CONTENT,
                                                  re.sub(r"[\W\d_]+", "", name.lower())) is not None


def find(root: str, to_learn: bool = True, labelled: bool = False) -> Layout:
    """Find the parts of the tree `root`, as {"train", "val", "test": Folder} of those there are, or
    {"all": Folder of the root}, without the folders in the root that are no classes; and what
    training leaves out.

    to_learn: refuse a tree without training pictures. labelled: a file says what the pictures are,
    so folders are no classes. Raises UserError.
    """
    require(os.path.exists(root), f"there is no folder {root}: check the path of the pictures")
    require(os.path.isdir(root), instead_of_pictures(root)
            or f"{root} is a file: give the folder that holds the class folders")
    top = Folder(root).checked()
    parts = _parts(top)
    kinds, every = list(parts.values()), parts and list(parts) == list(top.folders)
    if kinds.count("val") > 1 and "test" not in kinds:
        parts |= {name: "test" for name, part in parts.items() if part == "val"
                  and name.lower().startswith("eval")}
    require("train" in kinds or not (to_learn and every),
            f"{root} has {'/, '.join(parts)}/ but no train/: there is nothing to learn from")
    if every or "train" in kinds:
        return _divided(top, parts)
    return ({"all": top}, []) if labelled else _undivided(top)


def _divided(top: Folder, parts: dict[str, str]) -> Layout:
    chosen = {part: folder for part in ("train", "val", "test")
              if (folder := _one(top, parts, part))}
    unused = [(folder, f"it lies beside {chosen['train'].name}/ and is not used")
              for folder in top.folders.values() if "train" in chosen
              and folder not in (chosen["train"], chosen.get("val"))]
    return _unwrapped(chosen), unused


def _undivided(top: Folder) -> Layout:
    parts, unused, copies = dict[str, Folder](), list[tuple[Folder, str]](), list[str]()
    for name, folder in top.folders.items():
        if len((folder.folders.keys() & top.folders.keys()) - {name}) > 1:
            copies.append(name)
            if (part := kind(name)) in ("val", "test"):
                parts |= {"train": top, part: folder}
            if part != "val":
                unused.append((folder, "its folders have the names of those beside it, "
                               "so it is no class; it is not used"))
    _check_that_folders_are_classes(top)
    for name in copies:
        del top.folders[name]
    return parts or {"all": top}, unused


def _parts(top: Folder) -> dict[str, str]:
    """{name: kind} of those of the folders that are parts of the data and no classes."""
    named = {name: part for name in top.folders if (part := kind(name))}
    named = named if "train" in named.values() else _alike_but_for_the_part(top) or named
    if (list(named) == list(top.folders) or len(set(named.values())) > 1
        and "train" in named.values()):
        return named
    return {name: part for name, part in named.items() if kind(name) == "train"
            and top.folders[name].folders}


def _alike_but_for_the_part(top: Folder) -> dict[str, str]:
    """{name: kind} of cars_train and cars_test, whose names say the same of the pictures. Raises
    UserError for several such."""
    groups: dict[tuple[int | str, ...], dict[str, str]] = {}
    for name in top.folders:
        words = re.split(r"[\W_]+", name.lower())
        for at, others in ((0, words[1:]), (-1, words[:-1])):
            if others and (part := kind(words[at])):
                groups.setdefault((at, *others), {})[name] = part
    divided = [group for group in groups.values() if "train" in group.values()
               and len(set(group.values())) > 1]
    require(len(divided) < 2,
            f"{top.path} holds {', '.join(name for group in divided[:2] for name in group)}, "
            "which divide each class: move its pictures into train/CLASS and test/CLASS")
    return divided[0] if divided else {}


def _one(top: Folder, parts: dict[str, str], wanted: str) -> Folder | None:
    """The folder that is this part, or None. Raises UserError when several are, but for those that
    hold no pictures."""
    found = [top.folders[name] for name, part in parts.items() if part == wanted]
    if len(found) > 1:
        found = [folder for folder in found if folder.folders or folder.pictures
                 or folder.trouble] or found[:1]
    require(len(found) < 2, f"{top.path} holds {' and '.join(each.name for each in found)}, "
            "which mean the same: keep one of them")
    return found[0] if found else None


def _unwrapped(parts: dict[str, Folder]) -> dict[str, Folder]:
    """The parts, without an archive's folder around the class folders of each. Raises UserError
    when only some have one."""
    inner = {part: folder.only for part, folder in parts.items()}
    train = inner.get("train")
    if train is None or len(train.checked().folders) < 2 or train.pictures or \
            os.path.realpath(parts["train"].path).startswith(os.path.realpath(train.path)):
        # only a link around itself
        return parts
    require(all(inner[part] or not folder.folders for part, folder in parts.items()),
            f"{parts['train'].path} holds nothing but {train.name}/ with the class folders: "
            "move them one folder up")
    return {part: inner[part] or folder for part, folder in parts.items()}


def _check_that_folders_are_classes(top: Folder) -> None:
    """Parts of the data with names of their own show in this: they hold the same folders, and no
    pictures beside them."""
    folders = [each for each in top.folders.values() if not re.fullmatch(_ASIDE, each.name.lower())]
    trains = [part.pictures for each in folders for name, part in each.folders.items()
              if kind(name) == "train"]
    require(len(folders) < 2 or len(trains) < len(folders) or not all(trains), f"the folders in "
            f"{top.path} divide each class: move its pictures into train/CLASS and val/CLASS")
    for folder in folders:
        here = None if folder.pictures else _classes_below(folder)
        around = len(folders) == 1 and not _is_class(folder)
        if here and (around or _is_division(here) or re.fullmatch(_PICTURES, folder.name.lower()) or
                     here.name.lower() == os.path.basename(os.path.dirname(here.path)).lower()):
            holds = ("holds nothing but a folder that" if around
                     else f"has a folder {folder.name} that")
            raise UserError(f"{top.path} {holds} holds {', '.join(list(here.folders)[:3])}, "
                            f"parts of the data or classes: give {here.path}")
    inner = [folder.only if folder.only and len(folder.only.folders) > 1 else folder
             for folder in folders]
    if len(inner) < 2 or any(folder.pictures for folder in inner):
        return
    shared = sorted(name for name in set.intersection(*(set(folder.folders) for folder in inner))
                    if not re.fullmatch(_CONTENT, name.lower()))
    require(len(shared) < 2,
            f"the folders {', '.join(each.name for each in folders[:3])} in {top.path} all hold "
            f"{', '.join(shared[:3])}: if these are the classes, give one of them, such as "
            f"{inner[0].path}, or name them train and val; if not, put each class's pictures into "
            "its folder itself")


def check_classes(names: Iterable[str], root: str, table: Callable[[], str]) -> None:
    """Raise UserError when the classes, names of folders in `root` that hold pictures, cannot be
    what the user means. table(): the file that says what the pictures are."""
    names = list(names)
    pieces = len({re.sub(r"\d+", "", name.lower())
                  for name in names}) == 1 and all(_PIECE.search(name.lower()) for name in names)
    if len(names) > 1 and not pieces and not all(re.fullmatch(_CONTENT, name.lower())
                                                 for name in names):
        return
    better = [where.path for name in names
              if (where := _classes_below(Folder(os.path.join(root, name))))]
    instead = (f": give {better[0]}" if better else ": put the pictures of each class into a "
               f"folder of its own, or say in a file what each is (--labels {table()})")
    if len(names) > 1:
        raise UserError(f"{root} holds {', '.join(names)}, which are no classes{instead}")
    raise UserError(f"{root} holds pictures of one class only ({names[0]}): "
                    f"a classifier needs at least two{instead}")


def _classes_below(folder: Folder) -> Folder | None:
    """The nearest folder below, or this one, that looks like data: parts, or several folders with
    pictures."""
    waiting = [folder]
    for number, here in enumerate(waiting):  # which grows
        if here.pictures:
            continue
        if [kind(name) for name in here.folders] == ["train"] or _is_division(here) or \
                sum(map(_is_class, here.folders.values())) > 1:
            return here
        if number < MOST and here.path.count(os.sep) - folder.path.count(os.sep) < DEEPEST:
            waiting += here.folders.values()
    return None


def _is_division(folder: Folder) -> bool:
    """Does this folder hold train/ and another part, and pictures in train/?"""
    kinds = {kind(name): each for name, each in folder.folders.items()}
    return "train" in kinds and len(set(kinds) - {None}) > 1 and _holds_pictures(kinds["train"])


def _holds_pictures(folder: Folder, depth: int = 3) -> bool:
    inner = list(folder.folders.values())[:3] if depth else []
    return bool(folder.pictures) or any(_holds_pictures(each, depth - 1) for each in inner)


def _is_class(folder: Folder) -> bool:
    """Is this a folder of pictures, or of nothing but one folder of pictures?"""
    return bool(folder.pictures or folder.only and folder.only.pictures)
