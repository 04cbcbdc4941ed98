"""Decodes a tree of class folders once into files that training maps into
memory.

  minialex pack PICTURES PACKED      decode; after an interruption the same
                                     command goes on
  minialex train --data PACKED       train on it: the same numbers as from the
                                     pictures themselves
  minialex pack --verify PACKED      compare each picture with its checksum

A picture takes 197 kB, ImageNet's 1.3 million take 262 GB. Pictures that were
added or changed since are packed anew by the same command, the others stay.
"""
import argparse
import sys

from ..data.packing import Pack, pack
from ..data.pictures import SIZE
from ..folders.problems import printable
from . import LABELS, Command


def _pack(options: argparse.Namespace) -> int:
    if len(options.folders) != 2 and not (options.verify and len(options.folders) == 1):
        main.parser().error("it takes two folders, the pictures and the new one for the pack; or "
                            "with --verify a pack alone")
    if len(options.folders) == 2:
        source, target = options.folders
        done = pack(source, target, options.size, options.workers, options.strict, options.verify,
                    labels=options.labels)
        kept = done.pictures - done.decoded - sum(reason is not None for _, reason in done.skipped)
        others = ", the others were there" * (kept > 0)
        print(f"packed   {Pack(target).describe()}; {done.decoded:,} decoded now{others}")
        if done.skipped:
            print(f"skipped  {len(done.skipped):,} files or folders that could not be used, named "
                  "above")
        print(f"to train on it: python -m minialex.train --data {target}")
    return _verify(options.folders[-1]) if options.verify else 0


def _verify(folder: str) -> int:
    wrong, what = Pack(folder).verify(), "every checksum is right"
    for path, reason in wrong:
        print(f"wrong    {path}: {reason}", file=sys.stderr)
    if wrong:
        what = (f"{len(wrong):,} pictures are not what was packed; python -m minialex.pack "
                f"PICTURES {printable(folder)} --verify packs them anew")
    print(f"verified {printable(folder)}: {what}")
    return 1 if wrong else 0


def _positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 4096:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 4096")
    return number


main = Command(
    "pack", "PICTURES PACK [options]", __doc__, _pack, {"options": [
        ("folders", "FOLDER", "the tree of pictures, then the folder for the pack", {"nargs": "+"}),
        ("--size", "N", "pixels a side (%(default)s; LeNet-5 takes 36)",
         {"type": _positive, "default": SIZE}),
        LABELS,
        ("--workers", "N", "threads that decode (all cores)", {"type": _positive}),
        ("--strict", None, "stop at a picture that cannot be read, instead of leaving it out"),
        ("--verify", None, "compare every picture with its checksum; with two folders, pack those "
         "anew that are wrong")]},
    statuses="0 done, 1 a checksum is wrong, 2 a mistake of the user, 130 stopped by Ctrl-C",
    stopped="stopped; the same command goes on where it was.")
