"""Files that are no plain files, names, and trees of class folders: builders that put each into a
good tree (bad_inputs)."""

import os
import shutil
import socket

from picture_files import save

BAD = b"damaged"


def _link(target, path):
    def build(root):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(target)
    return build


def _fifo(root):
    os.mkfifo(root / "train/cat/pipe.jpg")


def _socket(root):
    here = os.getcwd()
    os.chdir(root / "train/cat")  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("socket.jpg")
    finally:
        os.chdir(here)


def _folder_named_like_a_picture(root):
    save(root / "train/cat/x.jpg/1.png")


def _two_ways(root):
    save(root / "train/cat/more/1.png")
    (root / "train/cat/same").symlink_to("more")


def _deep(root):
    """Folders whose path is longer than the system takes, 4,096 bytes on Linux."""
    handle = os.open(root / "train/cat", os.O_RDONLY)
    for _ in range(45):
        os.mkdir("d" * 100, dir_fd=handle)
        inner = os.open("d" * 100, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(handle)


def _damaged_named(name):
    def build(root):
        with open(os.path.join(os.fsencode(root / "train/cat"), os.fsencode(name)), "wb") as file:
            file.write(BAD)
    return build


def _only_in_val(root):
    save(root / "val/zebra/1.png")


def _move(old, new):
    def build(root):
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        (root / old).rename(root / new)
    return build


def _remove(*paths):
    def build(root):
        for path in paths:
            shutil.rmtree(root / path)
    return build


def _add(*paths):
    def build(root):
        for path in paths:
            save(root / path, size=(20, 20))
    return build


def _folder(path):
    def build(root):
        (root / path).mkdir(parents=True)
    return build


def _both(*builders):
    def build(root):
        for builder in builders:
            builder(root)
    return build


def skipped():
    """(name, build, what is special about the kind)"""
    special = "it is not a file, or a link to nothing"
    denied = {"denied": "train/cat/1.png", "path": "train/cat/1.png", "says": "Permission denied"}
    yield "a file that may not be read", lambda root: None, denied
    yield "a folder that may not be entered", _add("train/cat/private/1.png"), {
        "denied": "train/cat/private", "path": "train/cat/private", "says": "Permission denied",
        "stops": False}
    yield "a disk that fails while reading", _link("/proc/self/mem", "train/cat/it.jpg"), {
        "path": "train/cat/it.jpg", "says": "Input/output error", "needs": "linux"}
    yield "a named pipe", _fifo, {"path": "train/cat/pipe.jpg", "says": special, "stops": False,
                                  "needs": "unix"}
    yield "a socket", _socket, {"path": "train/cat/socket.jpg", "says": special, "stops": False,
                                "needs": "unix"}
    for device in ("zero", "null"):
        yield f"a device, {device}", _link(f"/dev/{device}", "train/cat/device.jpg"), {
            "path": "train/cat/device.jpg", "says": special, "stops": False, "needs": "unix"}
    yield "a link to nothing", _link("nowhere.jpg", "train/cat/link.jpg"), {
        "path": "train/cat/link.jpg", "says": special, "stops": False, "needs": "links"}
    yield "a link to itself", _link("link.jpg", "train/cat/link.jpg"), {
        "path": "train/cat/link.jpg", "says": special, "stops": False, "needs": "links"}
    yield "a link to its own folder", _link(".", "train/cat/again"), {
        "path": "train/cat/again", "says": "leads back to a folder that contains it",
        "stops": False, "needs": "links"}
    for up, what in (("../..", "the root"), ("../../..", "the folder around the root")):
        yield f"a link to {what}", _link(up, "train/cat/top"), {"path": "train/cat/top",
                                                                "says": "leads back to a folder "
                                                                "that contains it", "stops": False,
                                                                "needs": "links"}
    yield "two ways to one folder", _two_ways, {"path": "train/cat/same",
                                                "says": "whose pictures the class has already",
                                                "stops": False, "needs": "links"}
    yield "a folder named like a picture", _folder_named_like_a_picture, {
        "path": "train/cat/x.jpg", "says": "it is a folder, not a picture", "stops": False}
    yield "folders too deep for the system", _deep, {"path": "train/cat/" + "d" * 100 + "...",
                                                     "says": "File name too long", "stops": False,
                                                     "needs": "linux"}
    yield "a damaged file with a line break in its name", _damaged_named("two\nlines.jpg"), {
        "path": "train/cat/two\\nlines.jpg", "says": "not a picture", "needs": "unix"}
    yield "a damaged file with terminal codes in its name", _damaged_named("\x1b[2Jclear.jpg"), {
        "path": "train/cat/\\x1b[2Jclear.jpg", "says": "not a picture", "needs": "unix"}
    yield "a damaged file whose name is no UTF-8", _damaged_named(b"\xff\xfe.jpg"), {
        "path": "train/cat/\ufffd\ufffd.jpg", "says": "not a picture", "needs": "linux"}
    yield "a class that only val has", _only_in_val, {"path": "val/zebra",
                                                      "says": "train has no pictures of this class"}
    yield "a class that val lacks", _remove("val/dog"), {
        "path": "val", "says": "no picture for validation of the class dog", "stops": False}
    yield "a class without pictures", _folder("train/empty"), {
        "path": "train/empty", "says": "the class folder holds no pictures", "stops": False}
    yield "a picture beside the classes", _add("train/astray.png"), {
        "path": "train/astray.png", "says": "outside the class folders", "stops": False}
    yield "a folder beside train and val", _add("test/cat/1.png"), {
        "path": "test", "says": "beside train/ and is not used", "stops": False}


def _from_one(make, name):
    def build(root):
        folder = os.fsencode(root / "train/cat")
        make(os.path.join(folder, b"1.png"), os.path.join(folder, os.fsencode(name)))
    return build


def used():
    """(name, build, what is special about the kind)"""
    yield "a name in Chinese", _add("train/cat/猫.png"), {}
    yield "a class in Arabic", _add("train/دب/1.png", "val/دب/1.png"), {}
    yield "an emoji in a name", _add("train/cat/🐈.png"), {}
    yield "spaces, quotes and signs in a name", _add("train/cat/a 'b' \"c\" "
                                                     "$HOME %s {x}.png"), {"needs": "unix"}
    yield "a name that looks like an option", _add("train/cat/--help.png"), {}
    yield "a name of 255 bytes", _add("train/cat/" + "n" * 251 + ".png"), {"needs": "unix"}
    yield "a name with a line break", _add("train/cat/two\nlines.png"), {"needs": "unix"}
    yield "a name that is no UTF-8", _from_one(shutil.copy, b"\xff\xfe.png"), {"needs": "linux"}
    yield "the same name in two classes", _add("train/cat/one.png", "train/dog/one.png"), {}
    yield "the same picture twice", _from_one(shutil.copy, "copy.png"), {}
    yield "two names of one file", _from_one(os.link, "hard.png"), {}
    yield "a link to a picture", _link("1.png", "train/cat/link.png"), {"needs": "links"}
    hidden = (".DS_Store", "._1.png", "Thumbs.db", "desktop.ini")
    yield "hidden and system files", _both(*map(_damaged_named, hidden)), {}
    yield "folders in class folders, 60 deep", _add("train/cat/" + "d/" * 60 + "1.png"), {}
    yield "a class named like a picture", _add("train/tiger.jpg/1.png", "val/tiger.jpg/1.png"), {}
    yield "Train and Validation in capitals", _both(_move("train", "Train"),
                                                    _move("val", "Validation")), {}


def _instead(path, content=BAD):
    """All pictures below `path` are damaged."""
    def build(root):
        for file in (root / path).rglob("*.png"):
            file.write_bytes(content)
    return build


def _open(path, build=None):
    """Open what lies at `path` of the tree instead of its root."""
    def run(root):
        if build is not None:
            build(root)
        return root / path
    return run


def _pictures_without_classes(root):
    for number in range(3):
        save(root / f"loose/{number}.png")
    return root / "loose"


def refused():
    """(name, build, what is special about the kind)"""
    yield "a root that is not there", _open("nowhere"), {"says": "there is no folder"}
    yield "a root that is a file", _open("train/cat/1.png"), {"says": "is a file: give the folder"}
    yield "an empty root", _open("empty", _folder("empty")), {"says": "holds no class folders"}
    yield "a root that is a link to itself", _open("loop", _link("loop", "loop")), {
        "says": "there is no folder", "needs": "links"}
    yield "a root that may not be entered", lambda root: None, {
        "denied": ".", "says": "cannot look into the folder .*Permission denied"}
    yield "pictures without class folders", _pictures_without_classes, {"says": "3 pictures but "
                                                                        "no class folders"}
    yield "one class", _remove("train/dog",
                               "val/dog"), {"says": r"pictures of one class only \(cat\)"}
    yield "classes without pictures", _open(
        "hollow", _both(_folder("hollow/a"), _folder("hollow/b"))), {"says": "hold no pictures"}
    yield "a root around the root", _open("outer", _move("train", "outer/inner/real")), {
        "says": "nothing but a folder.*give .*real"}
    yield "a root around train and val", lambda root: root.parent, {"says": "nothing but a "
                                                                    "folder.*give .*pictures"}
    yield "train in train", _both(_move("train", "new/train"), _move("new", "train")), {
        "says": "train holds nothing but train/ with the class folders: move them one folder up"}
    yield "val without train", _remove("train"), {"says": "has val/ but no train/"}
    yield "an empty train", _both(_remove("train"),
                                  _folder("train")), {"says": "train holds no class folders"}
    yield "an empty val", _both(_remove("val"),
                                _folder("val")), {"says": "val holds no class folders"}
    yield "no class of val in train", _both(_move("val/cat", "val/x"), _move("val/dog", "val/y")), {
        "says": "it has none of the classes of"}
    yield "train and training", lambda root: shutil.copytree(
        root / "train", root / "training") and None, {"says": "which mean the same: keep one"}
    yield "one class in two spellings", _add("train/K\u00e4fer/1.png", "train/Ka\u0308fer/1.png"), {
        "says": "two folders named Käfer", "needs": "linux"}
    yield "every training picture damaged", _instead("train"), {"says": "none of the 12 pictures"}
    yield "every training picture empty", _instead("train",
                                                   b""), {"says": "none of the 12 pictures"}
    yield "every validation picture damaged", _instead("val"), {"says": "none of the 6 pictures"}
