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


def _cannot_write(target, error):
    why = error.strerror or error
    return UserError(f"cannot write {target}: {why}; make room, or name another folder in the variable MINIALEX_CACHE")
