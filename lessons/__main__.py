"""python -m lessons: the course and how far you are. --all runs everything, --words explains the
terms."""
import argparse
import ast
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

from lessons import notebooks, progress, wall, words
from minialex.utils import console

HERE = Path(__file__).resolve().parent


def lessons():
    """[(path, title)] in the order of the course; the title is the first line of the lesson's
    docstring."""
    paths = sorted(HERE.glob("[0-9][0-9]_*.py"))
    return [(path, ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0])
            for path in paths]


def run(path):
    """Runs one lesson in a process of its own: (its claims, the error's last line or None,
    seconds)."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "claims.jsonl"
        environment = {**os.environ, "MINIALEX_CLAIMS": str(record), "PYTHONIOENCODING": "utf-8"}
        start = time.perf_counter()
        command = [sys.executable, str(path)]
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, encoding="utf-8")
        seconds = time.perf_counter() - start
        lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    error = None
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        error = said[-1] if "Traceback" in done.stderr else " ".join(line.strip() for line in said)
    return [json.loads(line) for line in lines], error, seconds


def table(claims, width=110):
    """id, who says it, the claim; below it the verdict and the figures."""
    who = max([len("said by"), *(len(record["said_by"]) for record in claims)]) + 2
    margin = " " * (5 + who)
    lines = [f"{'id':<5}{'said by':<{who}}claim, verdict and computed value", "─" * width]
    for record in claims:
        verdict = record["verdict"] or "UNSETTLED"
        left = f"{record['id']:<5}{record['said_by']:<{who}}"
        lines.append(textwrap.fill(record["claim"], width, initial_indent=left,
                                   subsequent_indent=margin))
        result = (f"{verdict}: {record['computed']}" if record["verdict"]
                  else f"{verdict}: the lesson stopped before it")
        lines.append(textwrap.fill(result, width, initial_indent=margin + "⇒ ",
                                   subsequent_indent=margin + "  "))
    return "\n".join(lines)


def outline(course, known):
    """Every lesson with the student's state, what to type for it, and what comes next."""
    lines, ahead = [], []
    for path, title in course:
        state = progress.describe(known, path.stem)
        needs = re.search(r"Prerequisites: (.+?)\. Minutes: (\d+)",
                          " ".join(path.read_text(encoding="utf-8").split()))
        lines += [f"  {path.stem[:2]}  {title}"]
        lines += [f"      {needs[2]} minutes, after: {needs[1]}"] if needs else []
        lines += [f"      python {os.path.relpath(path)}{' · ' + state if state else ''}"]
        ahead += [] if path.stem in known["lessons"] else [path]
        exercise = path.parent / "exercises" / path.name
        if exercise.exists():
            lines.append(f"      python {os.path.relpath(exercise)}")
            ahead += [] if known["exercises"].get(path.stem) == "solved" else [exercise]
    read = sum(path.stem in known["lessons"] for path, _ in course)
    solved = sum(known["exercises"].get(path.stem) == "solved" for path, _ in course)
    following = f"; next: python {os.path.relpath(ahead[0])}" if ahead else ""
    whole = HERE / "my_engine" / "train.py"
    if whole.exists():
        mine = {name for name, state in known["bricks"].items() if state == "solved"}
        lines += ["\n  Your own engine: the files in lessons/my_engine/, "
                  "brick by brick, in any order; what trains with them is",
                  f"      python {os.path.relpath(whole)}", wall.draw(mine)]
    lines.append(f"\n{read} of {len(course)} lessons read, {solved} exercises solved{following}")
    return "\n".join(lines)


def _write_notebooks(course, folder, repository):
    try:
        page = notebooks.badges(course, folder, repository) if repository else ""
        written = notebooks.write([path for path, _ in course], folder, page)
    except (OSError, ValueError) as error:
        print(f"lessons: {error}", file=sys.stderr)
        return 2
    print(f"{len(course)} notebooks in {folder}; open the first with: jupyter lab {written[0]}")
    if page:
        print(f"{written[-1]}: badges that open them in "
              f"{', '.join(name for name, *_ in notebooks.SERVICES)}, once pushed")
    return 0


def _place(record):
    """S1, S2, ..., S11, then orders, counts and training: as the claims are listed."""
    return "SOCT".index(record["id"][0]), int(record["id"][1:])


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m lessons",
                                     description="The course: AlexNet, number by number. "
                                     "Run a lesson with python, or open it as a notebook.")
    parser.add_argument("--all", action="store_true",
                        help="run all and print the table of claims (exit 1: unsettled)")
    parser.add_argument("--words", action="store_true",
                        help="print the terms of the course, in the order of the lessons")
    parser.add_argument("--notebooks", metavar="OUT",
                        help="write every lesson as a notebook into this folder")
    parser.add_argument("--repository", metavar="OWNER/NAME",
                        help="with --notebooks: also a page of badges that open them in hosted "
                        "notebook services, for a repository on GitHub that holds OUT")
    options = parser.parse_args(arguments)
    course = lessons()
    if options.words:
        print(words.glossary())
        return 0
    if options.notebooks:
        return _write_notebooks(course, options.notebooks, options.repository)
    if not options.all:
        print(outline(course, progress.load()))
        return 0
    claims, failed = [], []
    for path, title in course:
        from_lesson, error, seconds = run(path)
        print(f"{'failed' if error else 'done  '} {seconds:5.1f} s  {path.stem[:2]}  {title}",
              flush=True)
        if error:
            failed.append(f"{path.name}: {error}")
        claims += from_lesson
    print("\n" + table(sorted(claims, key=_place)))
    unsettled = [record["id"] for record in claims if not record["verdict"]]
    settled = len(claims) - len(unsettled)
    print(f"\nclaims settled: {settled} of {len(claims)}; lessons that failed: "
          f"{len(failed)} of {len(course)}")
    for line in failed:
        print(line, file=sys.stderr)
    return 1 if failed or unsettled else 0


if __name__ == "__main__":
    sys.exit(console.run("lessons", main))
