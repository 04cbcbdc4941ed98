"""Where generated and downloaded pictures are kept between runs, and how they get there whole or not at all."""

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from minialex.errors import UserError


def cache_folder(cache_dir=None):
    """The folder for minialex's pictures: `cache_dir`, else $MINIALEX_CACHE, else the platform's cache folder.

    Raises UserError when the user's home folder is asked for and there is none.
    """
    try:
        return _cache_folder(cache_dir)
    except RuntimeError as error:  # a ~ that stands for nobody's home
        raise UserError(f"there is no folder for the pictures ({error}): name one in the variable MINIALEX_CACHE") from error


def _cache_folder(cache_dir):
    chosen = cache_dir or os.environ.get("MINIALEX_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "minialex"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "minialex"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minialex"


@contextmanager
def whole_folder(target):
    """Yield an empty folder next to `target` that takes its name at the end, or vanishes if anything goes wrong.

    A program that is killed leaves at worst a folder with a temporary name, never half a `target`. If another program
    has made `target` meanwhile, that one stays. Raises UserError if the place cannot be written or the disk is full.
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        yield making
        if not target.exists():
            making.rename(target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


@contextmanager
def whole_file(path):
    """Yield a binary file that takes the name `path`, on the disk for good, when the block ends well. Raises OSError."""
    temporary = f"{path}.part"  # always the same: what a killed program leaves is overwritten by the next
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(os.path.dirname(path))
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def _sync_folder(folder):
    """Force a renaming itself to the disk, where folders can be opened (not on Windows)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _cannot_write(target, error):
    why = error.strerror or error
    return UserError(f"cannot write {target}: {why}; make room, or name another folder in the variable MINIALEX_CACHE")
