"""Every lesson runs to its end in the browser, every solution is right, every wrong answer gets its
hint; axe-core is content.

All but the first lesson are long: bash .ci/browser --all"""
import importlib
import json
import pkgutil
import sys

import pytest
from conftest import ROOT
from pages import AXE, check, ready, run_all, serious
from short import first

sys.path.insert(0, str(ROOT / "tests"))

import test_my_engine  # noqa: E402 (it stands in that folder, as does the next)
import wrong_answers  # noqa: E402

LESSONS = sorted(path.stem for path in (ROOT / "lessons").glob("[0-9][0-9]_*.py"))
WRONG = {}
for part in pkgutil.iter_modules(wrong_answers.__path__):
    WRONG.update(importlib.import_module(f"wrong_answers.{part.name}").WRONG)


@pytest.mark.long
@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_to_its_end(visit, name):
    page = ready(visit(f"{name}.html"), 300)
    said = run_all(page, [], 900)
    states = page.eval("[...document.querySelectorAll('.cell "
                       ".state')].map(state => state.textContent)")
    assert all(state.startswith("done in") for state in states), (states, said[-2000:])
    print(f"{name}: {sum(float(state.split()[2]) for state in states):.1f} s")
    pictures = page.eval("[...document.querySelectorAll('.output "
                         "img')].map(i => i.naturalWidth > 300 && i.alt.length > 30)")
    assert pictures == [True]
    assert name in json.loads(page.eval("localStorage['minialex.course']"))["lessons"]
    assert not AXE.exists() or serious(page) == [], "with all that the programs have put out"


@pytest.mark.parametrize("name", first(1, LESSONS))
def test_every_hint_of_an_exercise_appears(visit, solution, name):
    page, right = ready(visit(f"{name}.html"), 300), solution(name)
    for old, new, hint in WRONG[name]:
        said = check(page, right.replace(old, new, 1), 300)
        assert hint in " ".join(said.split()), (name, old, new, said)
    assert check(page, right, 300).startswith("right.")


@pytest.mark.long
@pytest.mark.parametrize("name", test_my_engine.BRICKS)
def test_every_hint_of_a_brick_appears(visit, solution, name):
    lesson = next(one for one in LESSONS if one[:2] == name[:2])
    page, right = ready(visit(f"{lesson}.html"), 300), solution(f"my_engine/{name}")
    for old, new, hint in test_my_engine.WRONG[name]:
        said = check(page, right.replace(old, new, 1), 300, "[data-file^=my_engine]")
        assert hint in " ".join(said.split()), (name, old, new, said)
        assert "0 of 9 bricks" in said
    assert check(page, right, 300, "[data-file^=my_engine]").startswith("right.")
