"""python -m minialex.pack: decode a tree of pictures once, so that training never waits for it. `--help` lists the options."""

import argparse
import sys

from ..data.packed import Pack, describe, is_pack
from ..data.packing import pack, verify_pack
from ..data.pictures import SIZE, printable
from ..errors import UserError
from ..utils import console

DESCRIPTION = """\
Decodes a tree of class folders once into files that training maps into memory.

  python -m minialex.pack PICTURES PACKED               decode; after an interruption the same command goes on
  python -m minialex.train --data PACKED                train on it: the same numbers as from the pictures themselves
  python -m minialex.pack --verify PACKED               compare every picture with its checksum

A picture takes 197 kB, ImageNet's 1.3 million take 262 GB. Pictures that were added or changed since are packed anew by
the same command, the others stay.
"""


def main(arguments=None):
    """Packs; returns 0, 1 when a pack's checksums are wrong, 2 after a user's mistake (one line on stderr), 130 after Ctrl-C."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if len(options.folders) != 2 and not (options.verify and len(options.folders) == 1):
        parser.error("it takes two folders, the pictures and the new one for the pack; or with --verify a pack alone")
    try:
        if len(options.folders) == 2:
            _pack(options)
        return _verify(options.folders[-1]) if options.verify else 0
    except UserError as problem:
        return _say(f"{str(problem).rstrip('.')}.", 2)
    except BrokenPipeError:  # head or less has gone: nothing went wrong
        raise
    except OSError as problem:
        return _say(console.explain(problem), 2)
    except KeyboardInterrupt:
        return _say("stopped; the same command goes on where it was.", 130)


def _pack(options):
    source, target = options.folders
    done = pack(source, target, options.size, options.workers, options.strict, options.verify,
                labels=options.labels)
    kept = done.pictures - done.decoded - sum(reason is not None for _, reason in done.skipped)
    print(f"packed   {describe(Pack(target))}; {done.decoded:,} decoded now" + (", the others were there" if kept > 0 else ""))
    if done.skipped:
        print(f"skipped  {len(done.skipped):,} files or folders that could not be used, named above")
    print(f"to train on it: python -m minialex.train --data {target}")


def _verify(folder):
    if not is_pack(folder):
        raise UserError(f"{folder} is no pack: python -m minialex.pack PICTURES {folder} makes one")
    wrong = verify_pack(folder)
    for path, reason in wrong:
        print(f"wrong    {path}: {reason}", file=sys.stderr)
    what = "every checksum is right"
    if wrong:
        what = (f"{len(wrong):,} pictures are not what was packed; python -m minialex.pack PICTURES {printable(folder)} --verify "
                "packs them anew")
    print(f"verified {printable(folder)}: {what}")
    return 1 if wrong else 0


def _say(what, status):
    print(f"minialex.pack: {what}", file=sys.stderr)
    return status


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m minialex.pack", usage="%(prog)s PICTURES PACK [options]", description=DESCRIPTION, allow_abbrev=False,
        epilog="exit status: 0 done, 1 a checksum is wrong, 2 a mistake of the user, 130 stopped by Ctrl-C",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.error = lambda message: parser.exit(2, f"minialex.pack: {message} (--help lists the options).\n")
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="the tree of pictures, then the folder for the pack")
    parser.add_argument("--size", type=_positive, default=SIZE, metavar="N",
                        help="pixels a side (%(default)s; LeNet-5 takes 36)")
    parser.add_argument("--labels", metavar="FILE", help="a table that says what each picture is, where no class folders do")
    parser.add_argument("--workers", type=_positive, metavar="N", help="threads that decode (all cores)")
    parser.add_argument("--strict", action="store_true", help="stop at a picture that cannot be read, instead of leaving it out")
    parser.add_argument("--verify", action="store_true",
                        help="compare every picture with its checksum; with two folders, pack those anew that are wrong")
    return parser


def _positive(text):
    number = int(text)
    if not 1 <= number <= 4096:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 4096")
    return number
