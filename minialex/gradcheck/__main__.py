"""python -m minialex.gradcheck: is every gradient of the engine right? Exit status 0: yes, 1: no, 2: a wrong option."""
import argparse
import json
import sys

from .. import console
from ..backend import manual_seed
from . import engine
from .report import cut


def main(arguments=None):
    """Prints one line for each operation and layer, the whole report where something is wrong."""
    options = _parser().parse_args(arguments)
    manual_seed(0)  # the same weights, and so the same figures, in every run
    reports = []
    if not options.json:
        print(f"{'checked':<24} {'tensors':<19} {'compared':<18} {'error':<8} verdict")
    for report in engine.reports():
        reports.append(report)
        if not options.json:
            print(_line(report), flush=True)
    right = sum(map(bool, reports))
    if options.json:
        print(json.dumps({"correct": right == len(reports), "checks": [report.to_dict() for report in reports]}, indent=1))
    else:
        print(f"\n{right} of {len(reports)} correct; the largest relative error is "
              f"{max(report.largest_error for report in reports):.1e}, in float64")
    return 0 if right == len(reports) else 1


def _line(report):
    compared, size = (sum(getattr(row, field) for row in report.rows) for field in ("compared", "size"))
    names = ", ".join(row.name for row in report.rows)
    names = names if len(names) <= 19 else f"{len(report.rows)} tensors"
    verdict = "correct" if report else "wrong:"
    line = f"{cut(report.title, 24):<24} {names:<19} {f'{compared} of {size:,}':<18} {report.largest_error:<8.1e} {verdict}"
    return line if report else f"{line}\n\n{report}\n"


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m minialex.gradcheck",
        description="Compares every gradient of the engine with a numeric one, in float64: each operation on small arrays, each\n"
        "layer of the paper's network at its real size. ReLU is checked at 0, pooling with ties, dropout while it drops.",
        epilog="Exit status: 0 all correct, 1 a gradient is wrong, 2 a mistake in the command line.\n"
        "In Python: report = minialex.gradcheck(function, inputs).",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.error = lambda message: parser.exit(2, f"minialex.gradcheck: {message} (--help lists the options).\n")
    parser.add_argument("--json", action="store_true", help="print everything as JSON, for programs")
    return parser


if __name__ == "__main__":
    sys.exit(console.run("minialex.gradcheck", main))
