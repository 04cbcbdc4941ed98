"""What README.md shows works: its Python, its commands, its files."""
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_python_runs_and_says_what_the_comments_say(capsys):
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {}
    exec(compile(block, "README.md", "exec"), names)
    assert names["x"].grad.tolist() == [[2, -4], [6, 8]]
    said = capsys.readouterr().out
    assert "60,965,224" in said and "(227 - 11 + 2·0)/4 + 1 = 216/4 + 1 = 55" in said and "correct" in said
    assert names["logits"].shape == (8, 10)


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m (minialex\.\w+|lessons)", README))))
def test_every_command_exists(module):
    assert find_spec(module) is not None


def test_every_picture_and_page_is_there():
    for link in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / link).exists(), link
