"""The lessons as notebooks, executed cell by cell by a real kernel."""
import importlib
import json
import os
import re
import sys
from pathlib import Path

import pytest

LESSONS = Path(__file__).resolve().parents[1] / "lessons"
QUICK = ("00_first_network", "02_the_tape")
PATHS = [pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else pytest.mark.long)
         for path in sorted(LESSONS.glob("[0-9][0-9]_*.py"))]


@pytest.fixture
def executed(tmp_path, monkeypatch):
    """executed(path): the lesson's notebook after a kernel has run it, or the error that stopped it."""
    pytest.importorskip("ipykernel", reason="a kernel runs notebooks: pip install nbclient ipykernel")
    nbclient = pytest.importorskip("nbclient", reason="nbclient runs notebooks: pip install nbclient ipykernel")
    nbformat = pytest.importorskip("nbformat", reason="nbformat reads notebooks: pip install nbclient ipykernel")
    monkeypatch.syspath_prepend(str(LESSONS.parent))
    notebooks = importlib.import_module("lessons.notebooks")
    environment = {"MINIALEX_CACHE": str(tmp_path / "cache"), "MINIALEX_PICTURES": str(tmp_path / "pictures"),
                   "PYTHONPATH": os.pathsep.join([str(LESSONS.parent), *sys.path])}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MINIALEX_CLAIMS", raising=False)

    def run(path):
        (written,) = notebooks.write([path], tmp_path / "notebooks")
        book = nbformat.read(written, as_version=4)
        nbformat.validate(book)
        nbclient.NotebookClient(book, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
        return book

    return run


@pytest.mark.parametrize("path", PATHS)
def test_a_lesson_runs_as_a_notebook(executed, tmp_path, path):
    book = executed(path)
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    said = "".join(output["text"] for output in outputs if output["output_type"] == "stream")
    assert "✓" in said and "on purpose" in said
    assert any("image/png" in output.get("data", {}) for output in outputs), "no picture in the notebook"
    questions = len(re.findall(r"predict\(", path.read_text(encoding="utf-8")))
    assert said.count("to answer: predict(..., typed=55)") == questions, "a kernel that cannot ask says how to answer"
    assert path.stem in json.loads((tmp_path / "cache" / "course.json").read_text(encoding="utf-8"))["lessons"]
