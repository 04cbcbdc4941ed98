"""The explorer and the tape player with the keyboard alone: every control is reached, seen and
marked, and none holds it."""
import numpy as np
import pytest
from driver import Browser, find
from pages import focused, tab
from test_accessible import _explorer
from test_keyboard import MOUSE

import minialex as ma

pytestmark = [pytest.mark.skipif(find() is None, reason="needs a Chromium")]
NAMES = ("[...document.querySelectorAll('{}')].map(one => one.id || "
         "one.textContent.trim().slice(0, 30))")


@pytest.fixture
def look():
    """look(file): this page in a new browser, in which no mouse may be used and nothing else asked
    for."""
    with Browser() as browser:
        views = []

        def open_file(path):
            views.append(browser.open(path.as_uri()))
            views[0].eval(MOUSE)
            return views[0]

        yield open_file
        assert views[0].eval("document.documentElement.dataset.mouse || ''") == ""
        assert browser.strangers == [] and browser.log == []


def marked(page):
    """The name of what has the focus."""
    return focused(page)["name"]


def there_and_back(page):
    """The names of what Tab reaches on its way through the page, which must be those of the way
    back, too."""
    there = [one["name"] for one in tab(page)]
    back = [tab(page, "tagName", "Shift+Tab")[0]["name"] for _ in there]
    assert back[::-1] == there
    tab(page)
    return there


def test_the_explorer_is_used_without_a_mouse(look, tmp_path):
    page = look(_explorer(tmp_path))
    there = there_and_back(page)
    controls = "input[type=range]:not(:disabled), input:checked, button"
    assert set(page.eval(NAMES.format(controls))) <= set(there)
    assert [name for name in there
            if name.startswith("layer-")] == ["layer-0"], "a row of choices is one stop"
    tab(page, "matches('#layers input')")
    title = page.text("#layer-title")
    page.press("ArrowRight")
    assert page.text("#layer-title") != title and page.text("#formula")
    page.press("Home")
    page.wait("scrollY === 0")
    page.press("ArrowLeft", "ArrowRight")
    marked(page)
    while page.text("#layer-title") != "conv2, Conv2d":
        page.press("ArrowRight")
    for name, key, said in (("row", "Home", "in row 0,"), ("column", "ArrowRight", "column 6 sees"),
                            ("channel", "End", "Channel 15 of conv2")):
        tab(page, f"matches('#unit-sliders-{name}')")
        page.press(key)
        assert said in page.text("#unit-words") and marked(page) == f"unit-sliders-{name}"
    tab(page, "matches('#presets button')")
    page.press(" ")
    formula = page.text("#arithmetic-formula")
    for name in ("input-size", "kernel", "stride", "padding"):
        tab(page, f"matches('#arithmetic-sliders-{name}')")
        page.press("ArrowRight")
        before, formula = formula, page.text("#arithmetic-formula")
        assert formula != before and marked(page) == f"arithmetic-sliders-{name}"
    tab(page, "matches('#photos input')")
    page.press("ArrowRight")
    assert page.eval("document.activeElement.id") == "photo-1" and marked(page)
    tab(page, "matches('button.tile')")
    unit = page.text("#unit-words")
    page.press("Enter")
    assert page.text("#unit-words") != unit and page.eval(
        "document.activeElement.matches('button.tile')") and marked(page) == ""
    tab(page)


def test_a_pass_is_played_without_a_mouse(look, tmp_path):
    class Wrong(ma.Function):
        def forward(self, x):
            return x * x

        def backward(self, grad_output):
            return grad_output

    x = ma.Tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    with ma.record(x=x) as tape:
        (Wrong()(x) * 2.0).sum().backward()
    tape.save(tmp_path / "tape.html", ma.gradcheck(Wrong, [np.array([[1.0, 2.0, 3.0]])]))
    page, last = look(tmp_path / "tape.html"), len(tape.events)
    there = there_and_back(page)
    assert set(page.eval(NAMES.format("button, input"))) <= set(there)

    def at():
        return int(page.text("#at-shown").split()[0])

    tab(page, "matches('#next')")
    for number in [*range(2, last + 1), last]:
        page.press("Enter")
        assert at() == number and marked(page) == "next", "at the end, too, the focus stays"
    tab(page, "matches('#back')", "Shift+Tab")
    for number in [*range(last - 1, 0, -1), 1]:
        page.press(" ")
        assert at() == number and marked(page) == "back"
    tab(page, "matches('#last')")
    page.press("Enter")
    assert at() == last and marked(page) == "last"
    tab(page, "matches('#first')", "Shift+Tab")
    page.press("Enter")
    assert at() == 1 and marked(page) == "first"
    tab(page, "matches('#wrong')")
    page.press("Enter")
    assert page.text("#now-title") == "Backward: Wrong" and "is wrong here" in page.text(
        "#now-wrong")
    assert marked(page) == "wrong"
    tab(page, "matches('#at')")
    for key, number in (("Home", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", last)):
        page.press(key)
        assert at() == number and marked(page) == "at"
    tab(page, "matches('#all button')")
    page.press("Tab", "Enter")
    assert at() == 2 and marked(
        page) == "now-title", "what was chosen is seen, and Tab goes on from it"
    tab(page)
