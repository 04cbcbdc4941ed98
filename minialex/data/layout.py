"""Which folders of a tree hold training, validation and test pictures, by their names and by what lies in them.

    root/train/cat  root/val/cat  root/test/cat     also training_set/, seg_train/, train1/, Valid/, ILSVRC2012_img_val/, ...
    root/train/train/cat  root/test/test/cat        an archive's folder in each part: found where all parts are like that
    root/cat  root/dog                              no parts

A name alone decides nothing, since trains and tests can be classes: a part holds class folders, or lies beside nothing but
parts, or beside a part of another kind. What stays doubtful is refused with the folder that should be given instead.
"""

import os
import re
from dataclasses import dataclass, field

from minialex.data.listing import listing, listing_or_nothing
from minialex.errors import UserError

_PARTS = {
    "train": "train|training|trn|trainval",
    "val": "val|valid|validation|validate|dev|eval|evaluation|holdout",
    "test": "test|testing|tst",
    "unlabelled": "pred|predict|prediction|predictions|unlabell?ed|submission",
}
_FILLER = "(?:data|dataset|sets?|split|images?|imgs?|pictures?|pics?|photos?|jpe?g|png|all|seg|crop(?:s|ped)?|resized|ilsvrc|" \
    "imagenet|raw|small|mini|full)*"
# Folders of one set of pictures that came in pieces: images_001, HAM10000_images_part_1, data-20240101T000000Z-002.
_PIECE = re.compile(r"images?|imgs?|pictures?|photos?|parts?|batch|\d{8}t\d{6}z")
_CONTENT = "images?|imgs?|jpegimages|pictures|data|datasets?|annotations?|labels?|masks?|trimaps?|bbox(?:es)?|groundtruth"
DEEPEST, MOST = 6, 2000  # how far, and into how many folders, the folder to be given instead is searched
KINDS_WITH_LABELS = ("train", "val", "test")


@dataclass
class Layout:
    """parts: {"train", "val", "test": folder} of those there are, or {"all": root}; excluded: folders in the root that are no
    classes; unused: list of (path, reason), what training leaves out."""

    parts: dict
    unused: list = field(default_factory=list)
    excluded: list = field(default_factory=list)


def kind(name):
    """"train", "val", "test", "unlabelled", or None: what a folder of this name usually is."""
    letters = re.sub(r"[\W\d_]+", "", name.lower())
    return next((part for part, words in _PARTS.items() if re.fullmatch(f"{_FILLER}(?:{words}){_FILLER}", letters)), None)


def is_doubtful(name):
    """Is this rather the name of a part, or of a kind of file, than of a class?"""
    return kind(name) is not None or re.fullmatch(_CONTENT, re.sub(r"[\W\d_]+", "", name.lower())) is not None


def find(root, to_learn=True, labelled=False):
    """The Layout of the tree `root`. Raises UserError.

    to_learn: refuse a tree without training pictures. labelled: a file says what the pictures are, so folders are no classes.
    """
    if not os.path.exists(root):
        raise UserError(f"there is no folder {root}: check the path of the pictures")
    if not os.path.isdir(root):
        raise UserError(f"{root} is a file: give the folder that holds the class folders")
    folders, _ = listing(root)
    parts = _parts(root, folders)
    parts |= {name: "test" for name, part in parts.items() if part == "val" and name.lower().startswith("eval")
              and list(parts.values()).count("val") > 1 and "test" not in parts.values()}
    if to_learn and parts and list(parts) == folders and "train" not in parts.values():
        raise UserError(f"{root} has {'/, '.join(parts)}/ but no train/: there is nothing to learn from")
    if "train" in parts.values() or parts and list(parts) == folders:
        return _divided(root, folders, parts)
    return Layout({"all": root}) if labelled else _undivided(root, folders)


def _divided(root, folders, parts):
    chosen = {part: name for part in KINDS_WITH_LABELS if (name := _one(root, parts, part))}
    beside = f"{chosen['train']}/" if "train" in chosen else "the others"
    unused = [(os.path.join(root, name), f"it lies beside {beside} and is not used") for name in folders
              if name not in (chosen.get("train"), chosen.get("val"))]
    return Layout(_unwrapped({part: os.path.join(root, name) for part, name in chosen.items()}), unused)


def _undivided(root, folders):
    inside = {name: listing_or_nothing(os.path.join(root, name)) for name in folders}
    copies = [name for name in folders if len((set(inside[name][0]) & set(folders)) - {name}) > 1]
    parts, unused = {"all": root}, []
    for name in copies:
        if kind(name) in ("val", "test"):
            parts = {"train": root} | {part: where for part, where in parts.items() if part != "all"}
            parts[kind(name)] = os.path.join(root, name)
        if kind(name) != "val":
            unused.append((os.path.join(root, name), "its folders have the names of those beside it, so it is no class; it is "
                           "not used"))
    here = _data_below(root) if len(folders) == 1 and not _is_class(root, folders[0]) else root
    if here != root:
        raise UserError(f"{root} holds nothing but a folder that holds the class folders: give {here}")
    _check_that_folders_are_classes(root, folders, inside)
    return Layout(parts, unused, copies)


def _parts(root, folders):
    """{name: kind} of those of the folders that are parts of the data and no classes."""
    named = {name: part for name in folders if (part := kind(name))}
    named = named if "train" in named.values() else _alike_but_for_the_part(root, folders) or named
    if list(named) == folders or len(set(named.values())) > 1 and "train" in named.values():
        return named
    return {name: part for name, part in named.items() if kind(name) == "train" and listing_or_nothing(
        os.path.join(root, name))[0]}


