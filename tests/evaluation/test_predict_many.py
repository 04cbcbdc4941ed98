"""predict on folders and hundreds of pictures: a line, a row or an entry for each as it comes, and
no giant picture."""

import csv
import io
import json
import shutil

import pytest
from PIL import Image
from short import first

from minialex import data
from minialex.cli import predict
from minialex.evaluation import predict as predicting


@pytest.fixture
def photos(pictures, tmp_path, monkeypatch):
    """The 15 validation pictures in their class folders, one that is none, one text. The current
    folder is empty."""
    shutil.copytree(pictures / "val", tmp_path / "photos")
    (tmp_path / "photos" / "leaves" / "bad.jpg").write_bytes(b"no picture")
    (tmp_path / "photos" / "readme.txt").write_text("x")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "photos"


def said(capsys, status, *arguments):
    assert predict.main([*map(str, arguments)]) == status
    return capsys.readouterr()


def test_a_folder_is_every_picture_below_it_and_a_bad_one_a_line(runs, photos, capsys):
    found = said(capsys, 2, runs[0], photos)
    lines = found.out.splitlines()
    names = [line for line in lines if line.endswith(".png") and not line.startswith("the same")]
    assert names == sorted(map(str, photos.rglob("*.png"))) and len(names) == 15
    assert found.err.count("\n") == 1 and "bad.jpg" in found.err
    assert lines[-1] == "the same as a picture: pictures-prediction.png" and Image.open(
        "pictures-prediction.png").height > 2000


@pytest.mark.parametrize("count, drawn", first(2, [(24, True), (25, False), (300, False)]))
def test_at_most_24_are_drawn(runs, photos, capsys, tmp_path, count, drawn):
    photo = next((photos / "leaves").glob("*.png"))
    out = said(capsys, 0, runs[0], *[photo] * count).out
    assert out.count(str(photo)) == count and (tmp_path / "here"
                                               / "pictures-prediction.png").exists() == drawn
    if not drawn:
        assert "not drawn: --csv" in out
        said(capsys, 0, runs[0], *[photo] * count, "--out", "pictures-prediction.png")
    assert Image.open("pictures-prediction.png").height < 3500  # six rows, not seven


def test_a_table_has_a_row_for_each(runs, photos, capsys, tmp_path):
    found = said(capsys, 2, runs[0], photos, "--csv", "t.csv")
    assert found.out == "15 pictures: t.csv\n"
    rows = list(csv.DictReader(open("t.csv", encoding="utf-8", newline="")))
    assert [row["picture"] for row in rows] == sorted(map(str, photos.rglob("*.png")))
    entries = json.loads(said(capsys, 2, runs[0], photos, "--json").out)
    for row, entry in zip(rows, entries, strict=True):
        assert row["picture"] == entry["picture"] and row["class_1"] == entry["predictions"][0][
            "class"]
        assert float(row["probability_2"]) == pytest.approx(entry["predictions"][1]["probability"],
                                                            abs=1e-6)
    screen = said(capsys, 2, runs[0], photos, "--csv", "-").out
    assert screen == open("t.csv", encoding="utf-8").read() and len(
        list(csv.reader(io.StringIO(screen)))) == 16
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == ["t.csv"]


def test_a_table_takes_the_place_of_its_own_kind_only(runs, photos, capsys):
    open("mine.csv", "w").write("picture,price\na,1\n")
    found = said(capsys, 2, runs[0], photos, "--csv", "mine.csv")
    assert "was not written by this command" in found.err and open(
        "mine.csv").read() == "picture,price\na,1\n"
    for more in (["--force"], []):
        said(capsys, 2, runs[0], photos / "leaves", "--csv", "mine.csv", *more)
        assert open("mine.csv").readline().startswith("picture,class_1,probability_1")


@pytest.mark.parametrize("count", [0, 1, 2, 70])
def test_json_is_a_list_however_many_there_are(runs, photos, capsys, count):
    photo = next((photos / "leaves").glob("*.png"))
    bad = photos / "leaves" / "bad.jpg"
    found = said(capsys, 2, runs[0], bad, *[photo] * count, "--json")
    assert len(json.loads(found.out)) == count


def test_nothing_is_kept_until_the_end(runs, photos, capsys, monkeypatch):
    """The first prediction is told while most pictures are not read yet."""
    read, at_first = [], []
    original, bars = data.decode, predicting.bars
    monkeypatch.setattr(data, "decode", lambda *given: read.append(1) or original(*given))
    monkeypatch.setattr(predicting, "bars", lambda *given: at_first.append(len(read))
                        or bars(*given))
    photo = next((photos / "leaves").glob("*.png"))
    said(capsys, 0, runs[0], *[photo] * 300)
    assert len(read) == 300 and at_first[0] < 100


def test_a_folder_without_pictures_and_one_of_minialexs_own(runs, photos, capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "holds no pictures" in said(capsys, 2, runs[0], tmp_path / "empty").err
    shutil.copytree(runs[0], tmp_path / "empty" / "a-run")
    assert "holds no pictures" in said(capsys, 2, runs[0], tmp_path / "empty").err
