"""report.html, compare and export."""

import html.parser
import json
import re
import shutil

import numpy as np
import pytest
from short import first
from small_runs import leave_blank

from minialex.cli import compare, export, predict, report
from minialex.evaluation import classifier
from minialex.evaluation.compare import lines, read, unique


class Checker(html.parser.HTMLParser):
    """Every tag is closed, in order."""

    EMPTY = {"meta", "img", "br", "link"}

    def __init__(self):
        super().__init__()
        self.open, self.text, self.links, self.words = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("src", "href")]
        self.words += [value for name, value in attributes if name == "alt"]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_training_leaves_a_page_that_needs_nothing_else(runs):
    page = (runs[0] / "report.html").read_text("utf-8")
    checker = Checker()
    checker.feed(page)
    assert checker.open == [] and len(checker.links) >= 4
    assert all(link.startswith("data:image/png;base64,") for link in checker.links)
    assert len(checker.words) == len(checker.links) and all(
        re.search(r"\d", words) for words in checker.words), checker.words
    assert any("Äpfel, Äpfel: " in words for words in checker.words)  # the confusion matrix
    assert "default-src 'none'" in page and "script-src 'none'" in page
    assert "<script" not in page and "url(" not in page and not re.search(r"(src|href)=.?https?:",
                                                                          page)
    text = "".join(checker.text)
    for words in ("Curves", "Confusion matrix", "Best predictions", "Worst predictions",
                  "Configuration", "batch size", "Äpfel", "sky $5", "images/s"):
        assert words in text, words


def test_what_users_name_is_no_markup(runs, tmp_path, capsys):
    import shutil
    shutil.copytree(runs[0], tmp_path / "<b>run & co")
    assert report.main([str(tmp_path / "<b>run & co")]) == 0
    page = (tmp_path / "<b>run & co" / "report.html").read_text("utf-8")
    assert "&lt;b&gt;run &amp; co" in page and "<b>run" not in page
    assert "top-1" in capsys.readouterr().out


