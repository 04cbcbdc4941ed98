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
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from minialex.data import names
from minialex.data.packed import FORMAT, HEAD, INDEX, Pack, is_pack, pack_names, read_head, shard_path
from minialex.data.pictures import SIZE, UnreadablePicture, decode, printable, report_problem, stop_at_problem
from minialex.data.threads import ahead, bar
from minialex.data.tree import scan
from minialex.device import thread_count
from minialex.errors import UserError
from minialex.utils.files import NotWritten, remove_abandoned, replacing

LOCK = ".minialex-lock"
PER_SHARD = 4096  # 805 MB: ImageNet is 326 files, and a killed program loses at most a minute


@dataclass
class Shard:
    """Up to per_shard pictures of one part: `paths` of their files, `array` and `record` of what is written."""

    part: str
    number: int
    paths: list
    array: str

    @property
    def record(self):
        return self.array.removesuffix(".npy") + ".json"

    def bytes(self, size):
        """What the array takes on the disk, but for its header."""
        return len(self.paths) * 3 * size * size

    def source(self, root):
        """A digest that changes when a file is added, removed, renamed, or written anew."""
        digest = hashlib.sha256()
        for path in self.paths:
            try:
                status = os.stat(path)
                found = f"{status.st_size} {status.st_mtime_ns}"
            except OSError:
                found = "gone"
            digest.update(pack_names([os.path.relpath(path, root)]) + f"\0{found}\0".encode())
        return digest.hexdigest()

    def read_record(self):
        """What an earlier call wrote, or None."""
        try:
            with open(self.record, encoding="utf-8") as file:
                record = json.load(file)
            whole = len(record["checksums"]) == len(self.paths) and record["source"] and record["unreadable"] is not None
            return record if whole else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


@dataclass
class Report:
    """What a call of `pack` did. skipped: list of (path, reason) of everything in the tree that is not in the pack."""

    pictures: int = 0
    decoded: int = 0
    skipped: list = field(default_factory=list)


def pack(source, target, size=SIZE, workers=None, strict=False, verify=False, report=report_problem, progress=True,
         per_shard=PER_SHARD, labels=None):
    """Decode the tree `source` (see tree) into the folder `target`. Returns a Report.

    What an earlier call finished is kept; verify: only if its checksums are right. report(path, reason): called for each
    file that is left out; strict: raise UserError at the first of them that is damaged. workers: threads, default all cores.
    labels: a file that says what the pictures are, where no class folders do (see labels).
    Raises UserError for a tree or a target that cannot be used, and when the disk is full.
    """
    source, target = os.fspath(source), os.fspath(target)
    _check_places(source, target)
    tree = scan(source, labels)
    if strict and tree.grave:
        stop_at_problem(*tree.grave[0])
    done = Report(skipped=[(printable(path), reason) for path, reason in tree.problems])
    try:
        with _alone_in(target, size, per_shard) as per_shard:
            for problem in done.skipped if report else ():
                report(*problem)
            shards = _shards(tree, target, per_shard)
            _remove_others(target, shards)
            _pack_shards(shards, tree, done, size, workers or thread_count(), strict, verify, report, progress)
            _write_index(tree, target, shards)
            _write_names(tree, target)
    except (OSError, NotWritten) as error:
        cause = error.__cause__ if isinstance(error, NotWritten) else error
        raise UserError(f"cannot write {target}: {cause.strerror or cause}; what is packed so far stays, and the same command "
                        "goes on from there") from error
    return done


def verify_pack(folder, progress=True):
    """Read every picture of a pack: list of (path, reason) of those that are not what was packed."""
    opened = Pack(folder)
    wrong = []
    todo = [(part, number) for part in opened.parts.values() for number in range(len(part.paths))
            if number not in part.unreadable]

    def check(place):
        try:
            opened.planes(*place)
        except UnreadablePicture as failure:
            return failure.path, failure.reason
        return None

    checked = ahead(check, todo, thread_count())
    for problem in bar("verifying", progress, checked, total=len(todo), leave=False):
        wrong += [problem] if problem else []
    return wrong


def _check_places(source, target):
    if is_pack(source):
        raise UserError(f"{source} is packed already: train on it with --data {source}, or check it with --verify {source}")
    outer, inner = os.path.realpath(source), os.path.realpath(target)
    if (inner + os.sep).startswith(outer + os.sep) or (outer + os.sep).startswith(inner + os.sep):
        raise UserError(f"{target} and the pictures in {source} lie in one another: pack into a folder of its own")
    if os.path.exists(target) and not os.path.isdir(target):
        raise UserError(f"{target} is a file: name a new folder for the pack")


@contextmanager
def _alone_in(target, size, per_shard):
    """Make or enter the folder of a pack and keep other packers out; yields the pictures per shard that it was begun with.
    Raises UserError if it is anything else."""
    head = {"format": FORMAT, "size": size, "per_shard": per_shard}
    os.makedirs(target, exist_ok=True)
    if not is_pack(target):
        if [name for name in os.listdir(target) if not name.startswith(".")]:
            raise UserError(f"{target} holds other files: name a new folder for the pack")
        with replacing(os.path.join(target, HEAD)) as file:
            file.write(json.dumps(head).encode())
    head = read_head(target)
    if head["size"] != size:
        raise UserError(f"{target} holds pictures of {head['size']}×{head['size']}, not {size}×{size}: name another folder, or "
                        "delete it")
    with open(os.path.join(target, LOCK), "wb") as file:
        _lock(file, target)
        remove_abandoned(target)
        yield head["per_shard"]


def _lock(file, target):
    try:
        import fcntl
    except ImportError:  # Windows: there a second packer fails when it finds the first one's file open
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UserError(f"another program is packing into {target}: wait for it, or stop it") from error


