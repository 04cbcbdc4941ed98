"""Pictures that were decoded once and for all: a folder that `python -m minialex.pack` writes and `--data` takes.

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

import numpy as np

from minialex.data.folder import check_arguments, divide
from minialex.data.pictures import SIZE, PictureSet, UnreadablePicture, printable, report_problem, stop_at_problem
from minialex.data.tree import Found, Tree
from minialex.errors import UserError

FORMAT = 1
HEAD, INDEX = "pack.json", "index.npz"
SEPARATOR = b"\0"  # the one byte besides "/" that no name can hold


def is_pack(folder):
    """Is this folder a pack, finished or not? A pack.json that is whole and says something else is somebody else's."""
    try:
        with open(os.path.join(folder, HEAD), encoding="utf-8") as file:
            head = json.load(file)
    except (ValueError, RecursionError):  # damaged: read_head says so
        return True
    except OSError:
        return False
    return isinstance(head, dict) and "per_shard" in head


def shard_path(folder, part, number):
    """Where a shard's pictures lie."""
    return os.path.join(folder, f"{part}-{number:05d}.npy")


def open_pack(folder, val_fraction=0.2, seed=0, max_classes=None, max_images=None, *, size=SIZE, cache_bytes=None,
              report=report_problem, strict=False):
    """Open what minialex.pack wrote: (train, val), the same two sets as open_folder makes of the tree itself.

    Arguments as for open_folder; cache_bytes is not needed, since the operating system keeps what is read in free memory.
    Raises UserError for a pack that is unfinished, damaged, or of pictures of another size.
    """
    check_arguments(val_fraction, max_classes, max_images)
    pack = Pack(folder)
    check_size(pack, size)

    def picture_set(classes, labels, paths, names, share):
        return PackedSet(pack, classes, labels, paths, names, stop_at_problem if strict else report)

    return divide(pack.tree(), picture_set, val_fraction, seed, max_classes, max_images, report, strict)


def check_size(pack, size):
    """Raises UserError when a Pack's pictures have another size."""
    if pack.size != size:
        raise UserError(f"{pack.folder} holds pictures of {pack.size}×{pack.size}, this network needs {size}×{size}: pack the "
                        f"tree again with --size {size}")


class PackedSet(PictureSet):
    """A PictureSet whose pictures lie decoded in a pack. paths: of the files that they were made of."""

    def __init__(self, pack, classes, labels, paths, names, report):
        super().__init__(classes, labels, paths, names, pack.size, cache_bytes=0, report=report)
        self.pack = pack
        self.places = [pack.places[path] for path in self.paths]

    decodes_anew = False

    def planes(self, index):
        """uint8 (3, size, size), read-only: a view of the file. Raises UnreadablePicture."""
        try:
            return self.pack.planes(*self.places[index])
        except UnreadablePicture as failure:
            self.failed(index, failure)
            raise


