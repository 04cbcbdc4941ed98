"""Every picture of a folder, whatever part it lies in: for a network that is judged, nothing has to be learnt.

So a single class is enough, and so is a test/ without train/. A folder that can be trained on gives the same names here as there.
"""

import os
from dataclasses import dataclass

from minialex.data.folder import report_first
from minialex.data.packed import Pack, PackedSet, check_size, is_pack
from minialex.data.pictures import PictureSet, printable, report_problem
from minialex.data.subset import open_data
from minialex.data.tree import scan_parts


@dataclass(frozen=True)
class Picture:
    """One of them. part: "train", "val", "test", or "all" where the folder has no parts; label: its class's name; name: relative
    to the folder; path: where it lies; its pixels are number `index` of the PictureSet `source`."""

    part: str
    label: str
    name: str
    path: str
    source: PictureSet
    index: int

    @property
    def is_file(self):
        """Does it lie in a file of its own, not in a pack?"""
        return not isinstance(self.source, PackedSet)


def open_whole(data, subset=None, labels=None, *, size, report=report_problem, tell=True, progress=False):
    """All pictures that --data, --subset and --labels mean together, a list of Picture. tell: also report what is no picture.

    Raises UserError as open_data does, but takes any folder with at least one picture in a class folder.
    """
    if data is None or subset is not None:
        train, val = open_data(data, subset, labels=labels, progress=progress, size=size)
        return [*_listed("train", train), *_listed("val", val)]
    if is_pack(data):
        pack = Pack(data)
        check_size(pack, size)
        root, found = pack.root, pack.found()

        def picture_set(*arguments):
            return PackedSet(pack, *arguments, report)
    else:
        root = os.fspath(data)
        found = scan_parts(root, labels, to_learn=False)

        def picture_set(*arguments):
            return PictureSet(*arguments, size, cache_bytes=2**28, report=report)
    if tell and report is not None:
        report_first([(printable(path), reason) for path, reason in found.problems], root, report)
    sets = {part: _set_of(classes, root, picture_set) for part, (_, classes) in found.parts.items()}
    return [picture for part, pictures in sets.items() for picture in _listed(part, pictures)]


def _set_of(classes, root, picture_set):
    chosen = sorted(classes)
    labelled = [(label, path) for label, name in enumerate(chosen) for path in sorted(classes[name])]
    names = [path.removeprefix(os.path.join(root, "")) for _, path in labelled]
    return picture_set(chosen, [label for label, _ in labelled], [path for _, path in labelled], names)


def _listed(part, pictures):
    for index, (label, name, path) in enumerate(zip(pictures.labels.tolist(), pictures.names, pictures.paths)):
        yield Picture(part, pictures.classes[label], name.replace(os.sep, "/"), path, pictures, index)
