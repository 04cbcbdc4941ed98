"""The lessons as notebooks, executed cell by cell by a real kernel."""
import base64
import importlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

LESSONS = Path(__file__).resolve().parents[1] / "lessons"
QUICK = ("00_first_network",)
PATHS = [pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else pytest.mark.long)
         for path in sorted(LESSONS.glob("[0-9][0-9]_*.py"))]


@pytest.fixture
def executed(tmp_path, monkeypatch):
    """executed(path): the lesson's notebook after a kernel has run it, or the error that stopped
    it."""
    pytest.importorskip("ipykernel", reason="a kernel runs notebooks: "
                        "pip install nbclient ipykernel")
    nbclient = pytest.importorskip("nbclient", reason="nbclient runs notebooks: "
                                   "pip install nbclient ipykernel")
    nbformat = pytest.importorskip("nbformat", reason="nbformat reads notebooks: "
                                   "pip install nbclient ipykernel")
    monkeypatch.syspath_prepend(str(LESSONS.parent))
    notebooks = importlib.import_module("lessons.notebooks")
    environment = {"MINIALEX_CACHE": str(tmp_path / "cache"),
                   "MINIALEX_PICTURES": str(tmp_path / "pictures"),
                   "PYTHONPATH": os.pathsep.join([str(LESSONS.parent), *sys.path])}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MINIALEX_CLAIMS", raising=False)

    def run(path):
        (written,) = notebooks.write([path], tmp_path / "notebooks")
        book = nbformat.read(written, as_version=4)
        nbformat.validate(book)
        nbclient.NotebookClient(book, timeout=600,
                                resources={"metadata": {"path": str(tmp_path)}}).execute()
        return book

    return run


@pytest.mark.parametrize("path", PATHS)
def test_a_lesson_runs_as_a_notebook(executed, tmp_path, path):
    book = executed(path)
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    said = "".join(output["text"] for output in outputs if output["output_type"] == "stream")
    assert "✓" in said and "on purpose" in said
    pictures = [output["metadata"]["image/png"] for output in outputs
                if "image/png" in output.get("data", {})]
    assert pictures, "no picture in the notebook"
    assert all(re.search(r"\d", picture["alt"])
               for picture in pictures), "a picture says nothing to those who do not see it"
    questions = len(re.findall(r"predict\(", path.read_text(encoding="utf-8")))
    assert said.count("to answer: predict(..., "
                      "typed=55)") == questions, "a kernel that cannot ask says how to answer"
    assert path.stem in json.loads((tmp_path / "cache"
                                    / "course.json").read_text(encoding="utf-8"))["lessons"]


HELPED = [pytest.param(path, id=path.stem, marks=() if path.stem == "02_the_tape"
                       else pytest.mark.long) for path in sorted(LESSONS.glob("[0-9][0-9]_*.py"))]


@pytest.mark.parametrize("path", HELPED)
def test_a_notebook_alone_brings_what_it_needs_beside_the_installed_package(tmp_path, monkeypatch,
                                                                            path):
    """In an empty folder, with minialex importable and no course anywhere: the cells run with what
    the first one unpacks."""
    monkeypatch.syspath_prepend(str(LESSONS.parent))
    notebooks = importlib.import_module("lessons.notebooks")
    book = notebooks.notebook(path)
    source = "\n".join("".join(cell["source"]) for cell in book["cells"]
                       if cell["cell_type"] == "code")
    source = source.replace(repr(str(LESSONS)),
                            repr("/nowhere")).replace("%pip install",
                                                      "raise SystemExit  # %pip install")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "minialex").symlink_to(LESSONS.parent / "minialex")
    (tmp_path / "alone.py").write_text(source, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"),
                   "MINIALEX_CACHE": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    environment.pop("MINIALEX_CLAIMS", None)
    done = subprocess.run([sys.executable, "alone.py"], cwd=tmp_path, env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
                          check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "✓" in done.stdout and (tmp_path / "minialex-course" / "lessons" / "pictures"
                                   / f"{path.stem}.png").exists()
    assert path.stem in json.loads((tmp_path / "course.json").read_text(encoding="utf-8"))[
        "lessons"]


def test_the_set_up_is_the_same_bytes_every_time_and_installs_what_is_missing(monkeypatch):
    monkeypatch.syspath_prepend(str(LESSONS.parent))
    notebooks = importlib.import_module("lessons.notebooks")
    first, second = (notebooks.notebook(LESSONS / "17_training.py")["cells"][1] for _ in range(2))
    assert first == second and first["metadata"]["cellView"] == "form"
    text = "".join(first["source"])
    packed = base64.b64decode(re.search(r'HELPERS = """(.+?)"""', text, re.DOTALL)[1])
    assert "benchmarks/caltech20-metrics.csv" in zipfile.ZipFile(io.BytesIO(packed)).namelist()
    assert "    %pip install --quiet minialex\n" in text


@pytest.mark.parametrize("typed, said", [("55", ""), (None, "to answer: predict(..., typed=55)")])
def test_jupyterlite_asks_and_where_it_cannot_says_how(monkeypatch, capsys, typed, said):
    """Its kernel has no `_allow_stdin`, and its input() answers None where the browser keeps no
    service worker."""
    monkeypatch.syspath_prepend(str(LESSONS))
    predictions = importlib.import_module("predictions")
    shell = SimpleNamespace(kernel=object(), input=lambda text: typed)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(predictions, "_predictions", [])
    monkeypatch.setattr("builtins.input", shell.input)
    assert predictions.predict("How wide?").typed == (typed
                                                      and 55) and said in capsys.readouterr().out


def test_the_page_of_badges(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(LESSONS.parent))
    monkeypatch.chdir(tmp_path)
    course = importlib.import_module("lessons.__main__")
    assert course.main(["--notebooks", "notes", "--repository", "somebody/minialex"]) == 0
    page = (tmp_path / "notes" / "README.md").read_text(encoding="utf-8")
    assert page.count("colab.research.google.com/github/somebody/minialex/blob/main/notes/") == len(
        PATHS)
    assert "mybinder.org/v2/gh/somebody/minialex/main?labpath=notes%2F02_the_tape.ipynb" in page
    for name in re.findall(r"\((\d\d_\w+\.ipynb)\)", page):
        assert (tmp_path / "notes" / name).exists()
    assert course.main(["--notebooks", "other", "--repository", "https://somewhere"]) == 2
    assert "badges need a repository OWNER/NAME" in capsys.readouterr().err and not (
        tmp_path / "other").exists()


def test_the_table_of_the_course_lists_every_lesson_as_it_is():
    page = (LESSONS / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d\d) \| \[(.+?)\]\((.+?)\) \| (\d+) \| (.*?) \| (.*?) \|$", page,
                      re.MULTILINE)
    assert [row[2] for row in rows] == sorted(path.name for path in LESSONS.glob("[0-9][0-9]_*.py"))
    for number, title, name, minutes, exercise, brick in rows:
        text = (LESSONS / name).read_text(encoding="utf-8")
        assert text.startswith(f'"""{title}\n') and f"Minutes: {minutes}." in text
        assert f"(exercises/{name})" in exercise and (LESSONS / "exercises" / name).exists()
        found = sorted(LESSONS.glob(f"my_engine/{number}_*.py"))
        assert [f"my_engine/{path.name}" for path in found] == re.findall(r"\((.+?)\)", brick)
