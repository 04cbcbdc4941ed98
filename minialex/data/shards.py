"""One file of a pack: up to 4,096 decoded pictures, and the record beside it.

Both files get their names only when they are whole on the disk, the record last. It keeps a digest
of the names, sizes and times of the files that the shard was made of.
"""

import errno
import hashlib
import json
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..aliases import Array
from ..errors import UserError, require
from ..folders.problems import Problems
from ..utils.ahead import ahead
from ..utils.files import replacing
from .pictures import UnreadablePicture, attempt, planes_of

AGAIN = "run python -m minialex.pack again, it mends the pack"


@dataclass
class Shard:
    """Up to per_shard pictures of one part. path: of the array; paths: of the pictures' files,
    below `root`; size: pixels a side.

    record: {"source": digest of the files, "checksums": of the pictures, "unreadable": {number of a
    picture: why}}; array: the pictures, while a Pack is open.
    """

    path: str
    root: str
    paths: list[str]
    size: int
    record: dict[str, Any] = field(default_factory=dict)
    array: Any = None

    def __post_init__(self) -> None:
        self.record_path = self.path.removesuffix(".npy") + ".json"
        self.shape = len(self.paths), 3, self.size, self.size

    def map(self) -> Array:
        """Map the pictures into memory: uint8, of this shape, read-only. Raises UserError."""
        try:
            found = np.lib.format.open_memmap(self.path, mode="r")
        except Exception as error:
            # a shape not filled, a head cut off: NumPy raises almost anything
            if getattr(error, "errno", None) == errno.EMFILE:
                raise UserError(f"{self.path} cannot be opened beside the others, "
                                "a program may open so few files here: "
                                "raise the number with ulimit -n") from error
            raise UserError(f"{self.path} is missing or damaged ({error}): {AGAIN}") from error
        require(found.dtype == np.uint8 and found.shape == self.shape, f"{self.path} holds "
                f"{found.dtype} {found.shape} instead of uint8 {self.shape}: {AGAIN}")
        # a plain view: memmap's own indexing costs more than the copy of a small crop
        return np.asarray(found)

    def names(self) -> list[bytes]:
        """Name the files below the root, with "/" between folders on every system."""
        return [os.fsencode(os.path.relpath(path, self.root).replace(os.sep, "/"))
                for path in self.paths]

    def source(self) -> str:
        """Digest what changes when a file is added, removed, renamed, or written anew."""
        digest = hashlib.sha256()
        for name, path in zip(self.names(), self.paths):
            try:
                status = os.stat(path)
                found = f"{status.st_size} {status.st_mtime_ns}"
            except OSError:
                found = "gone"
            digest.update(name + f"\0{found}\0".encode())
        return digest.hexdigest()

    def unreadable(self) -> Problems:
        """List (path, reason) of the pictures that could not be read."""
        return [(self.paths[int(number)], reason)
                for number, reason in self.record["unreadable"].items()]

    def is_done(self, verify: bool, damaged: Callable[[str, str], Any]) -> bool:
        """Has an earlier call written it, of the same files? Then damaged(path, reason) is told
        what could not be read."""
        try:
            self.record = json.loads(Path(self.record_path).read_bytes())
            pixels, checksums, unreadable = self.map(), self.record["checksums"], self.unreadable()
            same = len(checksums) == len(self.paths) and self.record["source"] == self.source()
            if not same or verify and [zlib.crc32(planes) for planes in pixels] != checksums:
                return False
        except (OSError, ValueError, LookupError, TypeError, AttributeError, UserError):
            # it is no record, or no shard
            return False
        for problem in unreadable:
            damaged(*problem)
        return True

    def write(self, workers: int, damaged: Callable[[str, str], None],
              tick: Callable[[], Any]) -> None:
        """Decode the pictures into the array; what cannot be read stays black, and damaged(path,
        reason) is told."""
        self.record = {"source": self.source(), "checksums": [], "unreadable": {}}
        with replacing(self.path) as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False,
                                                        "shape": self.shape})
            decoded = ahead(lambda path: attempt(planes_of, path, self.size), self.paths, workers)
            for number, planes in enumerate(decoded):
                if isinstance(planes, UnreadablePicture):
                    damaged(self.paths[number], planes.reason)
                    self.record["unreadable"][str(number)] = planes.reason
                    planes = np.zeros(self.shape[1:], dtype=np.uint8)
                file.write(planes)
                self.record["checksums"].append(zlib.crc32(planes))
                tick()
        write(self.record_path, json.dumps(self.record).encode())


def shards_of(folder: str, part: str, root: str, paths: list[str],
              head: dict[str, int]) -> list[Shard]:
    """Divide the pictures of a part among files in the pack `folder`."""
    return [Shard(os.path.join(folder, f"{part}-{number:05d}.npy"), root,
                  paths[start:start + head["per_shard"]], head["size"])
            for number, start in enumerate(range(0, len(paths), head["per_shard"]))]


def write(path: str, content: bytes) -> None:
    """Write a file of a pack, whole or not at all."""
    with replacing(path) as file:
        file.write(content)
