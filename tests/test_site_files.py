"""The course as a site, as files: every lesson's text and programs are there once, and nothing of
others is overwritten.

tests/browser opens it in a browser."""
import html
import io
import json
import re
import unicodedata
import zipfile
from xml.etree import ElementTree

import pytest

from lessons import cells, wall
from lessons.__main__ import lessons
from lessons.site import __main__ as site
from lessons.site import formulas, inpage, parts, prose
from minialex.errors import UserError
from minialex.utils import ahead, machine


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "out"
    site.write(str(folder))
    return folder


def test_each_lesson_is_a_page_with_its_programs_exercise_and_solution(written):
    for path, title in lessons():
        page = (written / f"{path.stem}.html").read_text(encoding="utf-8")
        shown = [html.unescape(text)
                 for text in re.findall(r'<pre class="source"[^>]*>(.*?)</pre>', page, re.DOTALL)]
        found = cells.read(path.read_text(encoding="utf-8"))
        programs = [cell.body for cell in found if cell.kind == "code" and cell.body.strip()]
        files = [(path.parent / folder / path.name).read_text(encoding="utf-8")
                 for folder in ("exercises", "solutions")]
        brick = [name for name in wall.BRICKS if name[:2] == path.stem[:2]]
        files += [(path.parent / folder / f"{name}.py").read_text(encoding="utf-8")
                  for name in brick for folder in ("my_engine", "solutions/my_engine")]
        assert [text.rstrip("\n")
                for text in shown] == [*programs, *(text.rstrip("\n") for text in files)], path.stem
        assert html.escape(title) in page and f'href="{path.stem}.html"' in (
            written / "index.html").read_text(encoding="utf-8")


def test_without_a_runtime_it_comes_from_the_cdn_with_hashes(written):
    files = json.loads((written / "assets" / "files.json").read_text())
    assert all((written / place).is_file()
               for place in files["pages"]) and not (written / "runtime").exists()
    assert all(address.startswith(parts.CDN) for address in files["runtime"])
    page = (written / "00_first_network.html").read_text(encoding="utf-8")
    assert '"pyodide.asm.wasm": "sha256-pQ3RhD+AWgt8RbYQN+4Neybf6F7+DhjvlaNK0k5AH18=' in page
    packages = json.loads((written / "assets" / "pyodide-lock.json").read_text())[
        "packages"].values()
    assert {entry["file_name"] for entry in packages} <= {address.rsplit("/")[-1]
                                                          for address in files["runtime"]}
    assert all(len(entry["sha256"]) == 64 for entry in packages)
    assert all(re.fullmatch(r"sha256-[\w+/]{43}=", integrity)
               for integrity in files["runtime"].values())


def test_the_archive_holds_the_course_and_not_the_answers(written):
    names = zipfile.ZipFile(io.BytesIO((written / "assets" / "course.zip").read_bytes())).namelist()
    assert {"minialex/tensor.py", "lessons/classroom.py",
            "lessons/exercises/checks/00_first_network.py"} <= set(names)
    assert not [name for name in names if "solutions" in name or "__pycache__" in name
                or "grade.py" in name]


