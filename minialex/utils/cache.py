"""What minialex makes once and keeps for this user: pictures drawn or downloaded, the course's
progress.

Folders get here whole or not at all, as files do by files.replacing.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UserError
from .files import Place


def cache_folder(cache_dir: Place | None = None) -> Path:
    """Name the folder for it: `cache_dir`, else $MINIALEX_CACHE, else the platform's cache folder.

    Raises UserError when the user's home folder is asked for and there is none.
    """
    chosen = cache_dir or os.environ.get("MINIALEX_CACHE")
    platforms = {"win32": ("LOCALAPPDATA", "~/AppData/Local"), "darwin": ("", "~/Library/Caches")}
    variable, usual = platforms.get(sys.platform, ("XDG_CACHE_HOME", "~/.cache"))
    try:
        return Path(chosen or os.environ.get(variable) or usual).expanduser() / ("" if chosen
                                                                                 else "minialex")
    except RuntimeError as error:  # a ~ that stands for nobody's home
        raise UserError(f"there is no folder for the pictures ({error}): "
                        "name one in the variable MINIALEX_CACHE") from error


@contextmanager
def whole_folder(target: Place) -> Iterator[Path]:
    """Yield an empty folder next to `target` that takes its name at the end, or vanishes if
    anything goes wrong.

    A program that is killed leaves at worst a folder with a temporary name, never half a `target`.
    If another program has made `target` meanwhile, that one stays. Raises UserError if the place
    cannot be written or the disk is full.
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent,
                                         ignore_cleanup_errors=True) as making:
            yield Path(making)
            if not target.exists():
                os.rename(making, target)
    except OSError as error:
        raise UserError(f"cannot write {target}: {error.strerror or error}; make room, "
                        "or name another folder in the variable MINIALEX_CACHE") from error