def test_a_picture_that_broke_since_leaves_the_page_as_it_was(tmp_path, capsys, blank_pictures):
    """One that could not be read when the run began is in no page, so it stops none."""
    from small_runs import OPTIONS, Listener, write_pictures

    from minialex.training import run
    place = write_pictures(tmp_path / "pictures", {"train": 12, "val": 3})
    never, later = sorted((place / "val").rglob("*.png"))[:2]
    never.write_bytes(b"no picture")
    run(OPTIONS | {"data": str(place), "epochs": 1, "out": str(tmp_path / "run")}, Listener())
    page = tmp_path / "run" / "report.html"
    page.unlink()
    assert report.main([str(tmp_path / "run")]) == 0
    right, whole = page.read_bytes(), later.read_bytes()
    capsys.readouterr()
    later.write_bytes(whole[: len(whole) // 2])
    assert report.main([str(tmp_path / "run"), "--force"]) == 2
    said = capsys.readouterr().err
    assert ("1 of the pictures that" in said and f"cannot be read any more, such as {later}: "
            "put them back." in said)
    assert page.read_bytes() == right
    later.write_bytes(whole)
    assert report.main([str(tmp_path / "run")]) == 0


def test_compare_shows_results_differences_and_curves(runs, tmp_path, capsys):
    assert compare.main([*map(str, runs), "--out", str(tmp_path / "c.png")]) == 0
    said = capsys.readouterr().out
    assert re.search(r"lr +0.05 +0.02", said) and re.search(r"seed +0 +1",
                                                            said) and "batch size" not in said
    assert (tmp_path / "c.png").stat().st_size > 10_000
    assert compare.main([*map(str, runs), "--out", str(tmp_path / "c.png"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = [line.split(",") for line in (runs[1] / "metrics.csv").read_text().splitlines()[1:]]
    assert found["runs"][1]["best_top1"] == max(float(row[5]) for row in rows)


@pytest.mark.parametrize("name", ["metrics.csv", "timing.csv"])
@pytest.mark.parametrize("damage", first(2, ["epoch,lr,train_loss\n1,2,3\n", "", "epoch\n1,2,3\n",
                                             "\0\0"]))
def test_a_damaged_table_is_no_traceback(runs, tmp_path, capsys, monkeypatch, name, damage):
    leave_blank(monkeypatch, drawn=["curves"])  # they show the tables
    shutil.copytree(runs[0], tmp_path / "run")
    (tmp_path / "run" / name).write_text(damage)
    arguments = [str(tmp_path / "run"), str(runs[1]), "--out", str(tmp_path / "c.png")]
    assert compare.main(arguments) == (2 if name == "metrics.csv" else 0)
    error = capsys.readouterr().err
    assert error.count("\n") == (name == "metrics.csv") and ("lacks columns"
                                                             in error) == (name == "metrics.csv")
    assert report.main([str(tmp_path / "run")]) == 0


def test_names_that_come_twice_are_told_apart():
    assert unique(["a", "b", "a"]) == ["a (1)", "b", "a (2)"]


def test_a_network_of_ones_own_is_named_in_one_cell(runs):
    ours, theirs = read(str(runs[0])), read(str(runs[1]))
    ours["settings"] = ours["settings"] | {"model": {"file": "/a/net.py", "name": "Net",
                                                     "sha256": "0123456789abcdef"}}
    assert "model    net.py:Net (01234567)  null" in list(lines([ours, theirs]))


@pytest.mark.parametrize(
    "command", [report.main, lambda arguments: compare.main([*arguments, "--out", "unused.png"])])
def test_a_folder_without_a_run_is_a_sentence(tmp_path, capsys, command):
    for path in (tmp_path, tmp_path / "none"):
        assert command([str(path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("ending", [".npz", ".pth", ".safetensors"])
def test_an_exported_run_predicts_the_same(runs, tmp_path, capsys, ending):
    assert export.main([str(runs[0]), str(tmp_path / f"x{ending}")]) == 0
    assert "Normalize" in capsys.readouterr().out
    ours, theirs = classifier.load(runs[0]), classifier.load(tmp_path / f"x{ending}")
    planes = np.random.default_rng(0).integers(0, 256, (3, 36, 36)).astype(np.uint8)
    np.testing.assert_array_equal(ours.picture(planes), theirs.picture(planes))
    assert ours.classes == theirs.classes


def test_an_unknown_ending_is_a_sentence(runs, tmp_path, capsys):
    assert export.main([str(runs[0]), str(tmp_path / "x.h5")]) == 2
    assert "choose .npz" in capsys.readouterr().err


@pytest.mark.parametrize("command", [compare, report])
def test_what_is_no_run_is_one_sentence(command, tmp_path, capsys):
    assert command.main([str(tmp_path / "nowhere")]) == 2
    assert "there is no run folder" in capsys.readouterr().err
    assert command.main([str(tmp_path)]) == 2
    assert f"{tmp_path} is no run, there is no config.json in it" in capsys.readouterr().err
    (tmp_path / "config.json").write_text("[1]")
    assert command.main([str(tmp_path)]) == 2
    assert "holds a list instead of settings" in capsys.readouterr().err


def test_weights_without_axes_are_one_sentence(runs, tmp_path, capsys):
    with np.load(runs[0] / "checkpoint-last.npz") as file:
        arrays = dict(file)
    arrays["model/conv1.weight"] = np.float32(1)
    np.savez(tmp_path / "flat.npz", **arrays)
    assert predict.main([str(tmp_path / "flat.npz"), "photo.png"]) == 2
    assert "conv1.weight has shape ()" in capsys.readouterr().err


@pytest.mark.parametrize("ending", [".npz", ".pth", ".safetensors"])
@pytest.mark.parametrize("kind", [complex, str])
def test_what_is_no_number_is_not_exported(runs, tmp_path, capsys, ending, kind):
    with np.load(runs[0] / "checkpoint-last.npz") as file:
        arrays = dict(file)
    arrays["model/conv1.weight"] = arrays["model/conv1.weight"].astype(kind)
    np.savez(tmp_path / "odd.npz", **arrays)
    assert export.main([str(tmp_path / "odd.npz"), str(tmp_path / f"out{ending}")]) == 2
    assert "instead of real numbers" in capsys.readouterr().err and not (tmp_path
                                                                         / f"out{ending}").exists()