def test_a_site_of_ours_is_replaced_and_nothing_else(written, tmp_path):
    (written / "old.html").write_text("")
    site.write(str(written))
    assert not (written / "old.html").exists() and (written / "index.html").exists()
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is no site that this command wrote"):
        site.write(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_runtime_that_is_another_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(UserError, match=r"lacks pyodide.mjs, .*numpy-2.0.2.*: give the folder of"):
        site.write(str(tmp_path / "out"), str(tmp_path))
    (tmp_path / "pyodide.mjs").write_text("another")
    with pytest.raises(UserError, match="is not the file of Pyodide 0.27.7: its SHA-256 differs"):
        site.write(str(tmp_path / "out"), str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["pyodide.mjs"]


def test_pure_python_that_the_runtime_lacks_is_packed(tmp_path, monkeypatch):
    entry = {"file_name": "tqdm-4.66.2-py3-none-any.whl", "sha256": "", "depends": []}
    monkeypatch.setattr(parts, "PINNED", {"version": "0", "files": {},
                                          "lock": {"info": {}, "packages": {"tqdm": entry}}})
    assert parts.runtime(tmp_path) == ({}, ["tqdm"])
    names = zipfile.ZipFile(io.BytesIO(parts.course(["tqdm"]))).namelist()
    assert "tqdm/__init__.py" in names and any("LICEN" in name for name in names)


def test_the_texts_marks():
    text = ("## 1. A <b> title\none **bold** word,\nand `a < b`.\n- first\n  and "
            "more\n- second\n\n    y = Σ x\n      + 1\n")
    assert prose.to_html(text) == (
        "<h2>1. A &lt;b&gt; title</h2>\n<p>one <strong>bold</strong> word, and <code>a &lt; "
        "b</code>.</p>\n<ul><li>first and more</li><li>second</li></ul>\n"
        + prose.formula(["    y = Σ x", "      + 1"]))
    assert re.findall('<span class="text">(.*?)</span>',
                      prose.formula(["    y = Σ x", "      + 1"])) == ["y = Σ x", "  + 1"]


def test_a_formula_is_mathml_with_its_text_beside_it():
    """Of every formula of the lessons: nothing is lost but brackets that a fraction's line makes
    unnecessary."""
    rows = [row[4:] for path, _ in lessons()
            for cell in cells.read(path.read_text(encoding="utf-8")) if cell.kind == "text"
            for row in cell.body.splitlines() if row.startswith("    ")]
    assert len(rows) >= 12
    for row in rows:
        text, seen = ElementTree.fromstring(formulas.to_html(row))
        assert text.text == row
        shown = unicodedata.normalize("NFKC", "".join(seen.itertext()).replace("−", "-"))
        plain = unicodedata.normalize("NFKC", row.replace("Σ over c, i, j of ", "Σc, i, j"))
        assert sorted(re.sub(r"[\s^_/]", "", shown)) == sorted(re.sub(r"[\s^_/]", "", plain)), row
    fraction = "<mfrac><mi>a</mi><msup><mi>s</mi><mi>β</mi></msup></mfrac>"
    assert fraction in formulas.to_html(
        "b = a / s^β") and "<mfrac><mrow><mi>a</mi>" in formulas.to_html("(a + 1)/2")
    assert "<munder><mo>Σ</mo><mtext>c, i</mtext></munder>" in formulas.to_html(
        "Σ over c, i of W[c, i]")
    assert "<msup><mi>h</mi><mn>2</mn></msup>" in formulas.to_html(
        "h²/2·f″") and "<msub><mi>C</mi>" in formulas.to_html("C_out")


def test_a_prediction_waits_outside_of_functions_alone():
    import ast

    source = ("guess = predict('a', within=1)\nfor i in [1]:\n    f(predict('b'))\ndef "
              "g():\n    return predict('c')")
    asked = ast.unparse(inpage._Asking().visit(ast.parse(source)))
    assert asked.count("await __predict__(") == 2 and "return predict('c')" in asked


def test_where_no_thread_starts_one_core_works(monkeypatch):
    def refuse(*arguments):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(machine._thread, "start_new_thread", refuse)
    monkeypatch.setenv("MINIALEX_THREADS", "4")
    machine.threads_start.cache_clear()
    try:
        assert machine.thread_count() == 1
        assert list(ahead.ahead(lambda x: x + 1, [1, 2], workers=4)) == [2, 3]
    finally:
        machine.threads_start.cache_clear()


def test_towers_that_take_turns_write_what_two_processes_write(monkeypatch):
    monkeypatch.syspath_prepend(str(parts.LESSONS))
    import numpy as np
    import towers

    random = np.random.default_rng(0)
    net = towers.small_alexnet()
    task = net.state_dict(), random.normal(size=(2, 3, 67, 67)).astype(np.float32), np.array([1, 7])
    apart, _ = towers.run(*task)
    shards = towers.shard_gradients(*task, 2, 2)
    monkeypatch.setattr(towers, "processes_start", lambda: False)
    turns, how = towers.run(*task)
    assert how == towers.TURNS
    for side, other in zip(apart, turns):
        assert all(np.allclose(side[name], other[name], rtol=1e-5, atol=1e-7)
                   for name in side if name != "process"), side.keys()
    assert np.allclose(towers.shard_gradients(*task, 2, 2), shards, rtol=1e-5, atol=1e-7)
    assert towers.speed(towers.small_alexnet(), task[1])[1].startswith("a step, as three times")


def test_where_no_process_starts_a_file_is_checked_in_this_one(monkeypatch, capsys):
    from minialex.cli.gradcheck import main
    from minialex.grader import command, sessions

    wrong = parts.LESSONS / "gradient_bugs" / "wrong" / "avgpool_divides_by_k.py"
    monkeypatch.setattr(sessions, "processes_start", lambda: False)
    monkeypatch.setattr(command, "processes_start", lambda: False)
    assert main([str(wrong), "--shape", "x=2,3,6,6"]) == 1
    said = capsys.readouterr()
    assert ("off by a constant factor: 3" in said.out
            and "runs in this one, not confined" in said.err)


def test_smaller_experiments_say_so(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(parts.LESSONS))
    import classroom

    monkeypatch.setattr(classroom, "SMALL", True)
    assert (classroom.live("steps", 60, 40) == 40 and "in a browser: steps: "
            "40 instead of 60" in capsys.readouterr().out)
    monkeypatch.setattr(classroom, "SMALL", False)
    assert classroom.live("steps", 60, 40) == 60 and capsys.readouterr().out == ""
