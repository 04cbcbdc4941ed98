"""Do the lessons notice? Plants one error at a time in a copy of the engine or of a lesson, and
runs the lesson concerned.

    python tests/mutations/run.py                 all of them, and RESULTS.md (about ten minutes)
    python tests/mutations/run.py S1 O4           those of these claims, or of these lessons (04)

Exit status 0: every planted error turned its lesson red. The untouched lesson must be green first,
or its red says nothing.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from planted import PLANTED

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def copy_of_the_course(folder):
    """minialex, the lessons and what they read, in a folder of their own."""
    for name in ("minialex", "lessons", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name,
                        ignore=shutil.ignore_patterns("__pycache__", "pictures"))


def run(root, lesson):
    """(exit status, what the lesson objected) of the lesson with this number."""
    (path,) = (root / "lessons").glob(f"{lesson}_*.py")
    places = {"MINIALEX_CLAIMS": str(root / "claims"), "MINIALEX_PICTURES": str(root / "pictures"),
              "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, str(path)], env=os.environ | places,
                          stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
                          timeout=600, check=False)
    lines = done.stderr.strip().splitlines() or [""]
    said = [line for line in lines if line.startswith(("not so: ", "line "))] or lines[-1:]
    return done.returncode, said[0]


def plant(root, file, right, wrong):
    """Changes the first place where `right` stands; returns what puts the file back."""
    path = root / file
    text = path.read_text(encoding="utf-8")
    if right not in text:
        raise SystemExit(f"{file} no longer holds {right!r}: bring planted.py up to date.")
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    return lambda: path.write_text(text, encoding="utf-8")


def main(wanted):
    chosen = [error for error in PLANTED if not wanted or error[0] in wanted or error[-1] in wanted]
    rows, missed = [], 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        copy_of_the_course(root)
        for lesson in sorted({error[-1] for error in chosen}):
            status, said = run(root, lesson)
            if status:
                raise SystemExit(f"lesson {lesson} is red without any change: {said}")
            print(f"lesson {lesson} is green as it is", flush=True)
        for claim, what, file, right, wrong, lesson in chosen:
            put_back = plant(root, file, right, wrong)
            status, said = run(root, lesson)
            put_back()
            missed += status == 0
            rows.append((claim, what, file, lesson, said if status else "**nothing: not noticed**"))
            print(f"{'red  ' if status else 'GREEN'} {claim:<4} lesson {lesson}: "
                  f"{what} → {said[:110]}", flush=True)
    print(f"\n{len(rows) - missed} of {len(rows)} planted errors were noticed")
    if not wanted:
        write(rows, missed)
    return 1 if missed else 0


def write(rows, missed):
    """RESULTS.md: the list of what was planted and what was said."""
    lines = ["# Planted errors, and what the lessons said", "", "`python tests/mutations/run.py`: "
             f"{len(rows) - missed} of {len(rows)} planted errors turned their lesson red.", "",
             "| claim | planted error | in | lesson | what it said |", "|---|---|---|---|---|"]
    for claim, what, file, lesson, said in rows:
        safe = said.replace("|", "\\|")[:160]
        lines.append(f"| {claim} | {what} | `{file}` | {lesson} | {safe} |")
    (HERE / "RESULTS.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
