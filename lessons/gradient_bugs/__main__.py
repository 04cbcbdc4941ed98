"""python -m lessons.gradient_bugs: the gallery with the checker's verdicts. Exit status 1: one is
not as declared."""
import argparse
import sys
import textwrap

from minialex.utils import console

from . import gallery

WIDTH = 80


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m lessons.gradient_bugs", description="Wrong "
                                     "backward passes that students really write, right ones that "
                                     "look odd, and what the gradient checker says of each.")
    parser.add_argument("--seed", type=int, default=0,
                        help="of the numbers that are drawn (default: 0)")
    parser.add_argument("--size", type=int, default=0,
                        help="0, 1, 2 ...: other shapes (default: 0)")
    options = parser.parse_args(arguments)
    exhibits, surprises, kind = gallery(), 0, None
    for exhibit in exhibits:
        if kind != exhibit.path.parent.name:
            kind = exhibit.path.parent.name
            print(f"{'' if kind == 'wrong' else chr(10)}{kind}\n{'─' * WIDTH}")
        report = exhibit.check(options.seed, options.size)
        different = exhibit.surprises(report)
        surprises += bool(different)
        print("\n".join(_lines(exhibit, report, different)), flush=True)
    print(f"\n{len(exhibits) - surprises} of {len(exhibits)} got the verdict that they declare")
    return 1 if surprises else 0


def _lines(exhibit, report, different):
    told = "; ".join(f"{row.name}: {row.verdict}" for row in report.rows
                     if row.verdict != "correct") or "correct"
    lines = [exhibit.path.stem] + textwrap.wrap(exhibit.title, WIDTH, initial_indent="  ",
                                                subsequent_indent="  ")
    lines += textwrap.wrap(told, WIDTH, initial_indent="  ⇒ ", subsequent_indent="    ")
    for name, expected, verdict in different:
        lines += textwrap.wrap(f"declared for {name}: {expected}, not {verdict}", WIDTH,
                               initial_indent="  ! ", subsequent_indent="    ")
    return lines


if __name__ == "__main__":
    sys.exit(console.run("lessons.gradient_bugs", main))
