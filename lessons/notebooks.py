"""The lessons as notebooks: `python -m lessons --notebooks OUT` writes one .ipynb for each.

Texts and titles become text cells in their order. A first cell finds the course and names the
lesson, so that its progress is noted. Where there is no course, as in a hosted notebook service or
in JupyterLite, the cell installs minialex and unpacks what the lesson needs besides, which it
carries with it. Predictions are asked through the kernel, pictures appear where they are made.
"""
import base64
import io
import json
import os
import re
import textwrap
import zipfile
from pathlib import Path
from urllib.parse import quote

from lessons import cells

LESSONS = Path(__file__).resolve().parent
SETUP = '''\
#@title Set-up: finds the course, or installs minialex and unpacks what this lesson needs
import base64, importlib.util, io, os, sys, zipfile
from pathlib import Path
HELPERS = """
{helpers}
"""
here = [folder / "lessons" for folder in [Path.cwd(), *Path.cwd().parents]] + [Path({lessons!r})]
course = next((f for f in here if (f / "classroom.py").exists()), None)
if course is None:
    home = Path.home() if sys.platform == "emscripten" else Path.cwd()
    course = home / "minialex-course" / "lessons"
    zipfile.ZipFile(io.BytesIO(base64.b64decode(HELPERS))).extractall(course.parent)
if importlib.util.find_spec("minialex") is None and not (course.parent / "minialex").exists():
    %pip install --quiet minialex
    importlib.invalidate_caches()
    assert importlib.util.find_spec("minialex"), (
        "minialex could not be installed: the lines above say why.")
sys.path.insert(0, str(course))
os.environ["MINIALEX_LESSON"] = {name!r}'''
HIDDEN = {"jupyter": {"source_hidden": True}, "cellView": "form"}
COMMON = ("__init__", "classroom", "predictions", "telling", "evidence", "progress", "cells",
          "learning", "towers")
# A service, its badge, and where it opens a notebook of a GitHub repository.
SERVICES = [("Colab", "https://colab.research.google.com/assets/colab-badge.svg",
             "https://colab.research.google.com/github/{repository}/blob/{branch}/{path}"), (
    "Kaggle", "https://kaggle.com/static/images/open-in-kaggle.svg",
    "https://kaggle.com/kernels/welcome?src=https://github.com/{repository}/blob/{branch}/{path}"),
            ("Binder", "https://mybinder.org/badge_logo.svg",
             "https://mybinder.org/v2/gh/{repository}/{branch}?labpath={quoted}")]
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
          "language_info": {"name": "python", "file_extension": ".py"}}


def notebook(path):
    """The lesson at `path` as a notebook, a dict in nbformat 4.5."""
    source = path.read_text(encoding="utf-8")
    head, *rest = cells.read(source)
    setup = SETUP.format(lessons=str(path.resolve().parent), name=path.stem,
                         helpers=_helpers(source))
    found = [_cell("markdown", f"# {head.title}\n\n{head.body}"),
             _cell("code", setup) | {"metadata": HIDDEN}]
    for cell in rest:
        if cell.kind == "code" and cell.title:
            found.append(_cell("markdown", f"## {cell.title}"))
        if cell.body.strip():
            found.append(_cell("markdown" if cell.kind == "text" else "code", cell.body))
    for number, cell in enumerate(found):
        cell["id"] = f"cell-{number}"
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": KERNEL, "cells": found}


def _helpers(source):
    """The files that a lesson with this source needs besides minialex, as a zip in base64
    letters."""
    drawings = ["__init__", "paper",
                *re.findall(r"^from drawings import (\w+)", source, re.MULTILINE)]
    files = [LESSONS / f"{name}.py" for name in COMMON] + [LESSONS / "drawings" / f"{name}.py"
                                                           for name in drawings]
    if "from lessons.labs import" in source:
        files += [*sorted(LESSONS.glob("labs/*.py")), *sorted(LESSONS.glob("labs/results/*.csv")),
                  *sorted(LESSONS.parent.glob("benchmarks/*.csv"))]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for file in files:
            # of 1980: the same bytes every time
            place = zipfile.ZipInfo(file.relative_to(LESSONS.parent).as_posix())
            bundle.writestr(place, file.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return textwrap.fill(base64.b64encode(packed.getvalue()).decode(), 120)


def _cell(kind, source):
    cell = {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True)}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def write(paths: list[Path], folder: str | Path, page: str = "") -> list[Path]:
    """Write the lessons' notebooks into `folder`, and this page as its README.md; returns their
    paths.

    Raises FileExistsError for a file that is there already: a student may have answered in it."""
    folder = Path(folder)
    targets = [folder / f"{path.stem}.ipynb"
               for path in paths] + [folder / "README.md"] * bool(page)
    there = [target for target in targets if target.exists()]
    if there:
        raise FileExistsError(f"{there[0]} exists, and your answers may be in it: "
                              "give another folder, or remove it.")
    folder.mkdir(parents=True, exist_ok=True)
    texts = [json.dumps(notebook(path), ensure_ascii=False, indent=1)
             for path in paths] + [page] * bool(page)
    for text, target in zip(texts, targets):
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    return targets


def badges(course: list[tuple[Path, str]], folder: str, repository: str,
           branch: str = "main") -> str:
    """A page with a table in Markdown: for each lesson, (path, title), a badge for each of
    SERVICES.

    repository: OWNER/NAME on GitHub; folder: the notebooks' place in it. Raises ValueError for
    anything else."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository) or Path(folder).is_absolute():
        raise ValueError("badges need a repository OWNER/NAME and a folder in it, got "
                         f"{repository!r} and {str(folder)!r}: run this in the repository's root, "
                         "with a folder's name for the notebooks.")
    lines = ["# The lessons as notebooks", "", "| | lesson | open it in |", "|---|---|---|"]
    for path, title in course:
        place = f"{Path(folder).as_posix()}/{path.stem}.ipynb"
        names = {"repository": repository, "branch": branch, "path": quote(place),
                 "quoted": quote(place, safe="")}
        links = [f"[![{name}]({badge})]({address.format(**names)})"
                 for name, badge, address in SERVICES]
        lines.append(f"| {path.stem[:2]} | [{title}]({path.stem}.ipynb) | {' '.join(links)} |")
    return "\n".join(lines) + "\n"
