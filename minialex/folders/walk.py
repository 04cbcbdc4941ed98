"""What lies in a folder of pictures, without what no user put there: hidden files, recycle bins,
thumbnails, runs of minialex."""

import os
import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property

from ..errors import UserError, require
from ..utils.files import Place
from ..utils.marks import is_no_class, is_own_picture
from .formats import ENDINGS, instead_of_pictures
from .problems import Problems, printable

# a class's name -> paths of its pictures, in the order in which they were found
Classes = dict[str, list[str]]
# Folders that systems and programs make by themselves, besides all whose names begin with a dot.
SYSTEM_FOLDERS = set((
    "$recycle.bin|recycler|recycled|system volume information|"  # Windows
    "lost+found|found.000|"  # Linux
    "__macosx|network trash folder|temporary items|thevolumesettingsfolder|"  # macOS
    "@eadir|@tmp|@sharebin|@recycle|@recently-snapshot|@__thumb|@quarantine|"  # NAS devices
    "@database|#recycle|#snapshot|"
    "~snapshot|@snapshots|@docker|@appstore|@synoclouddrivecache|"
    "__thumbs|_thumbs|wmthumbs|ipod photo cache|_vti_cnf|_gsdata_|lost.dir|"  # programs, telephones
    # programs, and what others' training writes
    "__pycache__|node_modules|wandb|mlruns|lightning_logs|tb_logs").split("|"))
# Files by which a folder is known whatever its name: a pack, and environments of Python, which hold
# pictures of Matplotlib's.
SIGNS = ("pack.json", "pyvenv.cfg", "conda-meta/history")
SYSTEM_FILES = {"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "zbthumbnail.info", "desktop.ini",
                "picasa.ini", "icon\r"}
RUNS = "runs"  # where minialex keeps its runs when nothing else is said


class Folder:
    """A folder of the user's. folders: {name: Folder}; pictures: names of files; both sorted, and
    looked up once.

    trouble: why it cannot be looked into, or None; it is empty then.
    """

    trouble: str | None = None

    def __init__(self, path: str):
        self.path, self.name = path, os.path.basename(path)

    def entries(self) -> list[os.DirEntry[str]]:
        """List what users have put into it, sorted by name."""
        try:
            with os.scandir(self.path) as found:
                return sorted((entry for entry in found if not _is_system(entry)),
                              key=lambda entry: entry.name)
        except OSError as error:
            self.trouble = error.strerror
            return []

    @cached_property
    def inside(self) -> tuple[dict[str, "Folder"], list[str]]:
        folders: dict[str, Folder] = {}
        pictures: list[str] = []
        for entry in self.entries():
            if type_of(entry) != "folder":
                pictures += [entry.name] if is_picture(entry.name) else []
            elif entry.name.lower() != RUNS:
                folders[entry.name] = Folder(entry.path)
        return folders, pictures

    folders = property(lambda self: self.inside[0])
    pictures = property(lambda self: self.inside[1])

    @property
    def only(self) -> "Folder | None":
        """The folder in it, if it holds nothing else."""
        return (next(iter(self.folders.values())) if len(self.folders) == 1 and not self.pictures
                else None)

    def checked(self) -> "Folder":
        """Return itself. Raises UserError when it cannot be looked into."""
        if self.inside and self.trouble:
            raise UserError(f"cannot look into the folder {printable(self.path)}: {self.trouble}")
        return self


def is_picture(name: str) -> bool:
    """Does a file of this name hold a picture?"""
    return name.lower().endswith(ENDINGS)


def spelled(name: str) -> str:
    """A class's name as it is printed and compared: letters with accents have one code point."""
    return unicodedata.normalize("NFC", printable(name))


def type_of(entry: os.DirEntry[str]) -> str | None:
    """"folder", "file" or, for pipes, devices and links that lead nowhere or to themselves,
    None."""
    try:
        return "folder" if entry.is_dir() else "file" if entry.is_file() else None
    except OSError:
        return None


