"""What a student has done goes as a file to another browser, and to `python -m lessons`."""
import json
import sys

from conftest import ROOT
from driver import Browser, Server
from pages import check, ready, set_text

FIRST = "00_first_network"


def _taken(page, file):
    """Give this file to the list's `Import`."""
    page.call("DOM.enable")
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    field = page.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
    page.eval("document.querySelector('#said').textContent = ''")
    page.call("DOM.setFileInputFiles", nodeId=field, files=[str(file)])
    return page.wait("document.querySelector('#said').textContent")


def test_progress_goes_to_another_browser_as_a_file(visit, site, solution, tmp_path, monkeypatch):
    page = ready(visit(f"{FIRST}.html"))
    set_text(page, "document.querySelectorAll('.cell .editor')[1]", "mine = 'ä\\n'\n")
    check(page, solution(FIRST))
    page.click(".cell .undo:not([hidden])")
    set_text(page, "document.querySelectorAll('.cell .editor')[2]", "mine = 'ä\\n'\n")
    page.reload()
    page.eval("localStorage['minialex.course'] = "
              "JSON.stringify({...JSON.parse(localStorage['minialex.course']), "
              f"lessons: {{'{FIRST}': [2, 3]}}, bricks: {{'02_tape': 'solved'}}}})")
    page.goto(page.server.url + "index.html")
    page.browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path),
                      eventsEnabled=True)
    page.click("#export")
    page.wait("document.querySelector('#said').textContent.startsWith('Written')")
    file = tmp_path / "course.json"
    for _ in range(100):
        if file.exists() and file.read_bytes().endswith(b"}"):
            break
        page.eval("new Promise(done => setTimeout(done, 50))")
    written = json.loads(file.read_text(encoding="utf-8"))
    assert written["lessons"] == {FIRST: [2, 3]} and written["exercises"] == {FIRST: "solved"}
    assert written["bricks"] == {"02_tape": "solved"}
    assert written["texts"] == {f"{FIRST}.2": "mine = 'ä\\n'\n",
                                f"exercises.{FIRST}": solution(FIRST)}
    with Server(site) as server, Browser() as other:
        view = other.open(server.url + "index.html")
        assert "0 of 22 lessons read, 0 exercises" in view.text("#sum")
        for content in ("no JSON", "[1]", '{"lessons": 1}'):
            (tmp_path / "other.json").write_text(content)
            assert "holds no progress" in _taken(view, tmp_path / "other.json"), content
        assert _taken(view, file) == "Taken in."
        assert "1 of 22 lessons read, 1 exercises" in view.text("#sum")
        assert "2 of 3 predictions right, exercise solved" in view.text(f"[data-lesson='{FIRST}']")
        view.reload()
        assert "1 of 22" in view.text("#sum")
        view.goto(server.url + f"{FIRST}.html")
        view.wait("document.querySelectorAll('.cm-editor').length > 3")
        assert view.eval("document.querySelectorAll('.cell "
                         ".editor')[2].editor.value") == "mine = 'ä\\n'\n"
        assert view.eval("document.querySelector('.exercise "
                         ".editor').editor.value") == solution(FIRST)
    monkeypatch.syspath_prepend(str(ROOT / "lessons"))
    monkeypatch.setenv("MINIALEX_CACHE", str(tmp_path))
    sys.modules.pop("progress", None)
    import progress

    assert progress.describe(progress.load(),
                             FIRST) == "read, 2 of 3 predictions right, exercise solved"
