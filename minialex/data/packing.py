"""Writing a pack (see packed): every picture of a tree is decoded once, shard by shard, on all cores.

A shard counts when its record, the .json file, is there; both files get their names only when they are whole on the disk. So
a program killed at any moment loses at most the shard it was writing. The record keeps a digest of the names, sizes and
times of the files that the shard was made of: the next call writes those shards anew whose files have changed, and no others.

"""

import hashlib
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from ..device import thread_count
from ..errors import UserError, require
from ..utils.files import NotWritten, remove_abandoned, replacing
from . import names
from .packed import FORMAT, HEAD, INDEX, is_pack, join_names, map_shard, read_head, shard_path
from .pictures import SIZE, Reporter, UnreadablePicture, decode, printable, report_problem, stop_at_problem
from .threads import ahead, bar
from .tree import Found, scan
from .walk import Problems

try:
    import fcntl
except ImportError:  # Windows: there a second packer fails when it finds the first one's file open
    fcntl = None

LOCK = ".minialex-lock"
PER_SHARD = 4096  # 805 MB: ImageNet is 326 files, and a killed program loses at most a minute


@dataclass
class Report:
    """What a call of `pack` did. skipped: list of (path, reason) of everything in the tree that is not in the pack."""

    pictures: int = 0
    decoded: int = 0
    skipped: Problems = field(default_factory=list)


def pack(source: str | os.PathLike, target: str | os.PathLike, size: int = SIZE, workers: int | None = None, strict: bool = False,
         verify: bool = False, report: Reporter = report_problem, progress: bool = True, per_shard: int = PER_SHARD,
         labels: str | os.PathLike | None = None) -> Report:
    """Decode the tree `source` (see tree) into the folder `target`. Returns a Report.

    What an earlier call finished is kept; verify: only if its checksums are right. report(path, reason): called for each
    file that is left out; strict: raise UserError at the first of them that is damaged. workers: threads, default all cores.
    labels: a file that says what the pictures are, where no class folders do (see labels).
    Raises UserError for a tree or a target that cannot be used, and when the disk is full.
    """
    source, target = os.fspath(source), os.fspath(target)
    _check_places(source, target)
    tree, done = scan(source, labels), Report()
    if strict and tree.grave:
        stop_at_problem(*tree.grave[0])

    def skip(path: str, reason: str) -> None:
        done.skipped.append((printable(path), reason))
        if report is not None:
            report(*done.skipped[-1])

    damaged = stop_at_problem if strict else skip
    try:
        with _alone_in(target, size, per_shard) as per_shard:
            for problem in tree.problems:
                skip(*problem)
            shards = _shards(tree, target, per_shard)
            _remove_others(target, shards)
            todo = [shard for shard in shards if not shard.is_done(size, verify, damaged)]
            done.pictures = sum(len(shard.paths) for shard in shards)
            _begin(target, todo, size)
            left = sum(len(shard.paths) for shard in todo)
            with bar("packing", progress, total=done.pictures, initial=done.pictures - left) as shown:
                for shard in todo:
                    shard.write(size, workers or thread_count(), damaged, shown.update)
            done.decoded = left - sum(len(shard.record["unreadable"]) for shard in todo)
            _write_index(tree, target, shards)
            if known := names.differing(names.of_data(tree.root, list(tree.train[1]))):  # kept in a file like the publishers'
                rows = "".join(f"{name}\t{seen}\n" for name, seen in known.items())
                _write(os.path.join(target, names.PUBLISHED[1]), rows.encode())
    except (OSError, NotWritten) as error:
        cause = error.__cause__ if isinstance(error, NotWritten) else error
        raise UserError(f"cannot write {target}: {cause.strerror or cause}; what is packed so far stays, and the same command "
                        "goes on from there") from error
    return done


@dataclass
class Shard:
    """Up to per_shard pictures of one part. paths: of their files, below `root`; array: the path of what is written; record: what
    stands in the file beside it, once it is written."""

    part: str
    root: str
    paths: list[str]
    array: str
    record: dict | None = None

    @property
    def record_path(self) -> str:
        """Where the record lies."""
        return self.array.removesuffix(".npy") + ".json"

    def source(self) -> str:
        """Digest what changes when a file is added, removed, renamed, or written anew."""
        digest = hashlib.sha256()
        for path in self.paths:
            try:
                status = os.stat(path)
                found = f"{status.st_size} {status.st_mtime_ns}"
            except OSError:
                found = "gone"
            digest.update(join_names([os.path.relpath(path, self.root)]) + f"\0{found}\0".encode())
        return digest.hexdigest()

    def is_done(self, size: int, verify: bool, damaged: Callable[[str, str], None]) -> bool:
        """Has an earlier call written it, of the same files? Then damaged(path, reason) is told what could not be read."""
        try:
            with open(self.record_path, encoding="utf-8") as file:
                record = json.load(file)
            shard, unreadable = map_shard(self.array, len(self.paths), size), record["unreadable"].items()
            same = len(record["checksums"]) == len(self.paths) and record["source"] == self.source()
            if not same or verify and [zlib.crc32(planes) for planes in shard] != record["checksums"]:
                return False
        except (OSError, ValueError, LookupError, TypeError, AttributeError, UserError):  # it is no record, or no shard
            return False
        self.record = record
        for number, reason in unreadable:
            damaged(self.paths[int(number)], reason)
        return True

    def write(self, size: int, workers: int, damaged: Callable[[str, str], None], tick: Callable[[], object]) -> None:
        """Decode the pictures into the array; what cannot be read stays black, and damaged(path, reason) is told."""
        shape = (len(self.paths), 3, size, size)
        self.record = {"source": self.source(), "checksums": [], "unreadable": {}}

        def planes_of(path: str) -> np.ndarray | UnreadablePicture:
            try:
                return np.ascontiguousarray(decode(path, size).transpose(2, 0, 1))
            except UnreadablePicture as failure:
                return failure

        with replacing(self.array) as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
            for number, planes in enumerate(ahead(planes_of, self.paths, workers)):
                if isinstance(planes, UnreadablePicture):
                    damaged(self.paths[number], planes.reason)
                    self.record["unreadable"][str(number)] = planes.reason
                    planes = np.zeros(shape[1:], dtype=np.uint8)
                file.write(planes)
                self.record["checksums"].append(zlib.crc32(planes))
                tick()
        _write(self.record_path, json.dumps(self.record).encode())