def _is_system(entry: os.DirEntry[str]) -> bool:
    """Has no user put this here, but a system, or minialex: a run, a pack, a picture that a command
    has drawn?"""
    name = entry.name.lower()
    if name.startswith(".") or name in SYSTEM_FILES or name.endswith(":zone.identifier"):
        return True
    if type_of(entry) != "folder":
        return is_own_picture(entry.path)
    return (name in SYSTEM_FOLDERS or name.endswith(".lrdata") or is_no_class(entry.path, ENDINGS)
            or any(os.path.isfile(os.path.join(entry.path, sign)) for sign in SIGNS))


OTHER_ENDING = f"its name ends in none of {' '.join(ENDINGS)}"


def pictures_below(path: str, problems: Problems, around: str) -> Iterator[str]:
    """Yield the paths of the pictures in a folder and the folders in it, in order of their names,
    following links, but into no folder twice, nor back into `around`, the real path of the folder
    that it lies in. Appends what is left out to `problems`.
    """
    seen: set[str] = set()
    # a stack: folders can lie 2,000 deep
    waiting: list[tuple[Folder | os.DirEntry[str], str]] = [(Folder(path), around)]
    while waiting:
        item, outside = waiting.pop()
        reason: str | None = OTHER_ENDING
        if isinstance(item, Folder):
            here = os.path.realpath(item.path)
            if (outside + os.sep).startswith(here.rstrip(os.sep) + os.sep):
                reason = "this link leads back to a folder that contains it"
            elif here in seen:
                reason = "this link leads to a folder whose pictures the class has already"
            else:
                seen.add(here)
                waiting += [(Folder(entry.path) if type_of(entry) == "folder"
                             and not is_picture(entry.name) else entry, here)
                            for entry in reversed(item.entries())]
                reason = item.trouble and f"{item.trouble}: what is in this folder cannot be used"
        elif (what := type_of(item)) != "file":
            reason = ("it is a folder, not a picture" if what else "it is not a file, "
                      "or a link to nothing")
        elif is_picture(item.name):
            yield item.path
            continue
        problems += [(item.path, reason)] if reason else []


_ASIDE = ("masks?|seg|segmentations?|superpixels|labels?|annotations?|gt|groundtruth|thumbs?|"
          "thumbnails?")
_BEHIND = re.compile(rf"(.+)[ ._-]({_ASIDE})[ ._-]?\d*", re.IGNORECASE)


def without_masks(paths: list[str], problems: Problems) -> list[str]:
    """The pictures of a class without their masks and small copies, which have the name of one and
    a word behind it, or lie in a folder of such a name. Appends these to `problems`."""
    plain, aside = dict[str, str](), dict[str, str]()
    for path in paths:
        name, here = os.path.splitext(os.path.basename(path))[0], os.path.dirname(path)
        behind = _BEHIND.fullmatch(name)
        if behind or re.fullmatch(_ASIDE, os.path.basename(here).lower()):
            aside[path] = behind[1] if behind else name
        else:
            plain[name] = path
    owned = {path: plain[name] for path, name in aside.items() if name in plain}
    problems += [(path, f"it belongs to {printable(os.path.basename(owner))}, by its name a mask "
                  "or a small copy of it") for path, owner in owned.items()]
    return [path for path in paths if path not in owned]


def files_below(path: Place) -> list[str]:
    """List the paths of the pictures in a folder and the folders in it, in order of their names,
    without those that minialex has drawn; of a file, its own. Raises UserError when a folder holds
    none.
    """
    if not os.path.isdir(path):
        return [os.fspath(path)]
    found = list(pictures_below(os.fspath(path), [], os.path.dirname(os.path.realpath(path))))
    require(found, instead_of_pictures(path)
            or f"{printable(path)} holds no pictures ({' '.join(ENDINGS)})")
    return found
