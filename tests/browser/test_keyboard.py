"""A whole lesson with the keyboard alone: every control is reached, seen and marked, and none holds
the focus."""
import pytest
from pages import BUSY, ready, tab

MOUSE = """['mousedown', 'pointerdown', 'touchstart'].forEach(kind =>
    addEventListener(kind, () => { document.documentElement.dataset.mouse = kind; }, true))"""
OUTPUT = "document.querySelector('.exercise .output').innerText"


def test_a_lesson_is_done_without_a_mouse(visit, solution):
    page = visit("index.html")
    tab(page, "matches('[data-lesson=\"00_first_network\"] a')")
    page.press("Enter")
    page.wait("location.pathname.endsWith('00_first_network.html') && "
              "document.readyState === 'complete'")
    ready(page)
    page.eval(MOUSE)
    tab(page, "matches('#all')")
    page.press("Enter")
    for number, typed in enumerate(("33", "2", None), 1):
        page.wait("document.activeElement.matches('.prediction input')", 120)
        if typed:
            page.type(typed)
        else:
            page.press("Tab", "Tab")
        page.press("Enter")
        page.wait(f"document.querySelectorAll('.asked').length === {number}")
    page.wait(f"!({BUSY})", 120)
    assert "You predicted 1 of 2 right." in page.text("main")
    assert page.eval(
        "document.activeElement.matches('.asked')"), "the next Tab goes on from the last prediction"
    tab(page, "closest('.exercise .editor')")
    right = solution("00_first_network")
    for text, said in ((right.replace("w - learning_rate", "w + learning_rate"),
                        "that goes uphill"), (right, "right.")):
        page.press("Control+a")
        page.type(text)
        page.press("Control+Enter")
        page.wait(f"document.querySelector('#stop').disabled && {OUTPUT}.includes('{said}')", 60)
    tab(page, "matches('.exercise summary')")
    page.press("Enter")
    assert page.eval("document.activeElement.parentElement.open"), "the solution, behind its key"
    tab(page, "matches('.after [rel=next]')")
    assert page.eval("document.documentElement.dataset.mouse || ''") == ""
    page.press("Enter")
    page.wait("location.pathname.endsWith('01_shape_arithmetic.html')")


@pytest.mark.long
def test_a_loop_is_stopped_without_a_mouse(visit):
    """With the button beside the program that runs, and with the one at the top."""
    page = ready(visit("00_first_network.html", width=390))
    editor = "closest('.cell:not(details .cell) .editor')"
    tab(page, editor)
    page.press("Control+a")
    page.type("while True:\npass")  # the editor indents
    for key, button, then in (("Tab", ".halt", ".cell:not(details .cell) .run"),
                              ("Shift+Tab", "#stop", "#status")):
        page.press("Shift+Enter")
        page.wait("document.querySelectorAll('.cell')[1].dataset.state === 'runs'")
        passed = tab(page, f"matches('{button}')", key)
        assert key == "Shift+Tab" or len(passed) == 2, "Run, and beside it Stop"
        page.press("Enter")
        ready(page)
        assert "stopped" in page.eval("[...document.querySelectorAll('.cell "
                                      ".state')].map(state => state.textContent)")
        assert page.eval("[...document.querySelectorAll('.halt')].every(one => one.hidden)")
        assert page.eval(
            f"document.activeElement.matches('{then}')"), "the keyboard keeps its place"
        tab(page, editor, "Shift+Tab" if key == "Tab" else "Tab")


def test_tab_goes_through_the_page_and_back(visit):
    page = visit("00_first_network.html")
    page.wait("document.querySelectorAll('.cm-editor').length > 3")
    there = tab(page)
    folded = 1
    assert sum(one["editor"] for one in there) == page.eval(
        "document.querySelectorAll('.cm-editor').length") - folded
    back = [tab(page, "tagName", "Shift+Tab")[0]["name"] for _ in there]
    assert back[::-1] == [one["name"] for one in there]


