"""Pictures that were decoded once and for all: a folder that `minialex pack` writes and `--data` takes.

    pack.json            what this is: format, pixels a side, pictures per shard
    train-00000.npy      uint8 (4096, 3, size, size): pictures 0 to 4095, which any NumPy reads (mmap_mode="r")
    train-00000.json     of which files they were made, their checksums, what could not be read and why
    ...
    index.npz            written last: names, classes and checksums of all

The parts are train and val, or "all" where the tree had no val/: its division is made when it is opened, the same one as
from the tree. Every file of the tree keeps its number, also one that could not be read, so that a run sees the same pictures
in the same order as from the tree. A picture's checksum is compared when it is first read.
"""

import errno
import json
import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..device import thread_count
from ..errors import UserError, require
from .pictures import PictureSet, Reporter, UnreadablePicture, printable
from .threads import ahead, bar
from .tree import Found
from .walk import Problems

try:
    import resource
except ImportError:  # Windows, where the number of open files has no limit
    resource = None

FORMAT = 1
HEAD, INDEX = "pack.json", "index.npz"
SEPARATOR = b"\0"  # between names: the one byte besides "/" that no name can hold
AGAIN = "run python -m minialex.pack again, it mends the pack"


def is_pack(folder: str | os.PathLike) -> bool:
    """Is this folder a pack, finished or not? Raises UserError when it is one that cannot be used."""
    return read_head(folder) is not None


def read_head(folder: str | os.PathLike) -> dict[str, int] | None:
    """Read pack.json; None where there is none, or somebody else's. Raises UserError for a damaged one, or another format."""
    path = os.path.join(folder, HEAD)
    try:
        with open(path, encoding="utf-8") as file:
            head = json.load(file)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not that of a pack ({error}): pack the tree into a new folder") from error
    except OSError:
        return None
    if not isinstance(head, dict) or "per_shard" not in head:
        return None
    numbers = [head.get(name) for name in ("format", "size", "per_shard")]
    require(all(isinstance(number, int) and number > 0 for number in numbers),
            f"{path} is not that of a pack (its numbers are none): pack the tree into a new folder")
    require(head["format"] == FORMAT,
            f"{folder} has format {head['format']}, this minialex reads format {FORMAT}: pack the tree again")
    return head


def _read_index(folder: str) -> tuple[dict, dict[str, np.ndarray]]:
    """(what the index says, its arrays by name). The zip format keeps a checksum of each."""
    path = os.path.join(folder, INDEX)
    require(os.path.exists(path),
            f"{folder} is not packed to the end: run python -m minialex.pack again, it goes on where it stopped")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        return json.loads(arrays["about"].tobytes()), arrays
    except Exception as error:  # damaged bytes make zip and NumPy raise almost anything
        raise UserError(f"{path} is damaged: delete it and run python -m minialex.pack again ({error})") from error


@dataclass
class Part:
    """Training or validation pictures of a pack, or all. files: of the shards; paths: of the pictures, as if they lay in the
    pack; unreadable: {number of a picture: why}; verified: bool, which checksums were compared."""

    name: str
    root: str
    labels: list[int]
    paths: list[str]
    unreadable: dict[int, str]
    checksums: np.ndarray
    verified: np.ndarray
    files: list[str]
    shards: list[np.ndarray]


