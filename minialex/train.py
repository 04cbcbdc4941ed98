"""python -m minialex.train: train a network of the AlexNet family on pictures. `--help` lists the options."""

import argparse
import sys

from .errors import UserError
from .training import run


def main(arguments=None):
    """Trains; returns 0, 1 when training diverged, 2 after a user's mistake, 130 after Ctrl-C."""
    given = vars(_parser().parse_args(arguments))
    try:
        run(given)
    except UserError as problem:
        print(f"minialex.train: {problem}", file=sys.stderr)
        return 2
    return 0


def _parser():
    parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
    parser.add_argument("--subset", nargs="?", const="")
    parser.add_argument("--data")
    parser.add_argument("--variant")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--lr", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--device")
    parser.add_argument("--init")
    parser.add_argument("--out")
    parser.add_argument("--resume")
    parser.add_argument("--paper", action="store_true")
    parser.add_argument("--pixels")
    return parser


if __name__ == "__main__":
    sys.exit(main())
