"""Files that are whole or not there: written under another name, forced to the disk, and only then renamed.

Renaming within a folder is one indivisible act of the file system. Whenever a program is killed, and whatever fails, the
old file or the new one has the name, never a part of one.
"""

import os
import shutil
from contextlib import contextmanager, suppress

from ..errors import UserError

UNFINISHED = ".new"  # always the same ending: what a killed program leaves is overwritten by the next


class NotWritten(UserError):
    """A file could not be written, because the disk is full for example; what was there before is still there."""


@contextmanager
def replacing(path, mode="wb", **options):
    """Yield a file that takes the name `path` when the block ends well. Raises NotWritten, a UserError, when it cannot."""
    temporary = f"{path}{UNFINISHED}"
    try:
        with open(temporary, mode, **options) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise NotWritten(f"cannot write {path}: {error.strerror or error}; what was there before is unchanged.") from error
    finally:
        with suppress(OSError):  # it has been renamed, or the file system takes no more changes
            os.unlink(temporary)
    sync_folder(os.path.dirname(os.path.abspath(path)))


def keep_as(source, target):
    """Give a file a second name that stays when `source` is written anew: a link, or where there are none a copy."""
    temporary = f"{target}{UNFINISHED}"
    with suppress(OSError):
        os.unlink(temporary)
    try:
        os.link(source, temporary)
        os.replace(temporary, target)
    except OSError:
        _copy(source, target)
    with suppress(OSError):  # renaming one name of a file to another name of it does nothing, and leaves both
        os.unlink(temporary)
    sync_folder(os.path.dirname(os.path.abspath(target)))


def _copy(source, target):
    with replacing(target) as new, open(source, "rb") as old:
        shutil.copyfileobj(old, new, 1 << 20)


def sync_folder(folder):
    """Force a folder's names to the disk where that is possible (not on Windows, nor on some network file systems)."""
    if os.name != "posix":
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
