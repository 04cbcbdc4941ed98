"""What a reader of the site does, for the tests: wait for Python, run a lesson, type predictions,
check an exercise."""
import json
import os
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASKED = "document.querySelectorAll('.asked').length"
BUSY = "!document.querySelector('#stop').disabled"


def ready(page, seconds=120):
    """Wait until Python has begun in this page."""
    page.wait("document.documentElement.dataset.ready || "
              "document.querySelector('#status').textContent.includes('not be started')", seconds)
    assert "not be started" not in page.text("#status"), page.text("#status")
    return page


def run_all(page, predictions, seconds=300):
    """Press `Run all`, type these predictions (None skips), and return what all programs put
    out."""
    page.click("#all")
    page.wait(BUSY)
    waiting = list(predictions)
    while page.wait("document.querySelector('#stop').disabled ? 'done' : "
                    "document.querySelector('.prediction') && 'asks'", seconds) == "asks":
        typed, before = waiting.pop(0) if waiting else None, page.eval(ASKED)
        if typed is None:
            page.eval("document.querySelector('.prediction .quiet').click()")
        else:
            page.eval("document.querySelector('.prediction input').focus()")
            page.type(typed)
            page.press("Enter")
        page.wait(f"{ASKED} > {before}")
    return page.eval("[...document.querySelectorAll('.cell "
                     ".output')].map(output => output.innerText).join('\\n')")


def set_text(page, element, text):
    """Replace what stands in an editor. element: an expression."""
    page.eval(f"{element}.editor.value = {json.dumps(text)}")


def check(page, text, seconds=120, part=".exercise"):
    """Put this text into the exercise (None: leave it), press `Check`, and return what it says."""
    if text is not None:
        set_text(page, f"document.querySelector('{part} .editor')", text)
    page.eval(f"document.querySelector('{part} .output').replaceChildren()")
    page.click(f"{part} .run")
    page.wait(f"document.querySelector('#stop').disabled && document.querySelector('{part} "
              ".output').innerText", seconds)
    return page.eval(f"document.querySelector('{part} .output').innerText")


AXE = Path(os.environ.get("MINIALEX_AXE")
           or ROOT / "lessons" / "site" / "web" / "node_modules" / "axe-core" / "axe.min.js")
FOUND = """axe.run().then(found => found.violations.filter(one => ['serious', 'critical'].includes(one.impact))
    .map(one => one.id + ': ' + one.nodes.map(node => node.target.join(' ')).join(', ')))"""  # noqa: E501
FOCUSED = """(() => {
    const one = document.activeElement, frame = one.closest('.cm-editor') ?? one, style = getComputedStyle(frame);
    if (one === document.body) return null;
    const box = frame.getBoundingClientRect();
    const middle = (low, high, most) => (Math.max(low, 0) + Math.min(high, most)) / 2;
    const above = document.elementFromPoint(middle(box.left, box.right, innerWidth), middle(box.top, box.bottom, innerHeight));
    return {name: one.id || one.textContent.trim().slice(0, 30), editor: frame !== one,
            marked: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
            seen: box.bottom > 0 && box.top < innerHeight && Boolean(above) && (frame.contains(above) || above.contains(frame))};
})()"""  # noqa: E501


def serious(page):
    """What axe-core calls serious or critical in this page, and how far it is too wide."""
    page.eval(AXE.read_text(encoding="utf-8") + ";0")
    wide = page.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return page.eval(FOUND) + [f"{wide} pixels too wide"] * (wide > 0)


def focused(page):
    """What has the focus, once the page has been scrolled to it: it must be seen, and marked as
    having it. None for nothing."""
    end = time.monotonic() + 5
    while (one := page.eval(FOCUSED)) and not (one["seen"]
                                               and one["marked"]) and time.monotonic() < end:
        time.sleep(0.05)
    assert one is None or one["seen"] and one["marked"], one
    return one


def tab(page, until=None, key="Tab", most=400):
    """Press Tab until the expression `until` is true of what has the focus, or (None) the page's
    end has come.

    Returns what had the focus on the way; each must be seen, and marked as having it."""
    passed = []
    while len(passed) < most:
        page.press(key)
        one = focused(page)
        if one is None:
            if until is None:
                return passed
            continue
        passed.append(one)
        if until and page.eval(f"Boolean(document.activeElement.{until})"):
            return passed
    raise AssertionError(f"{most} times Tab, "
                         f"and still not there: {[one['name'] for one in passed[-5:]]}")
