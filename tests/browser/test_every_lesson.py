"""Every lesson runs to its end in the browser, every solution is right, every wrong answer gets its hint; axe-core is content.

All but the first lesson are long: bash .ci/browser --all"""
import importlib
import json
import pkgutil
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from pages import check, ready, run_all
from short import first

sys.path.insert(0, str(ROOT / "tests"))

import wrong_answers  # noqa: E402 (it stands in that folder)

LESSONS = sorted(path.stem for path in (ROOT / "lessons").glob("[0-9][0-9]_*.py"))
AXE = ROOT / "lessons" / "site" / "web" / "node_modules" / "axe-core" / "axe.min.js"
WRONG = {}
for part in pkgutil.iter_modules(wrong_answers.__path__):
    WRONG.update(importlib.import_module(f"wrong_answers.{part.name}").WRONG)


@pytest.mark.long
@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_to_its_end(visit, name):
    page = ready(visit(f"{name}.html"), 300)
    said = run_all(page, [], 900)
    states = page.eval("[...document.querySelectorAll('.cell .state')].map(state => state.textContent)")
    assert all(state.startswith("done in") for state in states), (states, said[-2000:])
    print(f"{name}: {sum(float(state.split()[2]) for state in states):.1f} s")
    pictures = page.eval("[...document.querySelectorAll('.output img')].map(i => i.naturalWidth > 300 && i.alt.length > 30)")
    assert pictures == [True]
    assert name in json.loads(page.eval("localStorage['minialex.course']"))["lessons"]


@pytest.mark.parametrize("name", first(1, LESSONS))
def test_every_hint_of_an_exercise_appears(visit, solution, name):
    page, right = ready(visit(f"{name}.html"), 300), solution(name)
    for old, new, hint in WRONG[name]:
        said = check(page, right.replace(old, new, 1), 300)
        assert hint in " ".join(said.split()), (name, old, new, said)
    assert check(page, right, 300).startswith("right.")


@pytest.mark.parametrize("place, dark, width", [
    ("index.html", False, 1280), ("index.html", True, 390), ("words.html", True, 1280),
    ("00_first_network.html", False, 1280), ("00_first_network.html", True, 390)])
def test_axe_finds_nothing_serious(visit, place, dark, width):
    if not AXE.exists():
        pytest.skip("needs axe-core: npm ci in lessons/site/web")
    page = visit(place, dark=dark, width=width)
    if place[0].isdigit():
        ready(page)
        page.eval("document.querySelectorAll('details').forEach(details => details.open = true)")
        page.eval("document.querySelectorAll('.cell .run')[2].click()")
        page.wait("document.querySelector('.prediction')", 120)
    page.eval(Path(AXE).read_text(encoding="utf-8") + ";0")
    found = page.eval("axe.run().then(found => found.violations.map(v => [v.impact, v.id, v.nodes.map(node => node.html)]))")
    assert [line for line in found if line[0] in ("serious", "critical")] == []
