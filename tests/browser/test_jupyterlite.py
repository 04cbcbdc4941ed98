"""The notebooks in JupyterLite: Jupyter in a browser, without a server's Python. Long: bash
.ci/browser --all"""
import json
import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT
from driver import Browser, Gone, Server

LESSONS = sorted(path.stem for path in (ROOT / "lessons").glob("[0-9][0-9]_*.py"))
PLUGIN = "@jupyterlite/pyodide-kernel-extension:kernel"
BOOK = "jupyterapp.shell.currentWidget.content.model"
KERNEL = "jupyterapp.shell.currentWidget.context.sessionContext"
STATE = "document.querySelector('.jp-Stdin-input') ? 'asks' : window.finished && 'done'"


@pytest.fixture(scope="session")
def lite(pyodide, tmp_path_factory):
    """The folder of a JupyterLite with the notebooks and a wheel of minialex, as docs/browser.md
    builds it."""
    command = os.environ.get("MINIALEX_JUPYTERLITE")
    if not command:
        pytest.skip("needs MINIALEX_JUPYTERLITE to name a jupyter-lite (tests/browser/README.md)")
    place = tmp_path_factory.mktemp("lite")
    (place / "static").mkdir()
    (place / "static" / "pyodide").symlink_to(pyodide)
    for arguments in (["lessons", "--notebooks", str(place / "notebooks")],
                      ["pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(place / "wheels"),
                       str(ROOT)]):
        subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL)
    wheels = [next(folder.glob(f"{name}-*.whl")) for folder, name in
              ((place / "wheels", "minialex"), (pyodide, "comm"), (pyodide, "tqdm"))]
    subprocess.run([command, "build", "--contents", "notebooks", "--output-dir", "site",
                    *(f"--piplite-wheels={wheel}" for wheel in wheels)], cwd=place, check=True,
                   stdout=subprocess.DEVNULL)
    settings = place / "site" / "jupyter-lite.json"
    found = json.loads(settings.read_text())
    # so that a test can read the notebook
    found["jupyter-config-data"]["exposeAppInBrowser"] = True
    found["jupyter-config-data"]["litePluginSettings"][PLUGIN]["disablePyPIFallback"] = True
    settings.write_text(json.dumps(found))
    return place / "site"


@pytest.fixture
def visit(lite):
    """visit(lesson) opens its notebook and waits for the kernel."""
    with Server(lite) as server, Browser() as browser:
        def open_book(name):
            page = browser.open(f"{server.url}lab/index.html?path={name}.ipynb")
            page.wait("Boolean(window.jupyterapp?.shell.currentWidget?.context)", 120)
            page.eval(f"jupyterapp.shell.currentWidget.context.ready.then(() => {KERNEL}.ready)"
                      f".then(() => {KERNEL}.session.kernel.info).then(() => 1)", 180)
            return page

        yield open_book
        assert browser.strangers == []


def answer(page, text):
    """Type into the field of the question. JupyterLab scrolls there and may take the focus once
    more: then again."""
    page.eval("window.asked = document.querySelector('.jp-Stdin-input'); 0")
    for _ in range(20):
        page.eval("asked.focus(); asked.select()")
        page.type(text)
        if page.eval("asked.value") == text:
            page.press("Enter")
        try:
            return page.wait("!asked.isConnected", 3)
        except Gone:
            pass
    raise Gone(f"the question takes no answer: {page.eval('asked.outerHTML')}")


def run_all(page, typed, seconds=600):
    """Run cell after cell, as Ctrl+Enter does, type these predictions, then Enter alone; return the
    notebook's outputs."""
    waiting = list(typed)
    for number in range(page.eval(f"{BOOK}.cells.length")):
        # a question chooses its own cell again
        page.eval(f"jupyterapp.shell.currentWidget.content.activeCellIndex = {number}")
        page.eval("window.finished = false; "
                  "jupyterapp.commands.execute('notebook:run-cell').then(() => finished = true); 0")
        while page.wait(STATE, seconds) == "asks":
            answer(page, waiting.pop(0) if waiting else "")
    cells = page.eval(f"{BOOK}.toJSON().cells")
    return [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]


def text_of(outputs):
    return "".join(output.get("text", output.get("evalue", "")) for output in outputs)


@pytest.mark.long
def test_predictions_are_asked_and_scored(visit):
    said = text_of(run_all(visit("00_first_network"), ["33", "many", "2"]))
    assert ("it is 33: as you said" in said and "a number, please" in said
            and "it is 1: you said 2" in said)
    assert "You predicted 1 of 2 right." in said


@pytest.mark.long
@pytest.mark.parametrize("name", LESSONS)
def test_a_notebook_runs_to_its_end(visit, name):
    outputs = run_all(visit(name), [])
    said = text_of(outputs)
    assert [output["output_type"] for output in outputs
            if output["output_type"] == "error"] == [], said[-2000:]
    assert [output["text"] for output in outputs if output.get("name") == "stderr"] == []
    assert "✓" in said and "on purpose" in said and "✗" not in said
    pictures = [output["metadata"]["image/png"] for output in outputs
                if "image/png" in output.get("data", {})]
    assert pictures and all(re.search(r"\d", picture["alt"]) for picture in pictures)
