"""The page about a class: known counts, nobody's name where none is wanted, nothing that has to be
fetched."""
import collections
import html.parser
import re

import pytest

from minialex.gradcheck.__main__ import main
from minialex.gradcheck.verdicts import names as verdict
from minialex.grader import class_report


def result(name, status="correct", error=None, **verdicts):
    """A result as sessions.results yields it: verdicts by "layer_gradient"."""
    layers = collections.defaultdict(dict)
    for place, word in verdicts.items():
        layer, _, gradient = place.rpartition("_")
        layers[layer][gradient] = word
    checks = [{"name": layer, "checked": layer,
               "status": "wrong" if set(rows.values()) - {verdict.CORRECT} else "correct",
               "inputs": {}, "drawn": False, "error": None, "text": "",
               "rows": [{"name": gradient, "verdict": word, "detail": ""}
                        for gradient, word in rows.items()]} for layer, rows in layers.items()]
    return {"file": f"in/{name}.py", "status": status, "checks": checks, "error": error,
            "printed": ""}


CLASS = [
    result("anna", conv_x=verdict.CORRECT, conv_w=verdict.CORRECT),
    result("ben", "wrong", conv_x=verdict.LAST, conv_w=verdict.CORRECT),
    result("carla", "wrong", conv_x=verdict.LAST, conv_w=verdict.LAST),
    result("david", "wrong", pool_x=verdict.SIGN),
    result("<b>eve", "error", {"kind": "SyntaxError", "message": "in <script>", "lines": []}),
]


class Page(html.parser.HTMLParser):
    """What a browser would see: tags, references, the text of each cell."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = collections.Counter(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        self.attributes += attributes

    def handle_data(self, data):
        self.text.append(data)


def test_counts_and_who_shares_what():
    students = class_report.named(CLASS)
    assert [(word, list(who)) for word, who in class_report.mistakes(students)] == [
        (verdict.LAST, ["ben", "carla"]), (verdict.SIGN, ["david"])]
    assert class_report.errors(students) == [
        (("the file", "SyntaxError"), ["<b>eve"])]
    text = "".join(Page(class_report.page(CLASS)).text)
    assert "1 of 5 are all right, 3 have a wrong gradient, 1 could not be checked." in text
    assert "Lesson 04, convolution, for 2 students" in text.replace("\n",
                                                                    "") and "+= and not =" in text
    assert "ben (conv: x); carla (conv: x, w)" in text


def test_the_page_asks_for_nothing_and_runs_nothing():
    text = class_report.page(CLASS)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "form", "a"} & set(page.tags)
    assert not [value for name, value in page.attributes
                if name in ("src", "href", "action", "onclick", "onload", "srcset")]
    assert "default-src 'none'" in text and not re.search(r"url\(|@import|https?:", text)
    assert "<b>eve" not in text and "&lt;b&gt;eve" in text


def test_it_can_be_read_by_everybody():
    """In the dark, on a phone, and by a program that reads it aloud."""
    text = class_report.page(CLASS)
    assert ("prefers-color-scheme: dark" in text and "max-width: 40rem" in text
            and 'name="viewport"' in text)
    assert '<html lang="en">' in text and 'scope="col"' in text
    labels = re.findall(r'role="img" aria-label="([^"]+)"', text)
    assert len(labels) == 2 and "3 a gradient is wrong" in labels[
        0] and "2 right: 1 student" in labels[1]


def test_anonymous():
    text = class_report.page(CLASS, anonymous=True)
    for name in ("anna", "ben", "carla", "david", "eve", "in/"):
        assert name not in Page(text).text and f">{name}" not in text and f"{name} (" not in text
    assert all(f"student {number}" in text for number in range(1, 6))


def test_folders_with_files_of_one_name_are_called_by_the_folder():
    found = [{**CLASS[0], "file": "in/anna/layers.py"}, {**CLASS[1], "file": "in/ben/layers.py"}]
    assert list(class_report.named(found)) == ["anna", "ben"]


@pytest.mark.parametrize("count", [0, 1])
def test_small_classes(count):
    assert f"{count} submission" in class_report.page(CLASS[:count])


def test_the_command(tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    right = "def cube(x): return x ** 3\ndef cube_backward(dout, x): return 3 * x ** 2 * dout\n"
    for name, code in (("anna", right), ("ben", right.replace("3 * x", "-3 * x"))):
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
    page = tmp_path / "class.html"
    assert main([str(folder), "--report", str(page)]) == 1
    assert "1 of 2 are all right, 1 have a wrong gradient." in page.read_text("utf-8")
    capsys.readouterr()
    page.write_text("mine", encoding="utf-8")
    assert main([str(folder), "--report", str(page)]) == 2
    assert page.read_text("utf-8") == "mine" and "name another file" in capsys.readouterr().err
    assert main([str(folder), "--anonymous"]) == 2


def test_what_is_to_be_taught_again_is_said_of_verdicts_only():
    assert set(class_report.AGAIN) <= set(verdict.VERDICTS) and all(
        len(said) == 2 for said in class_report.AGAIN.values())