class Pack:
    """An open pack. size: pixels a side; parts: name -> Part; places: path of a picture -> (part, number in it)."""

    def __init__(self, folder):
        self.folder = os.fspath(folder)
        head = read_head(self.folder)
        about, arrays = _read_index(self.folder)
        self.size, self.per_shard = head["size"], head["per_shard"]
        self.root, self.classes, self.about = self.folder, about["classes"], about
        self.parts = {name: Part(self, name, about["parts"][name], arrays) for name in about["parts"]}
        self.places = {path: (part, number) for part in self.parts.values() for number, path in enumerate(part.paths)}

    def found(self):
        """What the tree of pictures held that was packed, with paths as if it lay in the pack."""
        problems, grave = ([(os.path.join(self.root, path), reason) for path, reason in self.about[kind]]
                           for kind in ("problems", "grave"))
        parts = {name: (part.root, part.by_class(self.classes)) for name, part in self.parts.items()}
        return Found(list(parts), parts, problems, grave)

    def tree(self):
        """The same as a Tree, to be divided."""
        found = self.found()
        train_root, train = found.parts.get("train") or found.parts["all"]
        val_root, val = found.parts.get("val", (None, None))
        return Tree(self.root, train_root, val_root, train, val, found.problems, found.grave)

    def planes(self, part, number):
        """Picture `number` of a Part: uint8 (3, size, size), read-only. Raises UnreadablePicture."""
        if number in part.unreadable:
            raise UnreadablePicture(part.paths[number], part.unreadable[number])
        planes = part.shards[number // self.per_shard][number % self.per_shard]
        if not part.verified[number]:
            if zlib.crc32(planes) != part.checksums[number]:
                reason = f"its pixels in {part.shard_path(number)} have changed since they were packed; pack the tree again"
                raise UnreadablePicture(part.paths[number], reason)
            part.verified[number] = True
        return planes


class Part:
    """Training or validation pictures, or all. paths: as if the files lay in the pack."""

    def __init__(self, pack, name, about, arrays):
        self.pack, self.name = pack, name
        self.root = os.path.normpath(os.path.join(pack.root, about["root"]))
        self.labels, self.checksums = arrays[f"{name}/labels"], arrays[f"{name}/checksums"]
        names = arrays[f"{name}/names"].tobytes()
        self.paths = [os.path.join(pack.root, path) for path in unpack_names(names)]
        self.unreadable = {int(number): reason for number, reason in about["unreadable"].items()}
        self.verified = np.zeros(len(self.paths), dtype=bool)
        count = -(-len(self.paths) // pack.per_shard)
        _allow_open_files(count)
        self.shards = [self._map(number) for number in range(count)]

    def shard_path(self, number):
        """The file that holds picture `number`."""
        return shard_path(self.pack.folder, self.name, number // self.pack.per_shard)

    def by_class(self, classes):
        """Class name -> paths of its pictures, for those of the classes that have some."""
        groups = {}
        for label, path in zip(self.labels.tolist(), self.paths, strict=True):
            groups.setdefault(classes[label], []).append(path)
        return groups

    def _map(self, number):
        path = shard_path(self.pack.folder, self.name, number)
        size = self.pack.size
        count = min(self.pack.per_shard, len(self.paths) - number * self.pack.per_shard)
        try:
            shard = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:  # a file that is cut off does not fill its shape: ValueError
            if getattr(error, "errno", None) == errno.EMFILE:
                raise UserError(f"{path} cannot be opened beside the others, a program may open so few files here: raise the "
                                "number with ulimit -n") from error
            raise UserError(f"{path} is missing or damaged ({error}): run python -m minialex.pack again, it mends the "
                            "pack") from error
        if shard.dtype != np.uint8 or shard.shape != (count, 3, size, size):
            raise UserError(f"{path} holds {shard.dtype} {shard.shape} instead of uint8 {(count, 3, size, size)}: run "
                            "python -m minialex.pack again, it mends the pack")
        return np.asarray(shard)  # a plain view: memmap's own indexing costs more than the copy of a small crop


def _allow_open_files(count):
    """Let this process have so many files open, more than the usual 256 to 1,024: each mapped shard is one."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = soft + count
    if soft != resource.RLIM_INFINITY and count > soft // 4:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def pack_names(names):
    """Relative paths as bytes, with "/" between folders on every system."""
    return SEPARATOR.join(os.fsencode(name.replace(os.sep, "/")) for name in names)


def unpack_names(content):
    """What pack_names was given."""
    return [os.fsdecode(name).replace("/", os.sep) for name in content.split(SEPARATOR)] if content else []


def read_head(folder):
    """What pack.json says. Raises UserError when it is not that of a pack of this format."""
    path = os.path.join(folder, HEAD)
    try:
        with open(path, encoding="utf-8") as file:
            head = json.load(file)
        numbers = [head[name] for name in ("format", "size", "per_shard")]
        if not all(isinstance(number, int) and number > 0 for number in numbers):
            raise ValueError("its numbers are none")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path} is not that of a pack ({error}): pack the tree into a new folder") from error
    if head["format"] != FORMAT:
        raise UserError(f"{folder} has format {head['format']}, this minialex reads format {FORMAT}: pack the tree again")
    return head


def _read_index(folder):
    """(what the index says, its arrays by name). The zip format keeps a checksum of each."""
    path = os.path.join(folder, INDEX)
    if not os.path.exists(path):
        raise UserError(f"{folder} is not packed to the end: run python -m minialex.pack again, it goes on where it stopped")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return json.loads(arrays["about"].tobytes()), arrays
    except Exception as error:  # damaged bytes make zip and NumPy raise almost anything
        raise UserError(f"{path} is damaged: delete it and run python -m minialex.pack again ({error})") from error


def describe(pack):
    """One line about a pack."""
    counts = ", ".join(f"{len(part.paths):,} {'pictures' if part.name == 'all' else 'for ' + part.name}"
                       for part in pack.parts.values())
    return f"{printable(pack.folder)}: {len(pack.classes)} classes, {counts}, {pack.size}×{pack.size}"