class Pack:
    """An open pack. size: pixels a side; parts: {name: Part}; places: path of a picture -> (Part, number in it)."""

    def __init__(self, folder: str | os.PathLike):
        self.folder = os.fspath(folder)
        head = read_head(self.folder)
        require(head, f"{self.folder} is no pack: python -m minialex.pack PICTURES {self.folder} makes one.")
        self.about, arrays = _read_index(self.folder)
        self.size, self.per_shard, self.classes = head["size"], head["per_shard"], self.about["classes"]
        self.parts = {name: self._part(name, said, arrays) for name, said in self.about["parts"].items()}
        self.places = {path: (part, number) for part in self.parts.values() for number, path in enumerate(part.paths)}

    def _part(self, name: str, said: dict, arrays: dict[str, np.ndarray]) -> Part:
        paths = [os.path.join(self.folder, path) for path in _split_names(arrays[f"{name}/names"].tobytes())]
        starts = range(0, len(paths), self.per_shard)
        files = [shard_path(self.folder, name, number) for number in range(len(starts))]
        _allow_open_files(len(files))
        return Part(name, os.path.normpath(os.path.join(self.folder, said["root"])), arrays[f"{name}/labels"].tolist(), paths,
                    {int(number): reason for number, reason in said["unreadable"].items()}, arrays[f"{name}/checksums"],
                    np.zeros(len(paths), dtype=bool), files,
                    [map_shard(file, len(paths[start:start + self.per_shard]), self.size) for file, start in zip(files, starts)])

    def found(self) -> Found:
        """Say what the tree of pictures held that was packed, with paths as if it lay in the pack."""
        problems, grave = ([(os.path.join(self.folder, path), reason) for path, reason in self.about[kind]]
                           for kind in ("problems", "grave"))
        parts: dict = {name: (part.root, {}) for name, part in self.parts.items()}
        for name, part in self.parts.items():
            for label, path in zip(part.labels, part.paths, strict=True):
                parts[name][1].setdefault(self.classes[label], []).append(path)
        return Found(self.folder, parts, problems, grave, pack=self)

    def planes(self, part: Part, number: int) -> np.ndarray:
        """Read picture `number` of a Part: uint8 (3, size, size), read-only. Raises UnreadablePicture."""
        if number in part.unreadable:
            raise UnreadablePicture(part.paths[number], part.unreadable[number])
        shard, place = divmod(number, self.per_shard)
        planes = part.shards[shard][place]
        if not part.verified[number] and zlib.crc32(planes) != part.checksums[number]:
            raise UnreadablePicture(part.paths[number], f"its pixels in {part.files[shard]} have changed since they were packed; "
                                    "pack the tree again")
        part.verified[number] = True
        return planes

    def describe(self) -> str:
        """One line: its classes, how many pictures each part has, their size."""
        counts = ", ".join(f"{len(part.paths):,} {'pictures' if part.name == 'all' else 'for ' + part.name}"
                           for part in self.parts.values())
        return f"{printable(self.folder)}: {len(self.classes)} classes, {counts}, {self.size}×{self.size}"

    def verify(self, progress: bool = True) -> Problems:
        """Read every picture: list of (path, reason) of those that are not what was packed."""
        todo = [(part, number) for part in self.parts.values() for number in range(len(part.paths))
                if number not in part.unreadable]

        def check(place: tuple[Part, int]) -> Problems:
            try:
                self.planes(*place)
                return []
            except UnreadablePicture as failure:
                return [(failure.path, failure.reason)]

        checked = ahead(check, todo, thread_count())
        return [problem for found in bar("verifying", progress, checked, total=len(todo), leave=False) for problem in found]


class PackedSet(PictureSet):
    """A PictureSet whose pictures lie decoded in a pack. paths: of the files that they were made of."""

    decodes_anew = False

    def __init__(self, pack: Pack, classes: list[str], labels: list[int], paths: list[str], names: list[str], report: Reporter):
        super().__init__(classes, labels, paths, names, pack.size, cache_bytes=0, report=report)
        self.pack = pack
        self.places = [pack.places[path] for path in self.paths]

    def _decode(self, index: int) -> np.ndarray:
        """uint8 (3, size, size), read-only: a view of the file."""
        return self.pack.planes(*self.places[index])


def map_shard(path: str, count: int, size: int) -> np.ndarray:
    """The `count` pictures of a shard: uint8 (count, 3, size, size). Raises UserError."""
    try:
        shard = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a shape not filled, a head cut off: NumPy raises almost anything
        if getattr(error, "errno", None) == errno.EMFILE:
            raise UserError(f"{path} cannot be opened beside the others, a program may open so few files here: raise the number "
                            "with ulimit -n") from error
        raise UserError(f"{path} is missing or damaged ({error}): {AGAIN}") from error
    require((shard.dtype, shard.shape) == (np.uint8, (count, 3, size, size)),
            f"{path} holds {shard.dtype} {shard.shape} instead of uint8 {(count, 3, size, size)}: {AGAIN}")
    return np.asarray(shard)  # a plain view: memmap's own indexing costs more than the copy of a small crop


def _allow_open_files(count: int) -> None:
    """Let this process have so many files open, more than the usual 256 to 1,024: each mapped shard is one."""
    if resource is not None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and count > soft // 4:
            wanted = soft + count if hard == resource.RLIM_INFINITY else min(soft + count, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def shard_path(folder: str, part: str, number: int) -> str:
    return os.path.join(folder, f"{part}-{number:05d}.npy")


def join_names(names: Iterable[str]) -> bytes:
    """Relative paths as bytes, with "/" between folders on every system."""
    return SEPARATOR.join(os.fsencode(name.replace(os.sep, "/")) for name in names)


def _split_names(content: bytes) -> list[str]:
    return [os.fsdecode(name).replace("/", os.sep) for name in content.split(SEPARATOR)] if content else []
