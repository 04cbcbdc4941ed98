"""What people bring: public layouts, what systems add to folders, pictures of many bits; opened as
training opens them."""

import re
import sys
import tempfile
from pathlib import Path

from outcome import Outcome

sys.path[:0] = [str(Path(__file__).parents[1] / name) for name in ("data", "reports")]

import test_depth  # noqa: E402
import test_layouts  # noqa: E402

from minialex import data  # noqa: E402
from minialex.errors import UserError  # noqa: E402


def layouts(world, every=1):
    """Trees as publishers made them, and with recycle bins and the like in each folder."""
    row = Outcome("public layout, or a system's folders in one",
                  "the right classes and counts, or the folder to give")
    cases = [(name, paths, (classes.split(), train, val))
             for name, (paths, classes, train, val) in test_layouts.FOUND.items()]
    cases += [(name, paths, sentence) for name, (paths, sentence) in test_layouts.REFUSED.items()]
    cases += [(name, f"cat dog {name} cat/{name} dog/{name}", (["cat", "dog"], 4, 2))
              for name in test_layouts.BINS
              if " " not in name]  # which part the paths of a layout
    for name, paths, expected in cases[::every]:
        with tempfile.TemporaryDirectory(dir=world.folder) as folder:
            root = test_layouts.build(Path(folder), paths)
            try:
                train, val = data.open_folder(root, report=None)
                found = train.classes, len(train), len(val)
                row.check(found == expected, f"{name}: {found}")
            except UserError as error:
                holds = isinstance(expected, str) and re.search(expected.format(root), str(error))
                row.check(holds, f"{name}: {error}")
    return row


def many_bits(world, every=1):
    """The same ramp, stored in every way."""
    row = Outcome("picture of more than 8 bits", "a ramp from black to white, or a reason")
    for name, (content, ending) in list(test_depth.RAMPS.items())[::every]:
        path = Path(world.folder) / f"ramp.{ending}"
        path.write_bytes(content)
        row.check(test_depth.is_ramp(test_depth.shown(path), 2), name)
        path.unlink()
    for name, (content, reason) in list(test_depth.REFUSED.items())[::every]:
        path = Path(world.folder) / ("ramp.ppm" if content[:1] == b"P" else "ramp.tif")
        path.write_bytes(content)
        try:
            data.decode(path)
            row.check(False, f"{name}: it was read")
        except UserError as error:
            row.check(re.search(reason, str(error)), f"{name}: {error}")
        path.unlink()
    return row
