"""More than a hundred kinds of picture and folder that training meets sooner or later, and what
must become of each.

    for kind in KINDS:
        root = kind.make(folder)        a tree of good pictures with this one thing in it; what to give to --data

kind.outcome:
    USED       it is a picture like any other, without a word
    SKIPPED    one line with kind.path ("..." at its end: and more) and a reason that kind.says describes (a regular
               expression); the rest is used
    REFUSED    nothing can be learnt from this tree: one sentence (UserError, exit status 2) that kind.says describes
kind.stops: --strict turns SKIPPED into REFUSED (it lets pass what never was a picture, such as
notes.txt) kind.needs: what the system must have, see `lacking`; kind.denied: a path that the test
must make unreadable (the superuser reads everything, so permissions alone do not).
"""  # noqa: E501

import builtins
import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import bad_pictures
import bad_trees
from picture_files import save

USED, SKIPPED, REFUSED = "used", "skipped", "refused"
PLACE = "train/cat/it"  # where a single picture is put, plus its ending


@dataclass(frozen=True)
class Kind:
    name: str
    build: Callable  # build(root) puts it into a good tree; may return another root
    outcome: str
    says: str = ""
    path: str = ""
    stops: bool = True
    needs: str = ""
    denied: str = ""

    def make(self, folder):
        """Build the tree below an empty folder and return what to open."""
        root = good_tree(Path(folder) / "pictures")
        return self.build(root) or root


def good_tree(root):
    """Two classes with six pictures for training and three for validation each."""
    for part, count in (("train", 6), ("val", 3)):
        for label, name in enumerate(("cat", "dog")):
            for number in range(count):
                save(root / part / name / f"{number}.png", size=(40, 36),
                     colour=(200 * label, 20 * number, 90), compress_level=1)
    return root


@contextmanager
def forbidden(path):
    """Inside the block this process, even the superuser's, may neither read the file `path` nor
    look into the folder."""
    def refusing(function):
        def call(place, *args, **kwargs):
            if isinstance(place, str | bytes
                          | os.PathLike) and os.path.realpath(place) == os.path.realpath(path):
                raise PermissionError(13, "Permission denied", os.fspath(place))
            return function(place, *args, **kwargs)
        return call

    with mock.patch.object(builtins, "open",
                           refusing(open)), mock.patch.object(os, "scandir", refusing(os.scandir)):
        yield


def lacking(needs):
    """Why a kind cannot be built here, or None."""
    if needs == "links" and sys.platform == "win32":
        return "symbolic links need a privilege on Windows"
    if needs == "unix" and sys.platform == "win32":
        return "this system has no such files"
    if needs == "linux" and sys.platform != "linux":
        return "this is found on Linux only"
    return None


def _file(name, content, outcome, says="", ending=".jpg", **more):
    """A single file, of bytes or written by content(path), among good pictures."""
    def build(root):
        path = root / (PLACE + ending)
        if callable(content):
            content(path)
        else:
            path.write_bytes(content)

    return Kind(name, build, outcome, says, PLACE + ending if outcome == SKIPPED else "", **more)


def _all():
    for name, content, says, ending in bad_pictures.damaged():
        yield _file(name, content, SKIPPED, says, ending)
    for name, content, ending in bad_pictures.odd():
        yield _file(name, content, USED, ending=ending)
    for name, content, says, ending in bad_pictures.no_pictures():
        yield _file(name, content, SKIPPED, says, ending, stops=False)
    for outcome, kinds in ((SKIPPED, bad_trees.skipped()), (USED, bad_trees.used()),
                           (REFUSED, bad_trees.refused())):
        for name, build, more in kinds:
            yield Kind(name, build, outcome, **more)


KINDS = list(_all())
NAMES = [kind.name for kind in KINDS]
assert len(set(NAMES)) == len(NAMES) >= 60
