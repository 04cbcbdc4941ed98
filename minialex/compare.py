"""python -m minialex.compare: runs side by side. `--help` lists the options."""

import argparse
import json
import sys

from . import console
from .errors import UserError
from .training import comparison

DESCRIPTION = """\
Results of several runs in one table, the settings in which they differ, and their curves in one picture.

  python -m minialex.compare runs/*
"""


def main(arguments=None):
    """Compares; returns 0, or 2 after a user's mistake (one line on stderr)."""
    parser = argparse.ArgumentParser(prog="python -m minialex.compare", description=DESCRIPTION,
                                     epilog="exit status: 0 done, 2 a mistake of the user",
                                     formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.error = lambda message: parser.exit(2, f"minialex.compare: {message} (--help lists the options).\n")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder")
    parser.add_argument("--out", default="compare.png", metavar="PNG", help="where the curves go (compare.png)")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    options = parser.parse_args(arguments)
    try:
        runs = [comparison.read(path) for path in options.runs]
        comparison.draw(options.out, runs)
    except UserError as problem:
        print(f"minialex.compare: {problem}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"runs": [comparison.summary(run) for run in runs], "differences": comparison.differences(runs),
                          "curves": options.out}, indent=2))
        return 0
    for line in comparison.lines(runs):
        print(line)
    print(f"\ncurves: {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(console.run("minialex.compare", main))
