"""The lessons as notebooks: `python -m lessons --notebooks OUT` writes one .ipynb for each.

Texts and titles become text cells in their order. A first cell finds the course and names the lesson, so that its progress is
noted. Predictions are asked through the kernel, pictures appear where they are made.
"""
import json
import os
from pathlib import Path

from lessons import cells

SETUP = '''\
# Find the course: from this notebook's folder upwards, or where it was when the notebook was written.
import os, sys
from pathlib import Path
here = [folder / "lessons" for folder in [Path.cwd(), *Path.cwd().parents]] + [Path({lessons!r})]
sys.path.insert(0, str(next((f for f in here if (f / "classroom.py").exists()), here[-1])))
os.environ["MINIALEX_LESSON"] = {name!r}'''
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
          "language_info": {"name": "python", "file_extension": ".py"}}


def notebook(path):
    """The lesson at `path` as a notebook, a dict in nbformat 4.5."""
    head, *rest = cells.read(path.read_text(encoding="utf-8"))
    setup = SETUP.format(lessons=str(path.resolve().parent), name=path.stem)
    found = [_cell("markdown", f"# {head.title}\n\n{head.body}"), _cell("code", setup)]
    for cell in rest:
        if cell.kind == "code" and cell.title:
            found.append(_cell("markdown", f"## {cell.title}"))
        if cell.body.strip():
            found.append(_cell("markdown" if cell.kind == "text" else "code", cell.body))
    for number, cell in enumerate(found):
        cell["id"] = f"cell-{number}"
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": KERNEL, "cells": found}


def _cell(kind, source):
    cell = {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True)}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def write(paths, folder):
    """Write the lessons' notebooks into `folder`; returns their paths. A notebook that is there already stays.

    Raises FileExistsError for it: a student may have answered in it."""
    folder = Path(folder)
    targets = [folder / f"{path.stem}.ipynb" for path in paths]
    there = [target for target in targets if target.exists()]
    if there:
        raise FileExistsError(f"{there[0]} exists, and your answers may be in it: give another folder, or remove it.")
    folder.mkdir(parents=True, exist_ok=True)
    for path, target in zip(paths, targets):
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        draft.write_text(json.dumps(notebook(path), ensure_ascii=False, indent=1), encoding="utf-8")
        draft.replace(target)
    return targets
