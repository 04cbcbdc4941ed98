"""python -m minialex.export: a trained network as a file for other programs. `--help` lists the options."""

import argparse
import sys

from .. import weights
from ..errors import UserError
from ..weights import export

DESCRIPTION = """\
Writes the weights of a run, or of a file in any format that minialex reads, into a file of another format:

  python -m minialex.export runs/RUN net.safetensors
  python -m minialex.export runs/RUN net.pth             for torch.load; a torchvision network under torchvision's names
  python -m minialex.export bvlc_alexnet.npy net.npz

What the network expects of its pictures goes into the file too, so minialex needs nothing else to use it.
"""


def main(arguments=None):
    """Exports; returns 0, or 2 after a user's mistake (one line on stderr)."""
    parser = argparse.ArgumentParser(prog="python -m minialex.export", description=DESCRIPTION,
                                     epilog="exit status: 0 done, 2 a mistake of the user",
                                     formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.error = lambda message: parser.exit(2, f"minialex.export: {message} (--help lists the options).\n")
    parser.add_argument("run", metavar="RUN", help="a run's folder (its best checkpoint), or a file of weights")
    parser.add_argument("file", metavar="FILE", help="ends in " + ", ".join(export.WRITERS))
    parser.add_argument("--mean", metavar="FILE", help=weights.MEAN_HELP)
    parser.add_argument("--force", action="store_true", help="replace a FILE that was not exported by minialex")
    options = parser.parse_args(arguments)
    try:
        target = export.target(options.file, options.force)
        found = weights.read(options.run, options.mean)
        export.write(target, found)
    except UserError as problem:
        print(f"minialex.export: {problem}", file=sys.stderr)
        return 2
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{options.file}: {len(found.arrays)} arrays, from {found.origin}")
    for line in _pixels(found):
        print(line)
    return 0


def _pixels(found):
    """What another program must do with pictures before this network sees them."""
    if found.statistics is None:
        return
    scale = found.statistics.std if found.pixels == "unit" else 1.0
    colour = found.statistics.mean.mean(axis=(1, 2))
    exact = (found.statistics.mean == colour[:, None, None]).all()
    yield "elsewhere, with red, green, blue in 0..1, give it what this makes of the central crop:"
    yield (f"  transforms.Normalize(mean=[{', '.join(f'{value / 255:.6g}' for value in colour)}], "
           f"std=[{', '.join([f'{scale / 255:.6g}'] * len(colour))}])")
    if not exact:
        yield "  (the mean image, reduced to its mean colour: results differ a little; the exact one is in the file)"
