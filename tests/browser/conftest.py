"""What the tests in a browser share: the site with Python in it, and a Chromium."""
import os
import subprocess
import sys
from pathlib import Path

import pytest
from driver import Browser, Server, find

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def pyodide():
    """The folder with the Pyodide that MINIALEX_PYODIDE names (runtime.py gets it)."""
    if find() is None or not os.environ.get("MINIALEX_PYODIDE"):
        pytest.skip("needs a Chromium, "
                    "and MINIALEX_PYODIDE to name a folder with Pyodide (tests/browser/README.md)")
    return Path(os.environ["MINIALEX_PYODIDE"]).resolve()


@pytest.fixture(scope="session")
def site(tmp_path_factory, pyodide):
    """The folder of the site with Pyodide in it."""
    folder = tmp_path_factory.mktemp("site") / "course"
    subprocess.run([sys.executable, "-m", "lessons.site", str(folder), "--runtime", str(pyodide)],
                   cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture
def visit(site):
    """visit(page, **how) opens a page of the site in a new browser; nothing outside may be asked
    for, nothing may be uncaught."""
    with Server(site) as server, Browser() as browser:
        def open_page(name, **how):
            page = browser.open(server.url + name, **how)
            page.server = server
            return page

        yield open_page
        assert browser.strangers == []
        assert [line for line in browser.log if "uncaught" in line] == []


@pytest.fixture
def solution():
    """solution(name): the text of an exercise's solution."""
    return lambda name: (ROOT / "lessons" / "solutions" / f"{name}.py").read_text(encoding="utf-8")
