"""Commands as users run them, and what is in a folder before and after."""
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

from in_process import run_here

ROOT = Path(__file__).resolve().parents[2]
TRAIN = ["train", "--variant", "lenet5", "--epochs", "1", "--batch-size", "8", "--device", "cpu"]
THREADS = {"OPENBLAS_NUM_THREADS": "1", "MINIALEX_THREADS": "1"}


def command(*arguments, cwd=None, python=(), **variables):
    """`python -m minialex.COMMAND ...` as a CompletedProcess with text; variables: of the
    environment, None to unset. A process of its own for Python's options and others' variables."""
    name, *rest = map(str, arguments)
    if not python and all(variable.startswith("MINIALEX_") for variable in variables):
        with mock.patch.dict(os.environ, THREADS | os.environ | variables):
            return run_here(name, rest, cwd)
    environment = THREADS | os.environ | {"PYTHONPATH": str(ROOT)} | variables
    environment = {name: str(value) for name, value in environment.items() if value is not None}
    return subprocess.run([sys.executable, *python, "-m", f"minialex.{name}", *rest], cwd=cwd,
                          env=environment, text=True, capture_output=True, encoding="utf-8",
                          errors="replace")


def contents(folder):
    """{relative path: bytes} of all files in a folder, to see what a command has changed."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(Path(folder).rglob("*")) if path.is_file()}


def refused(done):
    """Did a command end with status 2 and one sentence?"""
    return done.returncode == 2 and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
