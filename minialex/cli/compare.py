"""python -m minialex.compare: runs side by side. `--help` lists the options."""

import argparse
import json
import sys

from ..errors import UserError
from ..training import comparison
from ..utils import console, drawing

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
    parser.add_argument("--out", metavar="PNG", help="where the curves go (compare.png)")
    parser.add_argument("--force", action="store_true", help="replace a file of that name which minialex has not written")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    options = parser.parse_args(arguments)
    try:
        curves = drawing.named(options.out, "comparison", "compare.png", force=options.force)
        runs = [comparison.read(path) for path in options.runs]
        _tell(runs, options, curves)
    except UserError as problem:
        print(f"minialex.compare: {problem}", file=sys.stderr)
        return 2
    return 0


def _tell(runs, options, curves):
    if options.json:
        print(json.dumps({"runs": [comparison.summary(run) for run in runs], "differences": comparison.differences(runs),
                          "curves": str(curves)}, indent=2))
    else:
        for line in comparison.lines(runs):
            print(line)
    if drawing.drawn(curves, console.warn("minialex.compare"), comparison.draw, runs) and not options.json:
        print(f"\ncurves: {curves}")
