"""What a reader of the site does, for the tests: wait for Python, run a lesson, type predictions, check an exercise."""
import json

ASKED = "document.querySelectorAll('.asked').length"
BUSY = "!document.querySelector('#stop').disabled"


def ready(page, seconds=120):
    """Wait until Python has begun in this page."""
    page.wait("document.documentElement.dataset.ready || "
              "document.querySelector('#status').textContent.includes('not be started')", seconds)
    assert "not be started" not in page.text("#status"), page.text("#status")
    return page


def run_all(page, predictions, seconds=300):
    """Press `Run all`, type these predictions (None skips), and return what all programs put out."""
    page.click("#all")
    page.wait(BUSY)
    waiting = list(predictions)
    while page.wait("document.querySelector('#stop').disabled ? 'done' : document.querySelector('.prediction') && 'asks'",
                    seconds) == "asks":
        typed, before = waiting.pop(0) if waiting else None, page.eval(ASKED)
        if typed is None:
            page.eval("document.querySelector('.prediction .quiet').click()")
        else:
            page.eval("document.querySelector('.prediction input').focus()")
            page.type(typed)
            page.press("Enter")
        page.wait(f"{ASKED} > {before}")
    return page.eval("[...document.querySelectorAll('.cell .output')].map(output => output.innerText).join('\\n')")


def set_text(page, element, text):
    """Replace what stands in an editor. element: an expression."""
    page.eval(f"{element}.editor.value = {json.dumps(text)}")


def check(page, text, seconds=120):
    """Put this text into the exercise (None: leave it), press `Check`, and return what it says."""
    if text is not None:
        set_text(page, "document.querySelector('.exercise .editor')", text)
    page.eval("document.querySelector('.exercise .output').replaceChildren()")
    page.click(".exercise .run")
    page.wait("document.querySelector('#stop').disabled && document.querySelector('.exercise .output').innerText", seconds)
    return page.eval("document.querySelector('.exercise .output').innerText")
