"""Which files of a folder are code that was handed in."""
import os
import re
from pathlib import Path

KINDS = (".py", ".ipynb")
NOT_HANDED_IN = re.compile(r"[.].*|__pycache__$|__MACOSX$|venv$")


def handed_in(folder: str | os.PathLike) -> list[Path]:
    """The code of a submission, a file or a folder; links that lead out of it are left out."""
    if Path(folder).is_file() and not Path(folder).is_symlink():
        return [Path(folder)]
    found = [path.resolve() for path in code_in(folder)]
    return [path for path in found if path.is_relative_to(Path(folder).resolve())]


def code_in(folder: str | os.PathLike) -> list[Path]:
    """The Python files and notebooks below a folder, sorted, without hidden ones, caches and
    environments."""
    found = []
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not NOT_HANDED_IN.match(name)]
        found += [Path(base, name) for name in names if not NOT_HANDED_IN.match(name)]
    return [path for path in sorted(found) if path.suffix in KINDS and path.is_file()]