def _alike_but_for_the_part(root, folders):
    """{name: kind} of cars_train and cars_test, whose names say the same of the pictures. Raises UserError for several such."""
    groups = {}
    for name in folders:
        words = re.split(r"[\W_]+", name.lower())
        for at in (0, -1):
            if len(words) > 1 and (part := kind(words[at])):
                groups.setdefault((at, *(words[1:] if at == 0 else words[:-1])), {})[name] = part
    divided = [group for group in groups.values() if "train" in group.values() and len(set(group.values())) > 1]
    if len(divided) > 1:
        raise UserError(f"{root} holds {', '.join(list(divided[0]) + list(divided[1]))}, which divide each class: move its "
                        "pictures into train/CLASS and test/CLASS")
    return divided[0] if divided else {}


def _one(root, parts, wanted):
    """The folder that is this part, or None. Raises UserError when several are, but for those that hold no pictures."""
    found = [name for name, part in parts.items() if part == wanted]
    if len(found) > 1:
        found = [name for name in found if any(listing(os.path.join(root, name)))] or found[:1]
    if len(found) > 1:
        raise UserError(f"{root} holds {' and '.join(found)}, which mean the same: keep one of them")
    return found[0] if found else None


def _unwrapped(parts):
    """The parts, without an archive's folder around the class folders of each. Raises UserError when only some have one."""
    inner = {part: _only_folder(folder) for part, folder in parts.items()}
    train = inner.get("train")
    folders, pictures = listing(train) if train else ([], [])
    if len(folders) < 2 or pictures or _is_inside_itself(parts["train"], train):
        return parts
    if any(inner[part] is None and listing(folder)[0] for part, folder in parts.items()):
        raise UserError(f"{parts['train']} holds nothing but {os.path.basename(train)}/ with the class folders: move them one "
                        "folder up")
    return {part: inner[part] or folder for part, folder in parts.items()}


def _only_folder(folder):
    folders, pictures = listing(folder)
    return os.path.join(folder, folders[0]) if len(folders) == 1 and not pictures else None


def _check_that_folders_are_classes(root, folders, inside):
    """Parts of the data with names of their own show in this: they hold the same folders, and no pictures beside them."""
    for name in folders:
        here = None if inside[name][1] else _classes_below(os.path.join(root, name))
        held = listing(here)[0] if here else []
        if here and (_is_division(here, held) or re.fullmatch(_CONTENT, name.lower()) or
                     os.path.basename(here).lower() == os.path.basename(os.path.dirname(here)).lower()):
            raise UserError(f"{name} in {root} holds {', '.join(held[:3])}, which are parts of the data or classes, and no "
                            f"pictures of one class: give {here}")
    found = [listing(only) if not pictures and (only := _only_folder(os.path.join(root, name))) and len(listing(only)[0]) > 1
             else (inner, pictures) for name, (inner, pictures) in inside.items()]
    if len(folders) < 2 or any(pictures for _, pictures in found):
        return
    shared = sorted(set.intersection(*(set(inner) for inner, _ in found)))
    if len(shared) > 1:  # a single one is often called "images"
        raise UserError(f"the folders {', '.join(folders[:3])} in {root} all hold {', '.join(shared[:3])}: if these are the "
                        "classes, name the outer folders train and val; if not, put each class's pictures into its folder itself")


def check_classes(found, root):
    """Raises UserError when the classes, names of folders in `root` that hold pictures, cannot be what the user means."""
    names = list(found)
    spelled = {re.sub(r"\d+", "", name.lower()) for name in names}
    pieces = len(spelled) == 1 and all(_PIECE.search(name.lower()) for name in names)
    if len(names) > 1 and not pieces and not all(re.fullmatch(_CONTENT, name.lower()) for name in names):
        return
    better = [where for name in names if (where := _classes_below(os.path.join(root, name)))]
    instead = f": give {better[0]}" if better else ": put the pictures of each class into a folder of its own, or say in a " \
        "file what each is (--labels FILE)"
    if len(names) > 1:
        raise UserError(f"{root} holds {', '.join(names)}, which are no classes{instead}")
    raise UserError(f"{root} holds pictures of one class only ({names[0]}): a classifier needs at least two{instead}")


def _classes_below(folder):
    """The nearest folder below, or this one, that looks like data: parts, or several folders with pictures; or None."""
    waiting = [folder]
    for number, here in enumerate(waiting):  # which grows
        folders, pictures = listing_or_nothing(here)
        if pictures:
            continue
        only_train = [kind(name) for name in folders] == ["train"]
        if only_train or _is_division(here, folders) or sum(_is_class(here, name) for name in folders) > 1:
            return here
        if number < MOST and here.count(os.sep) - folder.count(os.sep) < DEEPEST:
            waiting += [os.path.join(here, name) for name in folders]
    return None


def _data_below(root):
    """Where a tree of nothing but folders in folders branches."""
    return _classes_below(root) or root


def _is_division(folder, folders):
    """Does this folder hold train/ and another part, and pictures in train/?"""
    kinds = {kind(name): name for name in folders}
    return "train" in kinds and len(set(kinds) - {None}) > 1 and _holds_pictures(os.path.join(folder, kinds["train"]))


def _holds_pictures(folder, depth=3):
    folders, pictures = listing_or_nothing(folder)
    return bool(pictures) or depth > 0 and any(_holds_pictures(os.path.join(folder, name), depth - 1) for name in folders[:3])


def _is_class(root, name):
    """Is this a folder of pictures, or of nothing but one folder of pictures?"""
    folder = os.path.join(root, name)
    folders, pictures = listing_or_nothing(folder)
    return bool(pictures) or len(folders) == 1 and bool(listing_or_nothing(os.path.join(folder, folders[0]))[1])


def _is_inside_itself(outer, inner):
    return os.path.realpath(outer).startswith(os.path.realpath(inner))
