"""The site without --runtime: Python comes from its public CDN. A folder with the same files plays
it here."""
import hashlib
import io
import json
import zipfile

import pytest
from driver import Browser, Server
from pages import ready, run_all

from lessons.site import __main__ as writer
from lessons.site import parts

LESSON = "01_shape_arithmetic.html"
BEFORE = ["pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "numpy-2.0.2",
          "pillow-10.2.0"]
SAID = ("document.documentElement.dataset.ready || "
        "document.querySelector('#status').textContent.includes('not be started')")


class Cdn:
    """Answers for the CDN with the files of a folder. changed: how a file's name begins, one byte
    of which is another; down: no network."""

    def __init__(self, folder, more):
        self.folder, self.more, self.changed, self.down = folder, more, None, False

    def __call__(self, name):
        if self.down:
            return None
        data = self.more[name] if name in self.more else (self.folder / name).read_bytes()
        if self.changed and name.startswith(self.changed):
            data = data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]
        return data


def packed(name):
    """A wheel of a package of this Python, for what the folder of Pyodide lacks."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as wheel:
        for place, path in parts._package(name).items():
            wheel.writestr(place, path.read_bytes())
    return made.getvalue()


@pytest.fixture
def cdn(pyodide, tmp_path):
    """A Cdn, with .visit(): lesson 01 of a site that takes Python from there, in a new browser."""
    site, answers = tmp_path / "site", Cdn(pyodide, {})
    writer.write(str(site))
    lists = site / "assets" / "pyodide-lock.json", site / "assets" / "files.json"
    lock, files = (json.loads(path.read_text()) for path in lists)
    for name, entry in lock["packages"].items():
        if not (pyodide / entry["file_name"]).exists():
            wheel = answers.more[entry["file_name"]] = packed(name)
            entry["sha256"] = hashlib.sha256(wheel).hexdigest()
            files["runtime"][parts.CDN + entry["file_name"]] = parts._integrity(entry["sha256"])
    for path, value in zip(lists, (lock, files)):
        path.write_text(json.dumps(value))
    with Server(site) as server, Browser(elsewhere={parts.CDN: answers}) as browser:
        answers.visit = lambda: browser.open(server.url + LESSON)
        answers.browser = browser
        yield answers
        assert browser.strangers == []
        uncaught = [line for line in browser.log if "uncaught" in line]
        # Pyodide's own promise: its WebAssembly
        assert [line for line in uncaught if "Failed to fetch" not in line] == []


def test_lesson_01_with_python_from_the_cdn_which_is_kept_unless_a_byte_differs(cdn):
    page = ready(cdn.visit())
    wanted = set(parts.addresses(parts.CDN, []))
    # the service worker, which keeps it for a visit without a network, gets another one
    cdn.changed = "numpy"
    kept = ("caches.keys().then(async ([name]) => (await (await "
            "caches.open(name)).keys()).map(({url}) => url))")
    page.wait(f"{kept}.then(urls => urls.filter(url => url.startsWith('{parts.CDN}')).length >= "
              f"{len(wanted) - 1})", 60)
    found = {url for url in page.eval(kept) if url.startswith(parts.CDN)}
    assert {url.removeprefix(parts.CDN)[:5] for url in wanted - found} == {"numpy"}
    cdn.changed = None
    said = run_all(page, [])
    assert "✓" in said and "✗" not in said and set(cdn.browser.elsewhere_asked) == wanted
    assert page.eval("document.querySelector('.output img').naturalWidth") > 500


@pytest.mark.long
def test_no_file_with_another_byte_is_run(cdn):
    for name in BEFORE:
        cdn.changed = name
        page = cdn.visit()
        page.wait(SAID, 60)
        said = page.text("#status")
        assert (f"Python could not be started. {name}" in said
                and "from cdn.jsdelivr.net is not the file that this course" in said)
        page.close()


@pytest.mark.long
def test_what_draws_with_another_byte_stops_the_picture_alone(cdn):
    cdn.changed = "matplotlib"
    said = run_all(ready(cdn.visit()), [])
    assert ("✓" in said and "Nothing can be drawn. matplotlib-3.8.4" in said
            and "so it was not used" in said)


def test_without_a_network_the_page_says_so(cdn):
    cdn.down = True
    page = cdn.visit()
    page.wait(SAID, 60)
    sentence = ("cdn.jsdelivr.net cannot be reached: look whether this computer is online, "
                "and reload the page.")
    assert page.text("#status") == f"Python could not be started. {sentence}"
    cdn.down = False
    page.reload()
    ready(page)