def _check_places(source: str, target: str) -> None:
    require(not is_pack(source),
            f"{source} is packed already: train on it with --data {source}, or check it with --verify {source}")
    outer, inner = (os.path.realpath(path) + os.sep for path in (source, target))
    require(not inner.startswith(outer) and not outer.startswith(inner),
            f"{target} and the pictures in {source} lie in one another: pack into a folder of its own")
    require(os.path.isdir(target) or not os.path.exists(target), f"{target} is a file: name a new folder for the pack")


@contextmanager
def _alone_in(target: str, size: int, per_shard: int) -> Iterator[int]:
    """Make or enter the folder of a pack and keep other packers out; yields the pictures per shard that it was begun with.
    Raises UserError if it is anything else."""
    os.makedirs(target, exist_ok=True)
    head = read_head(target)
    if head is None:
        require(all(name.startswith(".") for name in os.listdir(target)),
                f"{target} holds other files: name a new folder for the pack")
        head = {"format": FORMAT, "size": size, "per_shard": per_shard}
        _write(os.path.join(target, HEAD), json.dumps(head).encode())
    require(head["size"] == size, f"{target} holds pictures of {head['size']}×{head['size']}, not {size}×{size}: name another "
            "folder, or delete it")
    with open(os.path.join(target, LOCK), "wb") as file:
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"another program is packing into {target}: wait for it, or stop it") from error
        remove_abandoned(target)
        yield head["per_shard"]


def _write(path: str, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


def _parts(tree: Found) -> dict[str, tuple[str, dict[str, list[str]]]]:
    """{name of the part in the pack: (folder, {class: paths})}."""
    return {"train": tree.train, "val": tree.parts["val"]} if "val" in tree.parts else {"all": tree.train}


def _shards(tree: Found, target: str, per_shard: int) -> list[Shard]:
    shards = []
    for part, (_, classes) in _parts(tree).items():
        paths = [path for name in sorted(classes) for path in classes[name]]
        shards += [Shard(part, tree.root, paths[start:start + per_shard], shard_path(target, part, number))
                   for number, start in enumerate(range(0, len(paths), per_shard))]
    return shards


def _remove_others(target: str, shards: list[Shard]) -> None:
    """Delete shards of an earlier, larger tree."""
    expected = {os.path.basename(path) for shard in shards for path in (shard.array, shard.record_path)}
    for name in os.listdir(target):
        if re.fullmatch(r"(all|train|val)-\d{5,}\.(npy|json)", name) and name not in expected:
            os.unlink(os.path.join(target, name))


def _begin(target: str, todo: list[Shard], size: int) -> None:
    """Check that what is to be written has room, and take away what says that it is there. Raises UserError."""
    needed, free = sum(len(shard.paths) for shard in todo) * 3 * size * size, shutil.disk_usage(target).free
    require(not todo or needed <= free, f"packing needs {needed / 1e9:,.1f} GB and {target} has {free / 1e9:,.1f} GB free: make "
            "room, or name a folder on another disk")
    for path in [os.path.join(target, INDEX), *(shard.record_path for shard in todo)] if todo else []:
        if os.path.exists(path):
            os.unlink(path)


def _write_index(tree: Found, target: str, shards: list[Shard]) -> None:
    classes, arrays, parts = sorted(tree.train[1]), {}, {}
    for name, (root, found) in _parts(tree).items():
        written, unreadable, paths, checksums = [shard for shard in shards if shard.part == name], {}, [], []
        for shard in written:
            unreadable |= {str(len(paths) + int(number)): reason for number, reason in shard.record["unreadable"].items()}
            paths += [os.path.relpath(path, tree.root) for path in shard.paths]
            checksums += shard.record["checksums"]
        parts[name] = {"root": os.path.relpath(root, tree.root).replace(os.sep, "/"), "unreadable": unreadable}
        labels = [label for label, each in enumerate(classes) for _ in found.get(each, ())]
        arrays |= {f"{name}/names": np.frombuffer(join_names(paths), dtype=np.uint8),
                   f"{name}/labels": np.array(labels, dtype=np.int32), f"{name}/checksums": np.array(checksums, dtype=np.uint32)}
    within = os.path.join(tree.root, "")
    graves, problems = ([(path.removeprefix(within), reason) for path, reason in found] for found in (tree.grave, tree.problems))
    about = json.dumps({"classes": classes, "parts": parts, "problems": problems, "grave": graves})
    with replacing(os.path.join(target, INDEX)) as file:
        np.savez(file, about=np.frombuffer(about.encode(), dtype=np.uint8), **arrays)
