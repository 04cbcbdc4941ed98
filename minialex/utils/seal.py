"""A seal: the comment that a zip file ends with holds the SHA-256 of everything before it.

Any other program still reads the file, and not a single byte can change unnoticed; the checksums
that a zip file keeps by itself do not cover names and headers.
"""

import hashlib
import os
import re
from typing import BinaryIO

from ..errors import require
from .files import Place

_NAME, _DIGITS = b"sha256:", 64  # of a sum in hexadecimal, the very end of the file
BLANK = _NAME + b"0" * _DIGITS  # the comment of a zip file that is going to be sealed


def seal(file: BinaryIO) -> None:
    """Seal an open zip file, whose comment is BLANK."""
    digits = _sum(file)
    file.seek(-_DIGITS, os.SEEK_END)
    file.write(digits)


def is_whole(file: BinaryIO, path: Place) -> bool:
    """Does this open file have a seal? Raises UserError when it has, and the seal is broken."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - len(BLANK)))
    end = file.read()
    require(not end.startswith(_NAME) or _sum(file) == end[len(_NAME):],
            f"{path} is damaged: its checksum is not that of its content.")
    file.seek(0)
    return end.startswith(_NAME)


def _sum(file: BinaryIO) -> bytes:
    """The digits that the seal must have: of the whole file, with zeros in their place."""
    left, found = file.seek(0, os.SEEK_END) - _DIGITS, hashlib.sha256()
    file.seek(0)
    while block := file.read(min(1 << 20, left)):
        found.update(block)
        left -= len(block)
    found.update(b"0" * _DIGITS)
    return found.hexdigest().encode()


def looks_sealed(path: Place) -> bool:
    """Is there a zip file with a seal, whole or broken?"""
    try:
        with open(path, "rb") as file:
            start = file.read(4)
            file.seek(-len(BLANK), os.SEEK_END)
            return start == b"PK\3\4" and re.fullmatch(_NAME + rb"[0-9a-f]{64}",
                                                       file.read()) is not None
    except OSError:
        return False