def _parts(tree):
    """Name of the part -> (folder, {class: paths})."""
    if tree.val_root is None:
        return {"all": (tree.train_root, tree.train)}
    return {"train": (tree.train_root, tree.train), "val": (tree.val_root, tree.val)}


def _shards(tree, target, per_shard):
    shards = []
    for part, (_, classes) in _parts(tree).items():
        paths = [path for name in sorted(classes) for path in classes[name]]
        for number, start in enumerate(range(0, len(paths), per_shard)):
            shards.append(Shard(part, number, paths[start:start + per_shard], shard_path(target, part, number)))
    return shards


def _remove_others(target, shards):
    """Delete shards of an earlier, larger tree."""
    expected = {os.path.basename(path) for shard in shards for path in (shard.array, shard.record)}
    for name in os.listdir(target):
        if re.fullmatch(r"(all|train|val)-\d{5,}\.(npy|json)", name) and name not in expected:
            os.unlink(os.path.join(target, name))


def _pack_shards(shards, tree, done, size, workers, strict, verify, report, progress):
    """Write those of the shards that are not there yet."""
    todo = []
    for shard in shards:
        record = shard.read_record()
        if record is None or record["source"] != shard.source(tree.root) or not _array_is_there(shard, size, record, verify):
            todo.append(shard)
        else:
            _note_unreadable(shard, record, done, strict, report)
    done.pictures = sum(len(shard.paths) for shard in shards)
    left = sum(len(shard.paths) for shard in todo)
    if todo:
        folder = os.path.dirname(todo[0].array)
        _check_room(folder, sum(shard.bytes(size) for shard in todo))
        for path in [os.path.join(folder, INDEX), *(shard.record for shard in todo)]:
            if os.path.exists(path):
                os.unlink(path)
    with bar("packing", progress, total=done.pictures, initial=done.pictures - left) as shown:
        for shard in todo:
            _note_unreadable(shard, _write_shard(shard, tree.root, size, workers, strict, shown), done, strict, report)
    done.decoded = left - sum(len(shard.read_record()["unreadable"]) for shard in todo)


def _array_is_there(shard, size, record, verify):
    try:
        array = np.load(shard.array, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    if array.dtype != np.uint8 or array.shape != (len(shard.paths), 3, size, size):
        return False
    return not verify or [zlib.crc32(planes) for planes in array] == record["checksums"]


def _check_room(folder, needed):
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(f"packing needs {needed / 1e9:,.1f} GB and {folder} has {free / 1e9:,.1f} GB free: make room, or name "
                        "a folder on another disk")


def _write_shard(shard, root, size, workers, strict, shown):
    """Decode the pictures of a shard into its array; what cannot be read stays black. Returns the record."""
    record = {"source": shard.source(root), "checksums": [], "unreadable": {}}
    with replacing(shard.array) as file:
        shape = (len(shard.paths), 3, size, size)
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        decoded = ahead(lambda path: _planes(path, size), shard.paths, workers)
        for number, planes in enumerate(decoded):
            if isinstance(planes, UnreadablePicture):
                if strict:
                    stop_at_problem(planes.path, planes.reason)
                record["unreadable"][str(number)] = planes.reason
                planes = np.zeros(shape[1:], dtype=np.uint8)
            file.write(planes)
            record["checksums"].append(zlib.crc32(planes))
            shown.update()
    with replacing(shard.record) as file:
        file.write(json.dumps(record).encode())
    return record


def _planes(path, size):
    """uint8 (3, size, size), contiguous; or the UnreadablePicture."""
    try:
        return np.ascontiguousarray(decode(path, size).transpose(2, 0, 1))
    except UnreadablePicture as failure:
        return failure


def _note_unreadable(shard, record, done, strict, report):
    for number, reason in record["unreadable"].items():
        path = printable(shard.paths[int(number)])
        if strict:
            stop_at_problem(path, reason)
        done.skipped.append((path, reason))
        if report is not None:
            report(path, reason)


def _write_index(tree, target, shards):
    classes = sorted(tree.train)
    arrays, parts = {}, {}
    for name, (root, found) in _parts(tree).items():
        records = [(shard, shard.read_record()) for shard in shards if shard.part == name]
        unreadable, first = {}, 0
        for shard, record in records:
            unreadable |= {str(first + int(number)): reason for number, reason in record["unreadable"].items()}
            first += len(shard.paths)
        parts[name] = {"root": os.path.relpath(root, tree.root).replace(os.sep, "/"), "unreadable": unreadable}
        names = pack_names(os.path.relpath(path, tree.root) for shard, _ in records for path in shard.paths)
        labels = [label for label, c in enumerate(classes) for _ in found.get(c, ())]
        checksums = [value for _, record in records for value in record["checksums"]]
        arrays |= {f"{name}/names": np.frombuffer(names, dtype=np.uint8), f"{name}/labels": np.array(labels, dtype=np.int32),
                   f"{name}/checksums": np.array(checksums, dtype=np.uint32)}
    within = os.path.join(tree.root, "")
    graves, problems = ([(path.removeprefix(within), reason) for path, reason in found] for found in (tree.grave, tree.problems))
    about = json.dumps({"classes": classes, "parts": parts, "problems": problems, "grave": graves})
    with replacing(os.path.join(target, INDEX)) as file:
        np.savez(file, about=np.frombuffer(about.encode(), dtype=np.uint8), **arrays)


def _write_names(tree, target):
    """Keep what the publishers call the classes, as one of their own files."""
    known = names.differing(names.of_data(tree.root, list(tree.train)))
    if known:
        with replacing(os.path.join(target, names.PUBLISHED[1])) as file:
            file.write("".join(f"{name}\t{seen}\n" for name, seen in known.items()).encode())
