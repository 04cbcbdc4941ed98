"""Pictures that were decoded once and for all: a folder that `minialex pack` writes and `--data`
takes.

    pack.json            what this is: format, pixels a side, pictures per shard
    train-00000.npy      uint8 (4096, 3, size, size): pictures 0 to 4095, which any NumPy reads
                         (mmap_mode="r")
    train-00000.json     its record: of which files it was made, checksums, what could not be read
                         and why
    ...
    index.npz            written last: names, classes and checksums of all

The parts are train and val, or "all" where the tree had no val/: its division is made when it is
opened, the same one as from the tree. Every file of the tree keeps its number, also one that could
not be read, so that a run sees the same pictures in the same order as from the tree. A picture's
checksum is compared when it is first read.

Shards are decoded one by one, on all cores. One counts when its record is there; both files get
their names only when they are whole on the disk. So a program killed at any moment loses at most
the shard it was writing. The record keeps a digest of the names, sizes and times of the files that
the shard was made of: the next call writes those shards anew whose files have changed, and no
others.
"""

import json
import os
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..aliases import Array
from ..errors import UserError, require
from ..folders import names
from ..folders.problems import Problems, Reporter, printable, report_problem, stop_at_problem
from ..folders.tree import Found, scan
from ..folders.walk import Classes
from ..utils.ahead import ahead, bar
from ..utils.files import NotWritten, Place, remove_abandoned, replacing
from ..utils.machine import thread_count
from .pictures import SIZE, PictureSet, UnreadablePicture, attempt
from .shards import Shard, shards_of, write

try:
    import fcntl
    import resource
except ImportError:
    # Windows: files may be open in any number, and a second packer fails at the first one's
    fcntl = resource = None  # type: ignore[assignment]

FORMAT = 1
HEAD, INDEX, LOCK = "pack.json", "index.npz", ".minialex-lock"
PER_SHARD = 4096  # 805 MB: ImageNet is 326 files, and a killed program loses at most a minute
SEPARATOR = b"\0"  # between names: the one byte besides "/" that no name can hold

# ------------------------------------------------------------------------------------------ reading


def is_pack(folder: Place) -> bool:
    """Is this folder a pack, finished or not? Raises UserError when it is one that cannot be
    used."""
    return _read_head(folder) is not None


def _read_head(folder: Place) -> dict[str, int] | None:
    """Read pack.json; None where there is none, or somebody else's. Raises UserError for a damaged
    one, or another format."""
    path = os.path.join(folder, HEAD)
    try:
        head = json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not that of a pack ({error}): "
                        "pack the tree into a new folder") from error
    except OSError:
        return None
    if not isinstance(head, dict) or "per_shard" not in head:
        return None
    require(all(isinstance(head.get(name), int) and head[name] > 0
                for name in ("format", "size", "per_shard")),
            f"{path} is not that of a pack (its numbers are none): pack the tree into a new folder")
    require(head["format"] == FORMAT, f"{folder} has format {head['format']}, "
            f"this minialex reads format {FORMAT}: pack the tree again")
    return head


