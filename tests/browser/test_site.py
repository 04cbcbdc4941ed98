"""The course as a site, in a real browser: lessons, predictions, exercises, a loop, a reload, and
no network."""
import json

import pytest
from driver import Gone
from pages import check, ready, run_all, set_text

LESSON = "00_first_network.html"


@pytest.fixture
def first(visit):
    return ready(visit(LESSON))


def test_a_lesson_asks_scores_draws_and_is_noted(first):
    """Three predictions: one right, one wrong (after a word that is no number), one skipped."""
    said = run_all(first, ["33", "many", "2", None])
    assert "You predicted 1 of 2 right." in said and "it is 33: as you said" in said
    assert ("it is 1: you said 2" in said and "worth another look: "
            "A network that gives the score 0" in said)
    assert "a number, please" not in said, "the sentence goes when a number is typed"
    assert first.eval("document.querySelector('.output img').naturalWidth") > 500
    assert "line of 300 points" in first.eval("document.querySelector('.output "
                                              "img').alt"), "its numbers, for who does not see it"
    assert first.text(".output figcaption").startswith("Left: before training")
    first.reload()
    known = json.loads(first.eval("localStorage['minialex.course']"))
    assert known["lessons"] == {"00_first_network": [1, 2]}
    first.goto(first.server.url + "index.html")
    assert "read, 1 of 2 predictions right" in first.text("[data-lesson='00_first_network']")


def test_a_changed_line_is_kept_and_a_fact_that_no_longer_holds_says_so(first):
    program = "document.querySelectorAll('.cell .editor')[1]"
    text = first.eval(f"{program}.editor.value")
    set_text(first, program, text.replace("POINTS, HIDDEN = 200, 8", "POINTS, HIDDEN = 200, 2"))
    first.reload()
    ready(first)
    said = run_all(first, [None] * 3)
    assert "2·2 + 2 + 2·1 + 1 = 9" in said and "✗ not so: " in said
    assert first.eval(
        "document.querySelectorAll('.cell')[5].querySelector('.state').textContent").startswith(
        "not run")
    first.click(".cell .undo:not([hidden])")
    assert first.eval(f"{program}.editor.value") == text


def test_a_loop_is_stopped_and_python_begins_anew(first):
    set_text(first, "document.querySelectorAll('.cell .editor')[1]", "while True:\n    pass")
    first.click(".cell:not(details .cell) .run")
    first.wait("document.querySelector('#status').textContent === 'Python: running Program 1'")
    first.click("#stop")
    ready(first)
    assert first.eval(
        "document.querySelectorAll('.cell')[1].querySelector('.state').textContent") == "stopped"
    first.click(".cell .undo:not([hidden])")
    assert "60,965,224" in run_all(first, [None] * 3)


CHECKS = """\
import minialex as ma
import numpy as np
from minialex.cli.gradcheck import main
RELU = "def forward(x):\\n    return np.maximum(x, 0), x\\n\\ndef backward(dout, x):\\n    return dout * (x > 0)\\n"
for name, text in {"right": RELU, "wrong": RELU.replace("> 0", "< 0"), "broken": RELU.replace("x, 0)", "x, 0")}.items():
    with open(f"{name}.py", "w") as file:
        file.write("import numpy as np\\n\\n" + text)
    print(f"{name} ends with {main([f'{name}.py'])}")
class Twice(ma.Function):
    def forward(self, x):
        return 2 * x
    def backward(self, dout):
        return dout
print(ma.gradcheck(Twice, [np.ones((2, 3))]))
"""  # noqa: E501


def test_gradcheck_reads_a_file_and_a_class_in_the_page(first):
    """No process starts there: the file runs in the page's own Python, which goes on afterwards."""
    set_text(first, "document.querySelectorAll('.cell .editor')[1]", CHECKS)
    said = run_all(first, [None] * 3)
    assert "no process can be started here: the file runs in this one, not confined" in said
    assert "right ends with 0" in said and "wrong ends with 1" in said and "broken ends with 1" in said, said  # noqa: E501
    assert ("gradients of forward: 1 of 1 correct" in said and "SyntaxError" in said
            and "Traceback" not in said)
    assert "off by a constant factor: 0.5" in said


def test_an_exercise_is_refused_hinted_and_solved(first, solution):
    right = solution("00_first_network")
    assert "loss returns nothing yet" in check(first, None)
    assert "that goes uphill" in check(first,
                                       right.replace("w - learning_rate", "w + learning_rate"))
    assert "line 7 stops with SyntaxError: unmatched ')'\n" in check(
        first, right.replace("np.mean(", "np.mean", 1))
    assert check(first, right).startswith("right.")
    first.reload()
    assert json.loads(first.eval("localStorage['minialex.course']"))["exercises"] == {
        "00_first_network": "solved"}
    assert first.eval("document.querySelector('.exercise .editor').editor.value") == right


def test_without_a_network_after_the_first_visit(first):
    first.wait("caches.keys().then(async ([name]) => name && "
               "(await (await caches.open(name)).keys()).length > 50)", 60)
    first.server.close()
    first.reload()
    ready(first)
    assert "NumPy" in first.eval("document.body.innerText")
    with pytest.raises(Gone):
        first.eval("fetch('nothing.html')")
    first.goto(first.server.url)
    assert "AlexNet, number by number" in first.text("h1")


def test_a_second_start_takes_the_memory_that_the_first_one_kept(first):
    """And where that is damaged, Python starts as for the first time."""
    memory = ("caches.keys().then(async ([name]) => { const found = await (await "
              "caches.open(name)).match('assets/memory');return found && "
              "(await found.arrayBuffer()).byteLength; })")
    assert first.wait(memory) > 1_000_000
    first.eval("caches.keys().then(async ([name]) => (await "
               "caches.open(name)).put('assets/memory', new Response('damaged')))")
    first.reload()
    ready(first)
    first.wait(f"{memory}.then(size => size > 1_000_000)")
    first.reload()
    ready(first)
    assert "it is 33: as you said" in run_all(first, ["33", None, None])


def test_a_brick_of_an_engine_of_ones_own_is_refused_hinted_and_right(visit, solution):
    page = ready(visit("15_update_rule.html"))
    right = solution("my_engine/15_update")
    for text, hint in ((None, "returns nothing yet"), (right, "right.")):
        said = check(page, text, part="[data-file^=my_engine]")
        assert hint in said and f"{int(hint == 'right.')} of 9 bricks" in said
    assert json.loads(page.eval("localStorage['minialex.course']"))["bricks"] == {
        "15_update": "solved"}
