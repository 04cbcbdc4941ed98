"""The public names have types: a user's program that uses them passes `mypy --strict`, and runs."""
import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ANNOTATED = ["aliases", "anomaly", "device", "errors", "functional", "models", "nn", "ops", "optim",
             "random", "shapes", "tensor", "layer_table", "fast"]


def test_a_program_with_types_runs():
    import typed_program

    assert 0 < typed_program.main() < 10


@pytest.mark.parametrize("name", ANNOTATED)
def test_every_public_function_is_annotated(name):
    path = ROOT / "minialex" / name
    bare = []
    for file in sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            within = node.body if isinstance(node, ast.ClassDef) else [node]
            for function in within:
                if isinstance(function, ast.FunctionDef) and not function.name.startswith("_"):
                    arguments = [a for a in function.args.args + function.args.kwonlyargs
                                 if a.arg not in ("self", "cls")]
                    if function.returns is None or any(a.annotation is None for a in arguments):
                        bare.append(f"{file.name}: {function.name}")
    assert bare == []


def test_the_package_says_that_it_has_types():
    assert (ROOT / "minialex" / "py.typed").exists()


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None,
                    reason="mypy is not installed (requirements-dev.txt)")
def test_mypy_finds_no_mistake(tmp_path):
    done = subprocess.run([sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path)], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
