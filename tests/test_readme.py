"""What README.md and the pages of docs/ show works: their Python, their commands, their files."""
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from minialex.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", ["README.md", "docs/getting-started.md"])
def test_the_python_runs_and_says_what_the_comments_say(page, capsys):
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    names = {}
    exec(compile(block, page, "exec"), names)
    assert names["x"].grad.tolist() == [[2, -4], [6, 8]]
    said = capsys.readouterr().out
    assert ("60,965,224" in said and "(227 - 11 + 2·0)/4 + 1 = 216/4 + 1 = 55" in said
            and "correct" in said)
    assert names["logits"].shape == (8, 10)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_exists(page):
    text = page.read_text("utf-8")
    assert all(find_spec(module)
               for module in set(re.findall(r"python -m (minialex\.\w+|lessons(?:\.\w+)?)", text)))
    assert set(re.findall(r"(?:^|`)minialex ([a-z]+)", text, re.MULTILINE)) <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_picture_and_page_is_there(page):
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
        assert (page.parent / link).exists(), link


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 150


def test_the_documentation_builds(tmp_path):
    """`mkdocs build --strict`: every link leads somewhere, every name of the API reference
    exists."""
    mkdocs = pytest.importorskip("mkdocs.commands.build",
                                 reason="mkdocs is not installed (the extra docs)")
    pytest.importorskip("mkdocstrings_handlers.python", reason="the extra docs")
    from mkdocs.config import load_config

    mkdocs.build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path), strict=True))
    assert "conv2d" in (tmp_path / "api" / "functional" / "index.html").read_text("utf-8")