def _read_index(folder: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """(what the index says, its arrays by name). The zip format keeps a checksum of each."""
    path = os.path.join(folder, INDEX)
    require(os.path.exists(path), f"{folder} is not packed to the end: "
            "run python -m minialex.pack again, it goes on where it stopped")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        return json.loads(arrays["about"].tobytes()), arrays
    except Exception as error:  # damaged bytes make zip and NumPy raise almost anything
        raise UserError(f"{path} is damaged: "
                        f"delete it and run python -m minialex.pack again ({error})") from error


class Pack:
    """An open pack. size: pixels a side; found: what the tree held, with paths as if it lay in the
    pack, but for files of labels, which lie where they did."""

    def __init__(self, folder: Place):
        self.folder = os.fspath(folder)
        head = _read_head(self.folder)
        if head is None:
            raise UserError(f"{self.folder} is no pack: "
                            f"python -m minialex.pack PICTURES {self.folder} makes one.")
        about, arrays = _read_index(self.folder)
        self.size, self.classes = head["size"], about["classes"]
        problems, grave = ([(os.path.join(self.folder, path), reason)
                            for path, reason in about[kind]] for kind in ("problems", "grave"))
        self.found = Found(self.folder, {}, problems, grave, pack=self)
        self.unreadable: dict[str, str] = {}  # path of a picture: why
        self._places: dict[str, tuple[Shard, int]] = {}
        for name, said in about["parts"].items():
            self._open_part(name, said, arrays, head)

    def _open_part(self, name: str, said: dict[str, Any], arrays: dict[str, Array],
                   head: dict[str, int]) -> None:
        joined = arrays[f"{name}/names"].tobytes()
        paths = [os.path.join(self.folder, os.fsdecode(each).replace("/", os.sep))
                 for each in joined.split(SEPARATOR) if joined]
        files: Classes = {}
        for label, path in zip(arrays[f"{name}/labels"].tolist(), paths, strict=True):
            files.setdefault(self.classes[label], []).append(path)
        self.found.parts[name] = os.path.normpath(os.path.join(self.folder, said["root"])), files
        self.unreadable |= {paths[int(number)]: reason
                            for number, reason in said["unreadable"].items()}
        checksums, shards = arrays[f"{name}/checksums"], shards_of(self.folder, name, self.folder,
                                                                 paths, head)
        _allow_open_files(len(shards))
        for shard in shards:
            shard.array, shard.record = shard.map(), {
                "checksums": checksums[:len(shard.paths)].tolist()}
            checksums = checksums[len(shard.paths):]
            self._places |= {path: (shard, place) for place, path in enumerate(shard.paths)}

    def planes(self, path: str) -> Array:
        """Read the picture that was made of this file: uint8 (3, size, size), read-only. Raises
        UnreadablePicture."""
        if path in self.unreadable:
            raise UnreadablePicture(path, self.unreadable[path])
        shard, place = self._places[path]
        planes: Array = shard.array[place]
        checksums = shard.record["checksums"]
        if checksums[place] is not None and zlib.crc32(planes) != checksums[place]:
            raise UnreadablePicture(path, f"its pixels in {shard.path} have changed since they "
                                    "were packed; pack the tree again")
        checksums[place] = None  # it has been compared
        return planes

    def describe(self) -> str:
        """One line: its classes, how many pictures each part has, their size."""
        counts = ", ".join(f"{sum(map(len, files.values())):,} "
                           f"{'pictures' if name == 'all' else 'for ' + name}"
                           for name, (_, files) in self.found.parts.items())
        return (f"{printable(self.folder)}: {len(self.classes)} classes, {counts}, "
                f"{self.size}×{self.size}")

    def verify(self, progress: bool = True) -> Problems:
        """Read every picture: list of (path, reason) of those that are not what was packed."""
        todo = [path for path in self._places if path not in self.unreadable]
        checked = ahead(lambda path: attempt(self.planes, path), todo, thread_count())
        return [(failure.path, failure.reason)
                for failure in bar("verifying", progress, checked, total=len(todo), leave=False)
                if isinstance(failure, UnreadablePicture)]


class PackedSet(PictureSet):
    """A PictureSet whose pictures lie decoded in a pack. paths: of the files that they were made
    of."""

    decodes_anew = False

    def __init__(self, pack: Pack, *about: Any):
        super().__init__(*about)
        self.pack, self.cache_bytes = pack, 0

    def _decode(self, index: int) -> Array:
        """uint8 (3, size, size), read-only: a view of the file."""
        return self.pack.planes(self.paths[index])


def _allow_open_files(count: int) -> None:
    """Let this process have so many files open, more than the usual 256 to 1,024: each mapped shard
    is one."""
    if resource is not None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and count > soft // 4:
            wanted = soft + count if hard == resource.RLIM_INFINITY else min(soft + count, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


# ------------------------------------------------------------------------------------------ writing


@dataclass
class Report:
    """What a call of `pack` did. skipped: list of (path, reason) of everything in the tree that is
    not in the pack."""

    pictures: int = 0
    decoded: int = 0
    skipped: Problems = field(default_factory=list)


def pack(source: Place, target: Place, size: int = SIZE, workers: int | None = None,
         strict: bool = False, verify: bool = False, report: Reporter = report_problem,
         progress: bool = True, per_shard: int = PER_SHARD, labels: Place | None = None) -> Report:
    """Decode the tree `source` (see tree) into the folder `target`. Returns a Report.

    What an earlier call finished is kept; verify: only if its checksums are right. report(path,
    reason): called for each file that is left out; strict: raise UserError at the first of them
    that is damaged. workers: threads, default all cores. labels: a file that says what the pictures
    are, where no class folders do (see labels). Raises UserError for a tree or a target that cannot
    be used, and when the disk is full.
    """
    source, target = os.fspath(source), os.fspath(target)
    _check_places(source, target)
    tree, done = scan(source, labels, strict=strict), Report()

    def skip(path: str, reason: str) -> None:
        done.skipped.append((printable(path), reason))
        if report is not None:
            report(*done.skipped[-1])

    damaged = stop_at_problem if strict else skip
    try:
        with _alone_in(target, size, per_shard) as head:
            for problem in tree.problems:
                skip(*problem)
            parts = {"train": tree.train,
                     "val": tree.parts["val"]} if "val" in tree.parts else {"all": tree.train}
            divided = {name: shards_of(target, name, tree.root,
                                     [path for each in sorted(files) for path in files[each]], head)
                       for name, (_, files) in parts.items()}
            shards = [shard for part in divided.values() for shard in part]
            todo = [shard for shard in shards if not shard.is_done(verify, damaged)]
            done.pictures, left = (sum(len(shard.paths) for shard in each)
                                   for each in (shards, todo))
            _make_room(target, shards, todo, left * 3 * size * size)
            with bar("packing", progress, total=done.pictures,
                     initial=done.pictures - left) as shown:
                for shard in todo:
                    shard.write(workers or thread_count(), damaged, shown.update)
            done.decoded = left - sum(len(shard.unreadable()) for shard in todo)
            _write_index(tree, target, parts, divided)
    except (OSError, NotWritten) as error:
        cause = error.__cause__ if isinstance(error, NotWritten) else error
        raise UserError(f"cannot write {target}: {getattr(cause, 'strerror', None) or cause}; "
                        "what is packed so far stays, "
                        "and the same command goes on from there") from error
    return done


def _check_places(source: str, target: str) -> None:
    require(not is_pack(source), f"{source} is packed already: train on it with --data {source}, "
            f"or check it with --verify {source}")
    outer, inner = (os.path.realpath(path) + os.sep for path in (source, target))
    require(not inner.startswith(outer) and not outer.startswith(inner), f"{target} and the "
            f"pictures in {source} lie in one another: pack into a folder of its own")
    require(os.path.isdir(target) or not os.path.exists(target),
            f"{target} is a file: name a new folder for the pack")


@contextmanager
def _alone_in(target: str, size: int, per_shard: int) -> Iterator[dict[str, int]]:
    """Make or enter the folder of a pack and keep other packers out; yields pack.json, the one that
    it was begun with. Raises UserError if it is anything else."""
    os.makedirs(target, exist_ok=True)
    head = _read_head(target)
    if head is None:
        require(all(name.startswith(".") for name in os.listdir(target)),
                f"{target} holds other files: name a new folder for the pack")
        head = {"format": FORMAT, "size": size, "per_shard": per_shard}
        write(os.path.join(target, HEAD), json.dumps(head).encode())
    require(head["size"] == size, f"{target} holds pictures of {head['size']}×{head['size']}, "
            f"not {size}×{size}: name another folder, or delete it")
    with open(os.path.join(target, LOCK), "wb") as file:
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"another program is packing into {target}: wait for it, "
                            "or stop it") from error
        remove_abandoned(target)
        yield head


def _make_room(target: str, shards: list[Shard], todo: list[Shard], needed: int) -> None:
    """Delete shards of an earlier, larger tree, and what says that those to be written are there.
    Raises UserError when the disk is too small."""
    kept = {os.path.basename(path) for shard in shards for path in (shard.path, shard.record_path)}
    others = {name for name in os.listdir(target)
              if re.fullmatch(r"(all|train|val)-\d{5,}\.(npy|json)", name)} - kept
    for name in others:
        os.unlink(os.path.join(target, name))
    free = shutil.disk_usage(target).free
    require(needed <= free or not todo, f"packing needs {needed / 1e6:,.1f} MB and {target} has "
            f"{free / 1e6:,.1f} MB free: make room, or name a folder on another disk")
    for path in [os.path.join(target, INDEX),
                 *(shard.record_path for shard in todo)] if todo else []:
        with suppress(FileNotFoundError):
            os.unlink(path)


def _write_index(tree: Found, target: str, parts: dict[str, tuple[str, Classes]],
                 shards: dict[str, list[Shard]]) -> None:
    """Write names, classes and checksums, and what the classes are called in a file like the
    publishers'."""
    classes, arrays, said = sorted(tree.train[1]), dict[str, Array](), {}
    for name, (root, files) in parts.items():
        unreadable, paths, checksums = dict[str, str](), list[bytes](), list[int]()
        for shard in shards[name]:
            unreadable |= {str(len(paths) + int(number)): reason
                           for number, reason in shard.record["unreadable"].items()}
            paths += shard.names()
            checksums += shard.record["checksums"]
        said[name] = {"root": os.path.relpath(root, tree.root).replace(os.sep, "/"),
                      "unreadable": unreadable}
        labels = [label for label, each in enumerate(classes) for _ in files.get(each, ())]
        arrays |= {f"{name}/names": np.frombuffer(SEPARATOR.join(paths), dtype=np.uint8),
                   f"{name}/labels": np.array(labels, dtype=np.int32),
                   f"{name}/checksums": np.array(checksums, dtype=np.uint32)}
    grave, problems = ([(tree.place(path), reason) for path, reason in found]
                       for found in (tree.grave, tree.problems))
    about = json.dumps({"classes": classes, "parts": said, "problems": problems, "grave": grave})
    with replacing(os.path.join(target, INDEX)) as file:
        np.savez(file, about=np.frombuffer(about.encode(), dtype=np.uint8), **arrays)
    if known := names.differing(names.of_data(tree.root, classes)):
        write(os.path.join(target, names.PUBLISHED[1]),
               "".join(f"{name}\t{seen}\n" for name, seen in known.items()).encode())
