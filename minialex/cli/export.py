"""Writes the weights of a run, or of a file in any format that minialex reads,
into a file of another format. What the network expects of its pictures goes
into the file too, so minialex needs nothing else to use it.

  minialex export runs/RUN net.safetensors
  minialex export runs/RUN net.pth     for torch.load; a torchvision network
                                       under torchvision's names
  minialex export bvlc_alexnet.npy net.npz
"""
import sys
from argparse import Namespace

from .. import weights
from ..data import Statistics
from ..weights import export
from . import MEAN, RUN, Command


def _export(options: Namespace) -> None:
    target = export.target(options.file, options.force)
    found = weights.read(options.run, options.mean)
    export.write(target, found)
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{options.file}: {len(found.arrays)} arrays, from {found.origin}")
    if found.statistics is not None:
        print(_pixels(found.statistics, found.pixels))


def _pixels(statistics: Statistics, pixels: str) -> str:
    """What another program must do with pictures before this network sees them."""
    mean, scale = statistics.mean, statistics.std if pixels == "unit" else 1.0
    colour = mean.mean(axis=(1, 2))
    text = ("elsewhere, with red, green, blue in 0..1, give it what this makes of the central "
            "crop:\n"
            f"  transforms.Normalize(mean=[{', '.join(f'{value / 255:.6g}' for value in colour)}], "
            f"std=[{', '.join([f'{scale / 255:.6g}'] * len(colour))}])")
    exact = (mean == colour[:, None, None]).all()
    return text if exact else (f"{text}\n  (the mean image, reduced to its mean colour: results "
                               "differ a little; the exact one is in the file)")


main = Command("export", "RUN FILE [options]", __doc__, _export, {"options": [
    RUN,
    ("file", "FILE", "ends in " + ", ".join(export.WRITERS)),
    MEAN,
    ("--force", None, "replace a FILE that was not exported by minialex")]})
