"""Files that are whole or not there, and that never take the place of a file of the user's.

A file is written under another name, forced to the disk, and only then renamed: one indivisible act
of the file system. Whenever a program is killed, and whatever fails, the old file or the new one
has the name, never a part of one.

What a command writes for the user is an Output. It carries a mark inside (a text chunk of a PNG, a
meta line of a page), by which the same command knows its own work: that it replaces, anything else
only when told to (--force).
"""

import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import UserError

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

Place = str | os.PathLike[str]
TEMPORARY = ".minialex-{}-{}.tmp"  # a digest of the name that the file will get, random letters
# A digest has 16 digits: what follows, such as the checksum of a PNG's text, may be one, too.
_MARK = re.compile(rb"minialex-wrote-this:([a-z-]+):([0-9a-f]{16}|)")
_ENDS = 1 << 16  # bytes at both ends of a file in which its mark is looked for


class NotWritten(UserError):
    """A file could not be written, because the disk is full for example; what was there before is
    still there."""


# ---------------------------------------------------------------------------- whole or not there


@contextmanager
def replacing(path: Any, mode: str = "wb", **options: Any) -> Iterator[Any]:
    """Yield a file that takes the name `path`, a path or an Output, when the block ends well.

    A link stays a link: what it points to is written. Raises NotWritten, a UserError, when the file
    cannot be written; UserError when it would replace what the command did not write.
    """
    check = path.check if isinstance(path, Output) else lambda: None
    check()
    target, temporary = os.path.realpath(path), None
    try:
        if _is_device(target):  # a pipe, or /dev/stdout: there is nothing to replace
            with open(target, mode, **options) as file:
                yield file
            return
        remove_abandoned(os.path.dirname(target), os.path.basename(target))
        temporary, file = _open_temporary(target, mode, options)
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            check()
            if fcntl is not None:
                os.replace(temporary, target)  # before the file is closed, which ends its lock
        if fcntl is None:
            os.replace(temporary, target)
    except OSError as error:
        raise NotWritten(f"cannot write {path}: {error.strerror or error}; "
                         "what was there before is unchanged.") from error
    finally:
        with suppress(OSError):  # it has been renamed, or the file system takes no more changes
            os.unlink(temporary or "")
    sync_folder(os.path.dirname(target))


def keep_as(source: Place, target: Place) -> None:
    """Give a file a second name that stays when `source` is written anew: a link, or where there
    are none a copy."""
    temporary = _temporary_name(target)
    try:
        os.link(source, temporary)
        os.replace(temporary, target)
    except OSError:
        _copy(source, target)
    # Renaming one name of a file to another name of it does nothing, and leaves both.
    with suppress(OSError):
        os.unlink(temporary)
    sync_folder(os.path.dirname(os.path.abspath(target)))


def _copy(source, target):
    with replacing(target) as new, open(source, "rb") as old:
        shutil.copyfileobj(old, new, 1 << 20)


def sync_folder(folder: Place) -> None:
    """Force a folder's names to the disk where that is possible (not on Windows, nor on some
    network file systems)."""
    if os.name != "posix":
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# ---------------------------------------------------------------------------- what a kill leaves


def remove_abandoned(folder: Place, name: str | None = None) -> None:
    """Remove what killed programs left half written in a folder: files that were to get this name,
    or any.

    A program at work holds a lock on its file, which the operating system takes away when the
    program ends.
    """
    pattern = TEMPORARY.format("*" if name is None else _digest(name), "*")
    for path in Path(folder).glob(pattern):
        with suppress(OSError), open(path, "rb") as file:
            if lock(file):
                if fcntl is None:
                    file.close()
                path.unlink()


def _digest(text):
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:16]


def _temporary_name(target):
    folder, name = os.path.split(os.path.abspath(target))
    return os.path.join(folder, TEMPORARY.format(_digest(name), secrets.token_hex(4)))


def _open_temporary(target, mode, options):
    while True:
        name = _temporary_name(target)
        file = open(name, mode, **options)
        lock(file)
        if fcntl is None or os.fstat(file.fileno()).st_nlink:
            return name, file
        file.close()  # it was taken for abandoned before it had its lock


def lock(file: Any, unknown: bool = False) -> bool:
    """Lock a file if nobody has; returns whether it is ours. unknown: what is said where the file
    system has no locks."""
    if fcntl is None:  # Windows, where a lock would also keep others from reading
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return unknown
    return True


@contextmanager
def held(folder: Place) -> Iterator[None]:
    """Nobody else is inside such a block with this folder; who comes later waits. For moments.

    Nothing is kept out where a folder cannot be locked (Windows, some network file systems).
    """
    if fcntl is None or not os.path.isdir(folder):
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _is_device(path):
    try:
        kind = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(kind) or stat.S_ISDIR(kind))


# ---------------------------------------------------------------------------- what a user is given


def mark(kind: str, of: str = "") -> str:
    """What stands inside a file of this kind, made of the inputs `of`, so that minialex knows its
    own work again."""
    return f"minialex-wrote-this:{kind}:{_digest(of) if of else ''}"


def found_mark(path: Place) -> tuple[str, str] | None:
    """(kind, digest of its inputs) of a file that minialex wrote, or None. Looks at both ends of
    the file."""
    found = _MARK.search(_ends(path))
    return (found[1].decode(), found[2].decode()) if found else None


def _ends(path):
    try:
        with open(path, "rb") as file:
            head = file.read(_ENDS)
            file.seek(max(len(head), file.seek(0, os.SEEK_END) - _ENDS))
            return head + file.read()
    except OSError:
        return b""


class Output(os.PathLike[str]):
    """The path of a file that a command writes for the user.

    kind: one word for what it is; of: a text that names what it was made of; force: replace
    whatever is there; signs: bytes that stand in such files beside or instead of a mark, where
    their format has no place for one.
    """

    def __init__(self, path: Place, kind: str, of: str = "", force: bool = False,
                 signs: Sequence[bytes] = ()) -> None:
        self.path, self.kind, self.of, self.force, self.signs = Path(path), kind, of, force, signs
        self.mark = mark(kind, of)

    def __fspath__(self) -> str:
        return str(self.path)

    __str__ = __fspath__

    def is_ours(self) -> bool:
        """Was the file that is there written by the same command?"""
        found = found_mark(self.path)
        return found[0] == self.kind if found else any(sign in _ends(self.path)
                                                       for sign in self.signs)

    def check(self) -> None:
        """Raise UserError when the file cannot be written, or would replace what this command did
        not write."""
        if self.path.is_dir():
            raise UserError(f"{self} is a folder: name a file.")
        if not os.path.isdir(os.path.dirname(os.path.realpath(self.path))):
            raise UserError(f"{self} cannot be written, because there is no folder "
                            f"{self.path.parent}: make it, or name another.")
        if self.path.exists() and not (self.force or _is_device(self.path) or self.is_ours()):
            raise UserError(f"{self} is there already and was not written by this command: "
                            "name another file, or replace it with --force.")


def unused(folder: Place, stem: str, ending: str, kind: str, of: str,
           force: bool = False) -> Output:
    """The Output for a command that was given no name: stem.ending, or stem-2.ending and so on
    where that name has been taken by a file of the user's, or by what was made of other inputs."""
    wanted, number = (kind, _digest(of) if of else ""), 1
    while True:
        output = Output(Path(folder, f"{stem}{'' if number == 1 else f'-{number}'}{ending}"), kind,
                        of, force)
        found = found_mark(output) if os.path.lexists(output) else wanted
        if found == wanted or (force and found is None and not output.path.is_dir()):
            return output
        number += 1
