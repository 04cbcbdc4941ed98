"""python -m minialex.report: a run on one page. `--help` lists the options."""

import argparse
import sys

from ..device import resolve_device
from ..errors import UserError
from ..training import report
from ..utils import console
from ..utils.progress import Progress

DESCRIPTION = """\
Writes report.html into the folder of each run: curves, filters, confusion matrix, best and worst predictions,
settings and times on one page, which a browser shows without any network. Training writes it at its end.

  python -m minialex.report runs/RUN
"""


def main(arguments=None):
    """Writes the pages; returns 0, or 2 after a user's mistake (one line on stderr)."""
    parser = argparse.ArgumentParser(prog="python -m minialex.report", description=DESCRIPTION,
                                     epilog="exit status: 0 done, 2 a mistake of the user",
                                     formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.error = lambda message: parser.exit(2, f"minialex.report: {message} (--help lists the options).\n")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder")
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:n (auto)")
    parser.add_argument("--force", action="store_true", help="replace a report.html that minialex has not written")
    options = parser.parse_args(arguments)
    progress = Progress()
    try:
        device = resolve_device(options.device).name
        for run in options.runs:
            path, scores = report.of_run(run, device, console.warn("minialex.report"), options.force)
            progress.line(f"{path}: top-1 {scores.top(1):.1%}, top-5 {scores.top(5):.1%} on {len(scores.labels):,} pictures")
    except UserError as problem:
        print(f"minialex.report: {problem}", file=sys.stderr)
        return 2
    return 0
