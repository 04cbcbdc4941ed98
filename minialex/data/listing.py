"""What lies in a folder of pictures, without what no user put there: hidden files, recycle bins, thumbnails, runs of minialex."""

import os

from minialex.data.pictures import ENDINGS, printable
from minialex.errors import UserError
from minialex.utils.marks import is_no_class, is_own_picture

# Folders that systems and programs make by themselves, besides all whose names begin with a dot.
SYSTEM_FOLDERS = {
    "$recycle.bin", "recycler", "recycled", "system volume information", "lost+found", "found.000",  # Windows, Linux
    "__macosx", "network trash folder", "temporary items", "thevolumesettingsfolder",  # macOS
    "@eadir", "@tmp", "@sharebin", "@recycle", "@recently-snapshot", "@__thumb", "@quarantine", "@database",  # NAS devices
    "#recycle", "#snapshot", "~snapshot", "@snapshots", "@docker", "@appstore", "@synoclouddrivecache",
    "__pycache__", "__thumbs", "_thumbs", "wmthumbs", "ipod photo cache",
}
SYSTEM_FILES = {"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "zbthumbnail.info", "desktop.ini", "picasa.ini", "icon\r"}
RUNS = "runs"  # where minialex keeps its runs when nothing else is said


def entries(folder):
    """os.DirEntry of what users have put into a folder, sorted by name. Raises UserError when it cannot be looked into."""
    try:
        with os.scandir(folder) as found:
            visible = [entry for entry in found if not _is_system(entry)]
    except OSError as error:
        raise UserError(f"cannot look into the folder {printable(folder)}: {error.strerror}") from error
    return sorted(visible, key=lambda entry: entry.name)


def _is_system(entry):
    """Has no user put this here, but a system, or minialex: a run, a pack, a picture that a command has drawn?"""
    name = entry.name.lower()
    if name.startswith(".") or name in SYSTEM_FILES:
        return True
    if not is_folder(entry):
        return is_own_picture(entry.path)
    return name in SYSTEM_FOLDERS or os.path.isfile(os.path.join(entry.path, "pack.json")) or is_no_class(entry.path, ENDINGS)


def is_folder(entry):
    """entry.is_dir(), False for a symbolic link that points to itself."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_file(entry):
    """entry.is_file(), False for a symbolic link that points to itself."""
    try:
        return entry.is_file()
    except OSError:
        return False


def listing(folder):
    """Names of the folders and of the picture files in a folder, sorted. Raises UserError."""
    folders, pictures = [], []
    for entry in entries(folder):
        if is_folder(entry):
            folders += [entry.name] if entry.name.lower() != RUNS else []
        elif entry.name.lower().endswith(ENDINGS):
            pictures.append(entry.name)
    return folders, pictures


def listing_or_nothing(folder):
    """`listing`, empty for a folder that cannot be looked into."""
    try:
        return listing(folder)
    except UserError:
        return [], []
